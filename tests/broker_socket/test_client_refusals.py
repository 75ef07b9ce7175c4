"""F125: every question ends by our own deadline, and its error tells what the broker said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from src.base.errors import BrokerLost
from src.base.settings import PricingSettings
from src.broker.ibkr_client import IbkrSession, connect
from src.simulator.scenario.records import Scenario, WireFaults
from tests.kits.client_kit import gateway, limited, settings_for, talk, with_wire
from tests.kits.exchange_kit import scenario

Ask = Callable[[IbkrSession], Awaitable[object]]
NEVER_END_A_LIBRARY_CALL = (105, 165, 321, 329, 399, 404, 434, 492, 10167, 2103, 2151, 2157)
LOGIN_SEC = "2"
PATIENCE_SEC = 0.3
LIMIT_SEC = 4.0
LISTS: dict[str, Ask] = {
    "ReqExecutions": lambda session: session.fetch_fills(),
    "ReqContractDetails": lambda session: session.known_symbols(["SPY"]),
    "ReqAllOpenOrders": lambda session: session.fetch_working_orders(),
    "ReqCompletedOrders": lambda session: session.fetch_completed_orders(),
}
DOWNLOADS = {
    ("ReqPositions",): "positions",
    ("ReqAccountUpdates", "ReqAccountUpdatesMulti"): "account values",
}
"""The first questions of a start, with those that would stand in for them."""


async def _ended(setting: Scenario, ask: Ask) -> object:
    """What the question came to, within the limit: an answer or the error."""
    async with gateway(setting) as server:
        settings = settings_for(server.port, timeout=LOGIN_SEC)
        try:
            async with connect(settings.ibkr) as session:
                session._connection.link.timeout_sec = PATIENCE_SEC
                return await asyncio.wait_for(ask(session), LIMIT_SEC)
        except BrokerLost as error:
            return str(error)


def _all_ends(names: str | tuple[str, ...], ask: Ask) -> dict[int, object]:
    """The same question at as many gateways as there are codes, each answering with one."""
    asked = (names,) if isinstance(names, str) else names

    async def main() -> dict[int, object]:
        settings = [
            scenario(wire=WireFaults(answered_with=dict.fromkeys(asked, code)))
            for code in NEVER_END_A_LIBRARY_CALL
        ]
        ends = await asyncio.gather(*(_ended(setting, ask) for setting in settings))
        return dict(zip(NEVER_END_A_LIBRARY_CALL, ends, strict=True))

    return limited(main())


@pytest.mark.parametrize("name", LISTS)
def test_f125_a_list_ends_and_its_error_tells_the_code(name: str) -> None:
    ends = _all_ends(name, LISTS[name])
    if name in ("ReqAllOpenOrders", "ReqCompletedOrders"):
        assert ends.pop(321) is None, "the read-only API refuses so"
    assert {code: end for code, end in ends.items() if f"{code}: The sim" not in str(end)} == {}


@pytest.mark.parametrize("names", DOWNLOADS)
def test_f125_the_first_download_ends_and_its_error_tells_the_code(names: tuple[str, ...]) -> None:
    ends = _all_ends(names, lambda session: session.fetch_snapshot())
    words = f"did not send {DOWNLOADS[names]} in full"
    assert {code: end for code, end in ends.items() if words not in str(end)} == {}
    assert {code: end for code, end in ends.items() if f"{code}: The sim" not in str(end)} == {}


def test_f125_a_later_reading_without_positions_tells_2151() -> None:
    async def work(session: IbkrSession) -> None:
        listener = session._connection.link.listener
        session._connection.link.client.reqPositions = lambda: listener.error(  # type: ignore[method-assign]
            -1, 2151, "Positions info is not available yet", ""
        )
        await session.fetch_snapshot(fresh=True)

    with pytest.raises(BrokerLost, match=r"positions \(it said meanwhile: 2151: Positions info"):
        talk(scenario(), work, timeout="0.4")


def test_f125_quotes_end_and_tell_the_code() -> None:
    pricing = PricingSettings(price_timeout_sec=Decimal("0.4"))
    ends = _all_ends("ReqMktData", lambda session: session.fetch_quotes(["SPY"], pricing))
    assert {code: end for code, end in ends.items() if f"{code}: The sim" not in str(end)} == {}


def test_f125_a_refused_clock_or_search_is_no_obstacle(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clocks = _all_ends("ReqCurrentTime", lambda session: session.fetch_clock_offset())
    assert set(clocks.values()) == {timedelta(0)}
    found = _all_ends("ReqMatchingSymbols", lambda session: session.known_symbols(["NOPE"]))
    assert all("not known to the broker" in str(one) for one in found.values())
    assert "321: The sim" in caplog.text


def test_f125_executions_without_their_end_are_told_as_such() -> None:
    setting = with_wire(scenario(), silent_messages=("ExecDetailsEnd",))
    with pytest.raises(BrokerLost, match=r"did not answer within 0.4 s: executions; look at"):
        talk(setting, lambda session: session.fetch_fills(), timeout="0.4")


def test_f125_rows_without_the_end_of_their_list_are_counted() -> None:
    setting = with_wire(scenario(), silent_messages=("ContractDetailsEnd",))
    with pytest.raises(BrokerLost, match=r"details of SPY \(1 row came, but not the end\)"):
        talk(setting, lambda session: session.known_symbols(["SPY"]), timeout="0.4")
