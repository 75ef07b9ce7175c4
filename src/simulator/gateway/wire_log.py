"""The record of what clients sent: kept in memory, and appended to a file when one is given.

A record is written and flushed before the request is handled, so it is there even if the sender
or this process dies over it.
"""

import json
from collections import deque
from datetime import datetime
from typing import NamedTuple, TextIO

from src.simulator.messages.market import TickSnapshotEnd
from src.simulator.messages.requests import CancelMktData, ReqMktData, Request
from src.simulator.messages.responses import ErrorMessage, Response

MAX_RECORDS = 200_000
MAX_CHARS = 64 * 1024 * 1024
WINDOW_SEC = 1.0
# errors that end or never start a quote subscription
_ENDS_QUOTES = frozenset({101, 200, 300, 320, 321, 322, 354, 10089, 10168, 10189, 10197})


class WireRecord(NamedTuple):
    """One message received after the handshake; ``client_id`` is -1 before startApi."""

    at_utc: datetime
    client_id: int
    message_id: int
    name: str
    fields: tuple[str, ...]


class WireLog:
    """All records, and the peaks of message rate and of open market data lines."""

    def __init__(self, file: TextIO | None = None) -> None:
        self.records: list[WireRecord] = []
        self.max_messages_per_sec = 0
        self.max_market_data_lines = 0
        self._file = file
        self._chars = 0
        self._lines: set[tuple[int, int]] = set()

    def add(self, record: WireRecord) -> None:
        """Write a record to the file at once, and keep it: of too many, the newer half."""
        self.records.append(record)
        self._chars += _size(record)
        if len(self.records) > MAX_RECORDS or self._chars > MAX_CHARS:
            del self.records[: (len(self.records) + 1) // 2]
            self._chars = sum(map(_size, self.records))
        if self._file is not None:
            self._file.write(_as_json(record) + "\n")
            self._file.flush()

    def note_rate(self, count: int) -> None:
        """A connection has sent ``count`` messages within one second."""
        self.max_messages_per_sec = max(self.max_messages_per_sec, count)

    def note_request(self, client_id: int, request: Request) -> None:
        """Follow which quote subscriptions a client opens and ends."""
        if isinstance(request, ReqMktData):
            self._lines.add((client_id, request.req_id))
            self.max_market_data_lines = max(self.max_market_data_lines, len(self._lines))
        elif isinstance(request, CancelMktData):
            self._lines.discard((client_id, request.req_id))

    def note_response(self, client_id: int, response: Response) -> None:
        """A snapshot's end or an error also ends a subscription."""
        if isinstance(response, TickSnapshotEnd):
            self._lines.discard((client_id, response.req_id))
        elif isinstance(response, ErrorMessage) and response.code in _ENDS_QUOTES:
            self._lines.discard((client_id, response.id))

    def note_disconnect(self, client_id: int) -> None:
        """All subscriptions of a client end with its connection."""
        self._lines = {line for line in self._lines if line[0] != client_id}


class RateWindow:
    """How many messages one connection sent within the last second."""

    def __init__(self) -> None:
        self._at_sec: deque[float] = deque()

    def count(self, at_sec: float) -> int:
        """Add a message received at ``at_sec``; the number within the second that ends there."""
        self._at_sec.append(at_sec)
        while at_sec - self._at_sec[0] >= WINDOW_SEC:
            self._at_sec.popleft()
        return len(self._at_sec)


def _size(record: WireRecord) -> int:
    return sum(map(len, record.fields))


def _as_json(record: WireRecord) -> str:
    return json.dumps(
        {
            "at_utc": record.at_utc.isoformat(),
            "client_id": record.client_id,
            "message_id": record.message_id,
            "name": record.name,
            "fields": list(record.fields),
        }
    )
