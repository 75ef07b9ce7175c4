"""The quotes open at the broker at one time: never too many, cancelled only to make room.

The broker counts open quotes, snapshots included, against a limit that it shares with the windows
of TWS. A cancel is a message like any other and slows down what follows, so a line that has done
its work stays open until its place is needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from src.broker.reading.quote_line import LineState, QuoteLine
from src.broker.wire.pacing import MAX_OPEN_LINES
from src.core.records.market import QuoteStage

if TYPE_CHECKING:
    from ib_async.contract import Contract

    from src.broker.reading.ib_link import Link

_LIVE: Final = 1
_DELAYED: Final = 3


class QuoteLines:
    """Opens and closes lines of one connection."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._open: dict[int, QuoteLine] = {}
        self._limit = MAX_OPEN_LINES
        self._wanted_kind = _LIVE
        self._room = asyncio.Event()

    async def open(self, line: QuoteLine, contract: Contract) -> None:
        """Ask for quotes as soon as there is room; returns when the request has left.

        Raises: ConnectionError.
        """
        while not self._make_room():
            self._room.clear()
            await self._room.wait()
        request_id = self._link.new_request_id()
        self._open[request_id] = line
        self._link.listener.quotes[request_id] = line
        client = self._link.client
        kind = _DELAYED if line.stage is QuoteStage.DELAYED else _LIVE
        if kind != self._wanted_kind:
            self._wanted_kind = kind
            client.reqMarketDataType(kind)
        is_snapshot = line.stage is QuoteStage.SNAPSHOT
        client.reqMktData(request_id, contract, "", is_snapshot, False, [])  # noqa: FBT003
        await client.left()

    def settled(self, line: QuoteLine) -> None:
        """Nobody waits for this line any more; its place may be given away."""
        if line.state is LineState.NO_LINE:
            others = sum(one.state is not LineState.NO_LINE for one in self._open.values())
            self._limit = max(1, min(self._limit, others))
        if line.state is LineState.WAITING:
            line.state = LineState.ENDED
        self._room.set()

    def forget_all(self) -> None:
        """The broker has dropped every subscription (1101); there is nothing to cancel."""
        for request_id, line in tuple(self._open.items()):
            line.lose()
            self._drop(request_id)
        self._room.set()

    def is_running(self, line: QuoteLine) -> bool:
        """Whether the broker still sends to this line."""
        return not line.is_over and any(one is line for one in self._open.values())

    def _make_room(self) -> bool:
        if len(self._open) < self._limit:
            return True
        done = [key for key, line in self._open.items() if line.state is not LineState.WAITING]
        if not done:
            return False
        gone = [key for key in done if self._is_closed_by_broker(self._open[key])]
        for request_id in gone:
            self._drop(request_id)
        if not gone:
            self._drop(done[0])
            self._link.client.cancelMktData(done[0])
        return len(self._open) < self._limit or self._make_room()

    def _drop(self, request_id: int) -> None:
        self._open.pop(request_id, None)
        self._link.listener.quotes.pop(request_id, None)

    @staticmethod
    def _is_closed_by_broker(line: QuoteLine) -> bool:
        """A refused line is not open, unless in part; a snapshot that ended is closed already."""
        refused = (LineState.REFUSED, LineState.NO_LINE, LineState.TOO_FAST)
        return (line.state in refused and not line.is_partial) or line.has_ended
