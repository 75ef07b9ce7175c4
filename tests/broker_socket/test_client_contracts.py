"""F36 to F38: a symbol is one known USD stock or ETF, or what was found instead is named."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import BrokerLost
from src.broker.ibkr_client import IbkrSession
from src.core.records.market import SymbolLookup
from src.simulator.scenario.records import ContractSetup, Scenario
from tests.kits.client_kit import gateway_of, sent, talk, with_wire
from tests.kits.exchange_kit import SAMPLE_CONTRACTS, SPY, account, scenario

TWIN = replace(SPY, con_id=91, primary_exchange="NYSE", long_name="ANOTHER SPY")
STOCK = ContractSetup(
    con_id=92, symbol="MSFT", price=Decimal(400), stock_type="COMMON", long_name="MICROSOFT CORP"
)


def _look_up(setting: Scenario, *symbols: str) -> Mapping[str, SymbolLookup]:
    return talk(setting, lambda session: session.known_symbols(symbols))


def test_known_symbols_come_with_listing_and_sessions() -> None:
    found = _look_up(scenario(), "SPY", "IAU")
    listing = found["SPY"].listing
    assert listing is not None
    assert (listing.con_id, listing.symbol, listing.stock_type) == (1, "SPY", "ETF")
    assert listing.primary_exchange == "ARCA"
    assert listing.regular_sessions
    assert listing.extended_sessions[0].opens_utc < listing.regular_sessions[0].opens_utc


def test_an_unknown_symbol_is_named_with_candidates() -> None:
    found = _look_up(scenario(), "SP", "IAU")
    assert found["IAU"].listing is not None
    assert found["SP"].listing is None
    assert "not known to the broker" in found["SP"].problem
    assert any(candidate.startswith("SPY") for candidate in found["SP"].candidates)


def test_a_symbol_of_two_instruments_is_ambiguous_and_none_is_taken() -> None:
    setting = scenario(accounts=(account(positions=()),), contracts=(*SAMPLE_CONTRACTS, TWIN))
    found = _look_up(setting, "SPY")["SPY"]
    assert found.listing is None
    assert "several instruments" in found.problem
    assert len(found.candidates) == 2


CLASS_B = replace(
    STOCK,
    con_id=93,
    symbol="BRK B",
    long_name="BERKSHIRE HATHAWAY INC-CL B",
    primary_exchange="NYSE",
)
PREFERRED = replace(STOCK, con_id=94, symbol="BAC PRL", long_name="BAC 7 1/4 PERP")
CLASSES = scenario(contracts=(*SAMPLE_CONTRACTS, CLASS_B, PREFERRED))


@pytest.mark.parametrize(
    ("written", "spelled"),
    [("BRK.B", "BRK B"), ("BRK-B", "BRK B"), ("BAC-L", "BAC PRL"), ("BAC.PR.L", "BAC PRL")],
)
def test_f118_a_share_class_comes_with_the_brokers_spelling(written: str, spelled: str) -> None:
    found = _look_up(CLASSES, written)[written]
    assert found.listing is None
    assert [text.partition(" (")[0] for text in found.spelled] == [spelled]


def test_f118_a_class_that_only_the_search_of_its_root_finds_is_named() -> None:
    stranger = replace(CLASS_B, symbol="BRK.B.", local_symbol="BRKB")
    found = _look_up(scenario(contracts=(*SAMPLE_CONTRACTS, stranger)), "BRK-B")["BRK-B"]
    assert found.spelled == ("BRK.B. STK USD NYSE",)


def test_f118_the_brokers_own_spelling_is_a_listing() -> None:
    listing = _look_up(CLASSES, "BRK B")["BRK B"].listing
    assert listing is not None
    assert listing.con_id == 93


def test_f118_no_answer_to_the_other_spellings_is_no_harm() -> None:
    async def work(session: IbkrSession) -> Mapping[str, SymbolLookup]:
        return await session.known_symbols(["BRK.B", "SPY"])

    setting = with_wire(scenario(), silent_messages=("SymbolSamples",))
    found = talk(setting, work, timeout="0.4")
    assert found["SPY"].listing is not None
    assert found["BRK.B"].is_unknown


def test_a_symbol_known_in_another_currency_only_is_unknown() -> None:
    assert _look_up(scenario(), "XIU")["XIU"].listing is None


def test_a_common_stock_is_found_and_says_what_it_is() -> None:
    found = _look_up(scenario(contracts=(*SAMPLE_CONTRACTS, STOCK)), "MSFT")["MSFT"]
    assert found.listing is not None
    assert found.listing.stock_type == "COMMON"


def test_a_symbol_is_asked_once_per_session() -> None:
    async def work(session: IbkrSession) -> list[str]:
        await session.known_symbols(["SPY", "IAU"])
        await session.known_symbols(["SPY"])
        return sent(gateway_of(session))

    assert talk(scenario(), work).count("ReqContractDetails") == 2


@pytest.mark.parametrize("missing", ["ContractDetailsEnd", "ContractDetails"])
def test_details_that_never_end_are_a_loss(missing: str) -> None:
    async def work(session: IbkrSession) -> object:
        return await session.known_symbols(["SPY"])

    setting = with_wire(scenario(), silent_messages=(missing,))
    if missing == "ContractDetails":
        assert "not known" in talk(setting, work, timeout="0.4")["SPY"].problem  # type: ignore[index]
        return
    with pytest.raises(BrokerLost, match="contract details of SPY"):
        talk(setting, work, timeout="0.4")


def test_details_for_another_request_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(session: IbkrSession) -> object:
        listener = session._connection.link.listener
        original = listener.contractDetailsEnd
        monkeypatch.setattr(listener, "contractDetailsEnd", lambda number: original(number + 1))
        return await session.known_symbols(["SPY"])

    with pytest.raises(BrokerLost, match="contract details of SPY"):
        talk(scenario(), work, timeout="0.4")


def test_many_unknown_symbols_stay_within_the_search_limit() -> None:
    async def work(session: IbkrSession) -> list[str]:
        started = time.monotonic()
        found = await session.known_symbols([f"NO{letter}" for letter in "ABC"])
        assert all(one.listing is None for one in found.values())
        assert time.monotonic() - started < 4
        return sent(gateway_of(session))

    assert talk(scenario(), work).count("ReqMatchingSymbols") == 3
