"""F-118 and F-115: the broker's spelling of a share class; tickers that read like money."""

from __future__ import annotations

import pytest

from src.core.showing.spelling import (
    is_same_class,
    other_spellings,
    reads_like_money,
    root_of,
    ticker_of,
    twin_con_id,
    twin_name,
)


@pytest.mark.parametrize(
    ("symbol", "root", "expected"),
    [
        ("BRK.B", "BRK", "BRK B"),
        ("BRK-B", "BRK", "BRK B"),
        ("BF.B", "BF", "BF B"),
        ("BRK  B", "BRK", "BRK B"),
        ("BRK/B", "BRK", "BRK B"),
        ("BAC-L", "BAC", "BAC PRL"),
        ("BAC-PL", "BAC", "BAC PRL"),
        ("BAC.PR.L", "BAC", "BAC PRL"),
        ("BAC-PRL", "BAC", "BAC PRL"),
        ("BAC PR L", "BAC", "BAC PRL"),
        ("BAC^L", "BAC", "BAC PRL"),
    ],
)
def test_f118_the_brokers_spelling_of_a_share_class_is_among_those_tried(
    symbol: str, root: str, expected: str
) -> None:
    assert expected in other_spellings(symbol)
    assert symbol not in other_spellings(symbol)
    assert root_of(symbol) == root
    assert is_same_class(symbol, expected)


@pytest.mark.parametrize("symbol", ["SPY", "A", "P", "PR", "BRKB"])
def test_f118_a_plain_ticker_has_no_other_spelling(symbol: str) -> None:
    assert other_spellings(symbol) == ()
    assert is_same_class(symbol, symbol)


@pytest.mark.parametrize("other", ["BRK A", "BRK", "BRKB", "BF B"])
def test_f118_another_class_is_not_the_same(other: str) -> None:
    assert not is_same_class("BRK.B", other)


@pytest.mark.parametrize(
    "symbol",
    [
        *("USD", "EUR", "CAD", "GBP", "CHF", "MONEY", "BARGELD", "LIQUIDITY", "US CASH"),
        *("CASH USD", "USD CASH", "USD.CASH", "CASH-EUR", "CASHUSD", "USDCASH", "CASH BALANCE"),
    ],
)
def test_money_in_other_words_is_recognised(symbol: str) -> None:
    assert reads_like_money(symbol)


@pytest.mark.parametrize("symbol", ["SPY", "ALL", "BND", "AMD", "CASHX", "MON", "USDU", "CALF"])
def test_a_plain_ticker_does_not_read_like_money(symbol: str) -> None:
    assert not reads_like_money(symbol)


def test_f118_a_twin_is_named_with_its_id_and_keeps_its_ticker() -> None:
    name = twin_name("BRK B", 12345678)
    assert name == "BRK B#12345678"
    assert (ticker_of(name), twin_con_id(name)) == ("BRK B", 12345678)


@pytest.mark.parametrize("symbol", ["SPY", "", "#1", "A#", "A#B", "A#-1", "A#12345678901"])
def test_f118_nothing_else_is_a_twin(symbol: str) -> None:
    assert (ticker_of(symbol), twin_con_id(symbol)) == (symbol, 0)
