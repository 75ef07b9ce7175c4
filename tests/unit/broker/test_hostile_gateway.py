"""F81: whatever bytes a gateway sends, the client neither breaks nor grows nor waits for ever."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal

import pytest
from ib_async.client import Client

from src.base.settings import IbkrSettings
from src.broker.client.guarded_client import GuardedClient
from src.broker.client.replies import AnswerDamaged
from src.broker.reading.ib_link import Link, silence_library_logs
from src.core.orders.events import BrokerEvent

FRAMES = 35_000
SETTINGS = IbkrSettings(account_id="DU1234567", connect_timeout_sec=Decimal(1))
WORDS = ("", "0", "-1", "1", "2", "nan", "inf", "1.7976931348623157E308", "2147483647", "x", "DU1")
IDS = [*range(112), 199, 2**40]


def _ready_link() -> Link:
    """A link that has logged in, without a socket."""
    silence_library_logs()
    link = Link(SETTINGS)
    link.client.connState = Client.CONNECTING
    _feed(link.client, _frame("178", "20250131 12:00:00 UTC"))
    _feed(link.client, _frame("15", "1", "DU1234567"), _frame("9", "1", "1"))
    return link


def _frame(*fields: str) -> bytes:
    body = "".join(f"{field}\0" for field in fields).encode()
    return len(body).to_bytes(4, "big") + body


def _feed(client: GuardedClient, *frames: bytes) -> None:
    client._onSocketHasData(b"".join(frames))


def _random_frames(seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)  # noqa: S311 - reproducible
    for _ in range(count):
        fields = [str(chance.choice(IDS)), *chance.choices(WORDS, k=chance.randrange(40))]
        yield _frame(*fields)


@pytest.mark.parametrize("seed", range(3))
def test_random_messages_change_nothing_but_evidence(seed: int) -> None:
    async def main() -> None:
        link = _ready_link()
        events: list[BrokerEvent] = []
        link.listener.evidence = events.append
        for frame in _random_frames(seed, FRAMES):
            _feed(link.client, frame)
            if not link.client.isReady():
                link = _ready_link()
                link.listener.evidence = events.append
        assert len(events) > FRAMES / 2000  # some frames do mean something
        assert all(type(event).__name__.endswith("Seen") for event in events)

    asyncio.run(main())


def test_a_kind_of_message_that_does_not_exist_spoils_no_snapshot() -> None:
    async def spoilt_by(*frames: bytes) -> str:
        link = _ready_link()
        _feed(link.client, *frames)
        return link.listener.books[SETTINGS.account_id].unreadable

    unknown = (_frame("200", "1", "mystery"), _frame("107"))
    assert asyncio.run(spoilt_by(*unknown)) == ""
    damaged = _frame("61", "3", "DU1234567", "what")
    assert asyncio.run(spoilt_by(*unknown, damaged)) == "position"


def test_a_message_without_a_number_may_have_been_a_row_of_any_answer() -> None:
    """It took the place of contract details: the symbol was called unknown, exit 2."""

    async def ends_by(frame: bytes) -> BaseException | None:
        link = _ready_link()
        reply = link.listener.replies.open(link.new_request_id())
        _feed(link.client, frame)
        return reply.done.exception() if reply.done.done() else None

    assert asyncio.run(ends_by(_frame("200", "1", "mystery"))) is None
    assert isinstance(asyncio.run(ends_by(_frame("\x17-S", "1", "2"))), AnswerDamaged)


def test_noise_ends_the_connection_with_a_reason() -> None:
    async def main() -> None:
        chance = random.Random(7)  # noqa: S311 - reproducible
        for _ in range(500):
            link = _ready_link()
            _feed(link.client, chance.randbytes(chance.randrange(1, 400)))
            _feed(link.client, b"\xff\xff\xff\xff")
            assert link.client.fault or link.client.isReady()

    asyncio.run(main())


def test_memory_stays_bounded_under_a_flood() -> None:
    async def main() -> int:
        link = _ready_link()
        chunk = _frame("6", "2", "Key", "1", "USD", "DU1234567") * 100
        tracemalloc.start()
        try:
            for number in range(300):
                _feed(link.client, chunk, _frame("6", "2", f"K{number}", "1", "USD", "DU1234567"))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert asyncio.run(main()) < 5_000_000


def test_a_message_of_a_million_fields_is_taken_in_stride() -> None:
    async def main() -> str:
        link = _ready_link()
        _feed(link.client, _frame("61", *["1"] * 1_000_000))
        return link.listener.books[SETTINGS.account_id].unreadable

    assert asyncio.run(main()) == "position"
