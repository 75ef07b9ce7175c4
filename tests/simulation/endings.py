"""What is noted while a world goes on: how a process ended, and orders as they arrived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from src.core.journal.events import JournalEvent
from src.simulator.gateway.wire_log import WireRecord
from src.simulator.messages.requests import PlaceOrder
from tests.simulation.script import Invocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one start of the program ended; ``code`` None: killed, -1: it never ended."""

    number: int
    invocation: Invocation
    run_id: str
    code: int | None
    ended_utc: datetime
    spent_sec: float
    out: str
    err: str
    error: str
    bug: BaseException | None
    records: tuple[WireRecord, ...]
    events: tuple[JournalEvent, ...]
    still_open: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """An order as the exchange got it, and what was true at that moment."""

    request: PlaceOrder
    was_on_record: bool
    held_shares: Mapping[int, Decimal]
    was_open: bool
