"""Tickers are shown with what they are where they could be mistaken."""

from __future__ import annotations

from dataclasses import replace

from src.core.names import instrument_table, money_lookalikes
from src.core.records import SymbolLookup
from tests.builders import listing

CHIPS = replace(
    listing("USD"), con_id=12, long_name="PROSHARES ULTRA SEMICONDUCTORS", primary_exchange="ARCA"
)


def test_a_ticker_that_reads_like_money_is_named_for_what_it_is() -> None:
    lookups = {
        "USD": SymbolLookup(symbol="USD", listing=CHIPS),
        "SPY": SymbolLookup(symbol="SPY", listing=listing("SPY")),
        "EUR": SymbolLookup(symbol="EUR", listing=None, is_unknown=True),
    }
    (warning,) = money_lookalikes(("EUR", "SPY", "USD", "GBP"), lookups)
    assert "USD: PROSHARES ULTRA SEMICONDUCTORS, ARCA" in warning
    assert warning.endswith("cash is written CASH")


def test_instruments_stand_in_columns_sorted_by_symbol() -> None:
    spy = replace(listing("SPY"), con_id=7, long_name="", primary_exchange="")
    assert instrument_table([CHIPS, spy]) == [
        "symbol  name                            exchange  conId",
        "SPY     -                               -         7",
        "USD     PROSHARES ULTRA SEMICONDUCTORS  ARCA      12",
    ]
