from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import Refused
from src.core.records.account import Position
from src.core.valuation import trade_on_paper, value_account
from tests.kits.builders import account, con_id, price_book, snapshot


def test_net_liq_is_cash_plus_positions_and_targets_are_listed_unheld() -> None:
    valued = account({"SPY": 10}, {"SPY": 100, "IAU": 40}, "-200.50")
    assert valued.net_liq_usd == Decimal("799.50")
    assert valued.gross_exposure_usd == 1000
    assert round(valued.leverage, 6) == Decimal("1.250782")
    assert valued.holdings["IAU"].qty_shares == 0
    assert valued.holdings["IAU"].con_id == con_id("IAU")


def test_paper_fills_keep_net_liq() -> None:
    before = account({"SPY": 10}, {"SPY": 100, "IAU": 40}, 500)
    after = trade_on_paper(before, {"SPY": Decimal(-2), "IAU": Decimal(5)})
    assert after.net_liq_usd == before.net_liq_usd
    assert after.cash_usd == 500
    assert after.holdings["SPY"].qty_shares == 8
    assert after.holdings["IAU"].value_usd == 200


@pytest.mark.parametrize("cash", [-1000, -1500])
def test_a_net_liq_that_is_not_positive_is_refused(cash: int) -> None:
    with pytest.raises(Refused, match="net liq is"):
        account({"SPY": 10}, {"SPY": 100}, cash)


def test_a_holding_keeps_its_contract_and_what_is_not_held_takes_the_listed_one() -> None:
    prices = price_book({"SPY": 100, "IAU": 40, "GLD": 300})
    valued = value_account(snapshot({"SPY": 10}, 500), prices, {"IAU": 7})
    assert {symbol: one.con_id for symbol, one in valued.holdings.items()} == {
        "SPY": con_id("SPY"),
        "IAU": 7,
        "GLD": 0,
    }


def test_one_symbol_with_two_contracts_is_refused() -> None:
    held, ours = snapshot({"SPY": 10}), con_id("SPY")
    twice = replace(
        held, positions=(*held.positions, Position(con_id=7, symbol="SPY", qty_shares=Decimal(1)))
    )
    prices = price_book({"SPY": 100})
    with pytest.raises(Refused, match=f"SPY means two contracts here, conId {ours} and 7 "):
        value_account(held, prices, {"SPY": 7})
    with pytest.raises(Refused, match=f"SPY means two contracts here, conId 7 and {ours} "):
        value_account(twice, prices, {})


def test_a_short_position_is_refused() -> None:
    with pytest.raises(Refused, match="SPY is held short"):
        account({"SPY": -1}, {"SPY": 100}, 5000)
