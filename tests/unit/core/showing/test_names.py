"""Tickers are shown with what they are where they could be mistaken."""

from __future__ import annotations

from dataclasses import replace

from src.core.records.market import SymbolLookup
from src.core.showing.names import instrument_table, money_lookalikes, money_words
from tests.kits.builders import listing

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


def test_a_table_with_long_names_fits_the_screen() -> None:
    named = replace(CHIPS, symbol="BRK B", long_name="A VERY LONG NAME " * 8, con_id=123456789)
    rows = instrument_table([named, CHIPS])
    assert max(map(len, rows)) <= 80
    assert "...  ARCA      123456789" in rows[1]
    assert "PROSHARES ULTRA SEMICONDUCTORS" in rows[2]


def test_money_in_other_words_is_told_without_a_look_up_too() -> None:
    (warning,) = money_words(("SPY", "USD CASH"))
    assert warning.startswith("USD CASH reads like money")
    assert warning.endswith("cash is written CASH")
