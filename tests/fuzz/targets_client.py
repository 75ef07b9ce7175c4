"""A hostile gateway against the client path: bytes in, evidence out, and nothing else happens."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

from ib_async.client import Client

from src.base.errors import Refused
from src.base.settings import IbkrSettings
from src.broker.client.account_book import disagreement, read_snapshot, refuse_unreadable
from src.broker.reading.ib_link import Link, silence_library_logs
from src.broker.reading.quote_line import QuoteLine
from src.core.orders.events import BrokerEvent, CommissionSeen, FillSeen, OpenOrderSeen, StatusSeen
from src.core.records.market import QuoteStage
from tests.fuzz.frames import framed, payload_of, recorded_talk, spoilt_frame
from tests.kits.builders import NOON_UTC

FRAMES: Final = 50
"""Frames fed to one connection; the talk may end earlier."""

_SETTINGS: Final = IbkrSettings(account_id="DU1234567", connect_timeout_sec=Decimal(1))
_QUESTIONS: Final = ("positions", "accountValues", "open orders", "completed orders", 1_000_000_001)


def fuzz_client(chance: Random, _home: Path) -> str:
    """One connection that gets damaged frames among good ones; how it ended, in a word."""
    _, said = recorded_talk()
    return asyncio.run(_feed_connection(chance, said))


async def _feed_connection(chance: Random, said: tuple[bytes, ...]) -> str:
    silence_library_logs()
    link = Link(_SETTINGS)
    events: list[BrokerEvent] = []
    link.listener.evidence = events.append
    link.client.connState = Client.CONNECTING
    if chance.random() < 0.9:
        _log_in(link)
    lines = _open_quotes(link, said)
    for question in _QUESTIONS:
        link.listener.replies.open(question).done.add_done_callback(_look_at)
    for _ in range(FRAMES):
        link.client._onSocketHasData(spoilt_frame(chance, chance.choice(said)))
        if link.client.connState == Client.DISCONNECTED:
            break
    for event in events:
        _check_event(event)
    _check_quotes(lines)
    _check_account(link)
    ended = link.client.connState == Client.DISCONNECTED
    _check_words(link.client.fault)
    link.listener.replies.fail_all(ConnectionError("over"))
    link.close()
    await asyncio.sleep(0)
    return "ended" if ended else "went on"


def _log_in(link: Link) -> None:
    for fields in (
        ["178", "20250131 12:00:00 UTC"],
        ["15", "1", "DU1234567"],
        ["9", "1", "1"],
    ):
        link.client._onSocketHasData(framed(payload_of(fields)))
    assert link.client.isReady()


def _open_quotes(link: Link, said: tuple[bytes, ...]) -> list[QuoteLine]:
    """A quote for every request id that the recorded ticks carry."""
    ticks = [one.split(b"\0") for one in said if one.startswith((b"1\0", b"58\0"))]
    ids = {int(fields[2]) for fields in ticks if fields[2].isdigit()}
    for req_id in sorted(ids):
        link.listener.quotes[req_id] = QuoteLine("AAA", QuoteStage.LIVE, "last")
    return [one for one in link.listener.quotes.values() if isinstance(one, QuoteLine)]


def _look_at(done: asyncio.Future[None]) -> None:
    """Somebody waits for the answer."""
    if not done.cancelled():
        done.exception()


def _check_event(event: BrokerEvent) -> None:
    """I17, I18: what reaches the orders is a figure to book and a text to print."""
    figures: list[Decimal | None] = []
    texts: list[str] = []
    if isinstance(event, FillSeen):
        figures = [event.fill.qty_shares, event.fill.price_usd, event.fill.commission_usd]
        texts = [event.fill.symbol, event.fill.order_ref, event.fill.exec_id]
        assert event.fill.qty_shares >= 0
    elif isinstance(event, StatusSeen):
        figures = [event.filled_shares]
        texts = [event.status, event.why_held]
    elif isinstance(event, OpenOrderSeen):
        figures = [event.order.qty_shares]
        texts = [event.order.symbol, event.order.order_ref, event.order.status]
    elif isinstance(event, CommissionSeen):
        figures, texts = [event.commission_usd], [event.exec_id]
    assert all(one is None or one.is_finite() for one in figures), event
    assert all(one.isprintable() for one in texts), event


def _check_quotes(lines: list[QuoteLine]) -> None:
    for line in lines:
        quote = line.quote()
        prices = (quote.last_usd, quote.bid_usd, quote.ask_usd, quote.close_usd)
        assert all(one is None or (one.is_finite() and one > 0) for one in prices), quote


def _check_words(text: str) -> None:
    assert text.isprintable(), text


def _check_account(link: Link) -> None:
    """The account can be believed, or is refused with a reason."""
    book = link.listener.books[_SETTINGS.account_id]
    try:
        refuse_unreadable(book)
        disagreement(book)
        snapshot = read_snapshot(book, NOON_UTC)
    except Refused as error:
        _check_words(str(error))
        return
    assert snapshot.cash_usd.is_finite()
    assert all(one.qty_shares.is_finite() and one.qty_shares >= 0 for one in snapshot.positions)
