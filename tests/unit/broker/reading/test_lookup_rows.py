"""F-118: contract details in the odd forms that gateways send them."""

from __future__ import annotations

import pytest
from ib_async.contract import Contract, ContractDetails

from src.base.settings import ContractChoice
from src.broker.reading.lookup_rows import choices, read_chosen, read_lookup


def row(
    con_id: int = 7,
    place: str = "ARCA",
    *,
    symbol: str = "EXUS",
    sec_type: str = "STK",
    currency: str = "USD",
) -> ContractDetails:
    contract = Contract(
        conId=con_id, symbol=symbol, secType=sec_type, currency=currency, primaryExchange=place
    )
    return ContractDetails(contract=contract, longName="A FUND")


def test_f118_rows_of_one_instrument_on_many_venues_are_one() -> None:
    assert read_lookup("EXUS", [row(), row(), row()]).listing is not None
    found = read_chosen("EXUS", 7, [row(), row()], [])
    assert found.listing is not None
    assert choices("EXUS", [row(), row(8), row()]) == (
        "EXUS = 7  ; ARCA, A FUND",
        "EXUS = 8  ; ARCA, A FUND",
    )


@pytest.mark.parametrize(
    ("place", "written"),
    [("NASDAQ", "ISLAND"), ("ISLAND", "NASDAQ"), ("ARCA", "NYSEARCA"), ("arca", "ARCA")],
)
def test_f118_an_exchange_has_several_names(place: str, written: str) -> None:
    rows = [row(7, place), row(8, "LSE")]
    found = read_lookup("EXUS", rows, ContractChoice(exchange=written))
    assert found.listing is not None
    assert found.listing.con_id == 7


def test_f118_two_on_the_chosen_exchange_are_still_ambiguous() -> None:
    found = read_lookup("EXUS", [row(7), row(8)], ContractChoice(exchange="ARCA"))
    assert found.listing is None
    assert len(found.choices) == 2


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (row(sec_type="FUND"), "not a stock or ETF but FUND"),
        (row(currency="EUR"), "trades in EUR, not in USD"),
        (row(symbol="SPY"), "another symbol, SPY"),
    ],
)
def test_f118_a_chosen_instrument_must_be_what_the_ticker_says(
    found: ContractDetails, words: str
) -> None:
    lookup = read_chosen("EXUS", 7, [found], [])
    assert lookup.listing is None
    assert words in lookup.problem
    assert "conId 7" in lookup.problem


def test_f118_another_id_than_asked_for_or_no_smart_routing_is_none() -> None:
    assert "another contract id" in read_chosen("EXUS", 7, [row(8)], []).problem
    assert "cannot be routed by SMART" in read_chosen("EXUS", 7, [], [row(7)]).problem
    routed = row(7)
    routed.validExchanges = "ARCA,SMART"
    assert read_chosen("EXUS", 7, [], [routed]).listing is not None


def test_f118_the_twin_of_a_ticker_is_listed_under_its_own_name() -> None:
    listing = read_chosen("EXUS#7", 7, [row()], []).listing
    assert listing is not None
    assert (listing.symbol, listing.con_id) == ("EXUS#7", 7)
    assert read_chosen("EXUS#7", 7, [], []).is_unknown


def test_f118_a_line_to_paste_fits_the_screen() -> None:
    long = row()
    long.longName = "A VERY LONG NAME " * 9
    (line,) = choices("EXUS", [long])
    assert len(line) <= 80
