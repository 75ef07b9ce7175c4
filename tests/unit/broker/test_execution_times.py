"""F87: an execution is never lost because of its time, and its time is never this computer's."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from ib_async.client import Client

from src.base.settings import IbkrSettings
from src.broker.client.listener import CURRENT_TIME
from src.broker.reading.ib_link import Link, silence_library_logs
from src.core.orders.events import FillSeen
from src.core.records.orders import Fill
from tests.kits.host_zone import HOST_ZONES, host_zone
from tests.unit.broker.test_hostile_gateway import _feed, _frame

MOMENT = datetime(2026, 11, 27, 15, 30, tzinfo=timezone.utc)
TOLD = "20260415 18:18:59 Central European Standard Time"
SETTINGS = IbkrSettings(account_id="DU1234567", connect_timeout_sec=Decimal(1))
_CONTRACT = ("756733", "SPY", "STK", "", "0", "?", "", "IEX", "USD", "SPY", "SPY")


def execution(time: str) -> bytes:
    amounts = ("BOT", "10", "599.5", "1732500001", "42", "0", "10", "599.5", "IBR-x", "", "", "")
    head = ("11", "-1", "7", *_CONTRACT, "0000e0d5.67f01000.01.01", time, "DU1234567", "IEX")
    return _frame(*head, *amounts, "2", "0")


def logged_in(greeting: str) -> Link:
    """A link that has logged in, without a socket."""
    silence_library_logs()
    link = Link(SETTINGS)
    link.client.connState = Client.CONNECTING
    _feed(link.client, _frame("178", greeting))
    _feed(link.client, _frame("15", "1", "DU1234567"), _frame("9", "1", "1"))
    return link


def fills_heard(time: str, greeting: str) -> list[Fill]:
    async def main() -> list[Fill]:
        link = logged_in(greeting)
        heard: list[Fill] = []
        link.listener.evidence = lambda event: (
            heard.append(event.fill) if isinstance(event, FillSeen) else None
        )
        _feed(link.client, execution(time))
        assert link.listener.books[SETTINGS.account_id].unreadable == ""
        return heard

    return asyncio.run(main())


@pytest.mark.parametrize("host", HOST_ZONES)
@pytest.mark.parametrize(
    ("time", "greeting", "expected"),
    [
        ("20261127 10:30:00 US/Eastern", TOLD, MOMENT),
        ("20261127-15:30:00", TOLD, MOMENT),
        ("20261127 16:30:00 Central European Standard Time", "20260415 18:18:59", MOMENT),
        ("20261127 16:30:00", TOLD, MOMENT),
        ("20261127  16:30:00", TOLD, MOMENT),
        ("20261127 16:30:00", "20260415 18:18:59", None),
        ("20261127 16:30:00", "20260415 18:18:59 Nowhere Standard Time", None),
        ("20261127 16:30:00 Mars/Olympus", TOLD, None),
        ("20261127 16:30:00 Two Words", TOLD, None),
        ("soon", TOLD, None),
        ("", "", None),
    ],
)
def test_an_execution_keeps_its_moment_or_its_doubt(
    time: str, greeting: str, expected: datetime | None, host: str
) -> None:
    with host_zone(host):
        (fill,) = fills_heard(time, greeting)
    assert (fill.exec_id, fill.qty_shares) == ("0000e0d5.67f01000.01.01", Decimal(10))
    assert fill.at_utc == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [("1795793400", MOMENT), ("0", None), ("99999999999999", None), ("1795793400000", None)],
)
def test_a_gateway_that_tells_an_absurd_time_tells_none(
    seconds: str, expected: datetime | None
) -> None:
    async def main() -> list[datetime]:
        link = logged_in(TOLD)
        answer = link.listener.replies.open(CURRENT_TIME)
        _feed(link.client, _frame("49", "1", seconds))
        return answer.rows if answer.done.done() else []

    assert asyncio.run(main()) == ([expected] if expected else [])
