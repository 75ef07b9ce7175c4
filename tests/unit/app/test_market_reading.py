"""Which accounts one reading of the market may serve."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import cast

from src.app.proposing.inputs import Inputs
from src.app.proposing.market_reading import Managed, read_together
from src.base.settings import IbkrSettings, Settings
from src.broker.ports import MarketView
from src.core.records.account import AccountSnapshot
from src.core.records.market import SymbolLookup
from src.core.records.portfolios import Symbol
from tests.kits.builders import listing, portfolios, snapshot, targets


class View:
    """Knows every symbol but GONE."""

    async def known_symbols(self, symbols: Collection[Symbol]) -> Mapping[Symbol, SymbolLookup]:
        return {
            one: SymbolLookup(symbol=one, listing=None if one == "GONE" else listing(one))
            for one in symbols
        }


def managed(held: AccountSnapshot) -> Managed:
    settings = Settings(ibkr=IbkrSettings(account_id=held.account_id), models={"A": Decimal(1)})
    files = portfolios({"A": {"SPY": 60, "EXUS": 40}})
    wanted = targets({"SPY": 60, "EXUS": 40})
    return Managed(held, Inputs(settings=settings, portfolios=files, targets=wanted))


def groups_of(*snapshots: AccountSnapshot) -> list[list[str]]:
    accounts = [managed(one) for one in snapshots]
    found = asyncio.run(read_together(cast("MarketView", View()), accounts))
    return [[one.snapshot.account_id for one in group] for group in found]


def test_r210_accounts_that_hold_what_is_listed_are_read_together() -> None:
    first = snapshot({"SPY": 1, "EXUS": 2}, account_id="DU1")
    second = snapshot({"SPY": 3}, account_id="DU2")
    assert groups_of(first, second, snapshot({}, account_id="DU3")) == [["DU1", "DU2", "DU3"]]


def test_r210_a_ticker_that_is_another_contract_in_one_account_prices_no_other() -> None:
    odd = snapshot({"EXUS": 2}, account_id="DU1")
    odd = replace(odd, positions=(replace(odd.positions[0], con_id=99),))
    plain = snapshot({"SPY": 3}, account_id="DU2")
    assert groups_of(odd, plain) == [["DU2"], ["DU1"]]


def test_r210_so_does_one_that_the_broker_lists_no_more() -> None:
    gone = snapshot({"GONE": 2, "SPY": 1}, account_id="DU1")
    assert groups_of(gone, snapshot({"SPY": 3}, account_id="DU2")) == [["DU2"], ["DU1"]]
