"""The JSON of a snapshot is read by programs: every key, every digit, in the order of USAGE.md.

Texts are compared, because ``5 == 5.0`` while a program may tell them apart.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from src.base.json_values import Json
from src.core.records.account import AccountSnapshot, UnmanagedPosition
from src.core.records.market import PriceBook
from src.core.showing.snapshot_json import snapshot_as_json
from src.core.valuation import value_account
from tests.kits.builders import NOON_UTC, con_id, price_book, snapshot

BOND = UnmanagedPosition(
    con_id=9,
    symbol="BUND 2.5",
    sec_type="BOND",
    currency="EUR",
    qty=Decimal("-1.5"),
    value=Decimal("-990.25"),
)
OPTION = replace(
    BOND, symbol="SPY C500", sec_type="OPT", currency="USD", qty=Decimal(2), value=None
)


def held() -> AccountSnapshot:
    """3000 USD, part of it in what is left alone."""
    made = snapshot({"SPY": "2.5", "IAU": 10}, "-200.5")
    spy, iau = made.positions
    return replace(
        made,
        as_of_utc=NOON_UTC + timedelta(microseconds=987654),
        positions=(replace(spy, avg_cost_usd=Decimal("512.3456789")), iau),
        ignored_cash={"EUR": Decimal("-12.50"), "CAD": Decimal(1000)},
        unmanaged=(BOND, OPTION),
        broker_net_liq_usd=Decimal("3001.10"),
    )


def prices() -> PriceBook:
    """GLD is only wanted, IAU's price comes late."""
    book = price_book({"SPY": "1114.2", "IAU": "41.5", "GLD": 300})
    late = replace(book.prices["IAU"], source="delayed last")
    return replace(book, prices={**book.prices, "IAU": late})


def document(made: AccountSnapshot, *, with_prices: bool) -> dict[str, Json]:
    valued = value_account(made, prices(), {})
    return snapshot_as_json(made, valued, prices(), ("careful",), with_prices=with_prices)


EXPECTED = {
    "account_id": "DU1234567",
    "as_of_utc": "2025-01-31T17:00:00Z",
    "net_liq_usd": 3000,
    "broker_net_liq_usd": 3001.1,
    "cash_usd": -200.5,
    "gross_exposure_usd": 3200.5,
    "leverage": 1.0668333333,
    "ignored_cash": {"EUR": -12.5, "CAD": 1000},
    "account_kind": {
        "trading_type": "STKMRGN",
        "account_type": "INDIVIDUAL",
        "available_funds_usd": None,
        "buying_power_usd": None,
    },
    "positions": [
        {
            "symbol": "SPY",
            "con_id": con_id("SPY"),
            "qty_shares": 2.5,
            "avg_cost_usd": 512.3456789,
            "price_usd": 1114.2,
            "price_source": "last",
            "value_usd": 2785.5,
            "weight_pct": 92.85,
        },
        {
            "symbol": "IAU",
            "con_id": con_id("IAU"),
            "qty_shares": 10,
            "avg_cost_usd": None,
            "price_usd": 41.5,
            "price_source": "delayed last",
            "value_usd": 415,
            "weight_pct": 13.8333333333,
        },
    ],
    "unmanaged": [
        {
            "symbol": "BUND 2.5",
            "sec_type": "BOND",
            "currency": "EUR",
            "qty": -1.5,
            "value": -990.25,
        },
        {"symbol": "SPY C500", "sec_type": "OPT", "currency": "USD", "qty": 2, "value": None},
    ],
    "warnings": ["careful"],
}


def test_the_whole_account_is_in_the_document() -> None:
    assert json.dumps(document(held(), with_prices=False), indent=1) == json.dumps(
        EXPECTED, indent=1
    )


def test_prices_are_added_for_every_symbol_where_they_are_wanted() -> None:
    expected = {**EXPECTED, "prices": {"GLD": 300, "IAU": 41.5, "SPY": 1114.2}}
    assert json.dumps(document(held(), with_prices=True), indent=1) == json.dumps(
        expected, indent=1
    )


def test_a_net_liq_that_the_broker_did_not_tell_is_null() -> None:
    made = document(replace(held(), broker_net_liq_usd=None), with_prices=False)
    assert made["broker_net_liq_usd"] is None
