from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.records import AccountSnapshot, Position, UnmanagedPosition
from src.core.valuation import NetLiqCheck, broker_net_liq_check, trade_on_paper, value_account
from src.errors import Refused
from tests.builders import account, con_id, price_book, snapshot

NO_RATE = "the broker's net liq cannot be compared with ours: no rate to USD"


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


def with_extras(broker: str | None) -> AccountSnapshot:
    option = UnmanagedPosition(
        con_id=9,
        symbol="SPY C500",
        sec_type="OPT",
        currency="USD",
        qty=Decimal(1),
        value=Decimal(300),
    )
    return replace(
        snapshot({"SPY": 10}, 700),
        ignored_cash={"CAD": Decimal(1000)},
        usd_per_unit={"CAD": Decimal("0.7")},
        unmanaged=(option,),
        broker_net_liq_usd=None if broker is None else Decimal(broker),
    )


@pytest.mark.parametrize(
    ("broker", "warns", "forbids"),
    [
        ("2700", False, False),
        ("2673.3", False, False),  # just within 1% of the broker's figure
        ("2670", True, False),
        ("2400", True, True),
        (None, True, True),
    ],
)
def test_our_figures_are_held_against_the_brokers(
    broker: str | None, warns: bool, forbids: bool
) -> None:
    held = with_extras(broker)
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert (bool(check.warnings), check.forbids_trading) == (warns, forbids)


def test_the_warning_names_all_parts() -> None:
    held = with_extras("2400")
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    (warning,) = check.warnings
    assert warning == (
        "net liq 1700.00 + CAD cash 700.00 + SPY C500 (OPT) 300.00 = 2700.00 USD, but the broker "
        "says 2400.00 USD; a price may be wrong or stale"
    )


@pytest.mark.parametrize("broker", ["2700", "42700"])
def test_the_size_of_a_future_may_or_may_not_be_in_the_brokers_figure(broker: str) -> None:
    held = with_extras(broker)
    future = replace(held.unmanaged[0], con_id=10, sec_type="FUT", value=Decimal(40_000))
    held = replace(held, unmanaged=(*held.unmanaged, future))
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert (check.ours_usd, check.warnings) == (Decimal(broker), ())


def test_a_missing_rate_is_named() -> None:
    held = replace(with_extras("2700"), usd_per_unit={})
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert check.forbids_trading
    assert "no rate to USD for CAD cash" in check.warnings[0]


def check_of_1000(held: AccountSnapshot) -> NetLiqCheck:
    """Ours is what ``held`` says, the broker's figure is 1000."""
    told = replace(held, broker_net_liq_usd=Decimal(1000))
    return broker_net_liq_check(told, value_account(told, price_book({"SPY": 100}), {}))


@pytest.mark.parametrize(
    ("cash", "warns", "forbids"),
    [
        ("110", False, False),  # 1% apart
        ("110.01", True, False),
        ("200", True, False),  # 10% apart
        ("200.01", True, True),
        ("90", False, False),
        ("89.99", True, False),
        ("0", True, False),
        ("-0.01", True, True),
    ],
)
def test_exactly_1_percent_is_no_warning_and_exactly_10_may_trade(
    cash: str, warns: bool, forbids: bool
) -> None:
    check = check_of_1000(snapshot({"SPY": 9}, cash))
    assert (bool(check.warnings), check.forbids_trading) == (warns, forbids)
    assert (check.ours_usd, check.broker_usd) == (900 + Decimal(cash), Decimal(1000))


def test_all_currencies_without_a_rate_are_named_beside_the_brokers_figure() -> None:
    cash = {"CAD": Decimal(5), "CHF": Decimal(-7), "EUR": Decimal(0)}
    check = check_of_1000(replace(snapshot({"SPY": 10}), ignored_cash=cash))
    assert check == NetLiqCheck(
        ours_usd=None,
        broker_usd=Decimal(1000),
        warnings=(f"{NO_RATE} for CAD cash, CHF cash",),
        forbids_trading=True,
    )


def test_a_missing_figure_of_the_brokers_is_a_base_currency_without_a_rate() -> None:
    held = snapshot({"SPY": 10})
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert check.warnings == (f"{NO_RATE} for the account's base currency",)
    assert check.forbids_trading
