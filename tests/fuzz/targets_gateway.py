"""A hostile client against the simulated gateway: its session and exchange, without a socket."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from src.simulator.exchange import Exchange
from src.simulator.gateway.session import Hello, Incoming, Session
from src.simulator.messages.requests import StartApi
from src.simulator.messages.tables import Refusal
from src.simulator.messages.wire import RemoteProtocolError
from src.simulator.outbox.delivery import Delivery
from src.simulator.scenario.records import Scenario, load_scenario
from tests.fuzz.frames import framed, payload_of, recorded_talk, spoilt_frame
from tests.fuzz.mutate import spoil

FRAMES: Final = 50
"""Frames sent by one client; the talk may end earlier."""

_START: Final = datetime(2025, 7, 2, 15, 0, tzinfo=timezone.utc)
_HELLO: Final = b"API\0" + framed(b"v157..178")
_MOST_DELIVERIES: Final = 20_000


@cache
def _sample() -> Scenario:
    return load_scenario()


def fuzz_gateway(chance: Random, _home: Path) -> str:
    """One client that sends damaged requests among good ones; how it ended, in a word."""
    exchange, session = Exchange(_sample(), _START), Session()
    asked, _ = recorded_talk()
    hello = _HELLO if chance.random() < 0.9 else spoil(chance, _HELLO)
    start = framed(payload_of(["71", "2", "42", ""]))
    frames = [hello, start, *(_request(chance, asked) for _ in range(FRAMES))]
    told = 0
    for number, data in enumerate(frames):
        session.receive_data(data)
        try:
            told += _serve(session, exchange, _START + timedelta(seconds=number * 0.2))
        except RemoteProtocolError:
            return "ended"
        assert told < _MOST_DELIVERIES
    for delivery in exchange.advance(_START + timedelta(minutes=5)):
        session.send(delivery.message)
    return "went on"


def _request(chance: Random, asked: tuple[bytes, ...]) -> bytes:
    payload = chance.choice(asked)
    return framed(payload) if chance.random() < 0.3 else spoilt_frame(chance, payload)


def _serve(session: Session, exchange: Exchange, at_utc: datetime) -> int:
    """Everything that is complete, answered; how many messages went out."""
    told = 0
    while (message := session.next_message()) is not None:
        if isinstance(message, Hello):
            assert session.hello(at_utc)
            continue
        for delivery in _answer(exchange, message, at_utc):
            assert session.send(delivery.message)
            told += 1
    return told


def _answer(exchange: Exchange, message: Incoming, at_utc: datetime) -> list[Delivery]:
    content = message.content
    if content is None:
        return []
    if isinstance(content, Refusal):
        return [Delivery(client_id=42, message=reply) for reply in content.replies]
    if isinstance(content, StartApi):
        is_free = not exchange.is_client_id_in_use(42)
        return exchange.connect(42, at_utc) if is_free else []
    return exchange.handle(42, content, at_utc) if exchange.is_client_id_in_use(42) else []
