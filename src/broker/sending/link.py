"""The way to the broker while orders work: the desk, its events, and what happens when it breaks.

The socket may close (then a new desk is fetched, once, within a deadline), or the gateway may lose
its own line to the broker (then nothing is sent and nothing is asked until it is back).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from src.base.errors import BrokerLost, RebalancerError
from src.broker.ports import OrderDesk
from src.broker.wire.clock import Clock
from src.broker.wire.pacing import RECOVERY_SEC
from src.core.orders.events import BrokerEvent, LinkSeen, LinkState

_MOST_AT_ONCE: Final = 500

Reconnect = Callable[[], Awaitable[OrderDesk]]

log = logging.getLogger(__name__)


class BrokerLink:
    """One desk at a time, and the events it has for us.

    ``lost_by`` is what the gateway last said when it lost its own line.
    """

    def __init__(self, desk: OrderDesk, reconnect: Reconnect, clock: Clock) -> None:
        self.desk = desk
        self.is_open = True
        self.was_lost = False
        self.lost_at: float | None = None
        self.lost_by = ""
        self._reconnect = reconnect
        self._clock = clock
        self._event: asyncio.Future[BrokerEvent] | None = None
        self._reconnecting: asyncio.Future[OrderDesk] | None = None

    @property
    def is_usable(self) -> bool:
        """True when orders and questions can reach the broker."""
        return self.is_open and self.lost_at is None

    @property
    def is_reconnecting(self) -> bool:
        """True while a new desk is being fetched."""
        return self._reconnecting is not None

    def tasks(self) -> list[asyncio.Future[Any]]:
        """What to wait for."""
        if self._reconnecting is not None:
            return [self._reconnecting]
        return [self._next_event()] if self.is_open else []

    async def ready_events(self) -> list[BrokerEvent]:
        """The events that are there already, oldest first; a broken desk ends with SOCKET_LOST.

        What is said of an earlier connection is dropped: the healthy one is not ended for it.
        """
        events: list[BrokerEvent] = []
        while self.is_open and len(events) < _MOST_AT_ONCE:
            task = self._next_event()
            if not task.done():
                await asyncio.sleep(0)
            if not task.done():
                break
            self._event = None
            event = self._result(task)
            if isinstance(event, LinkSeen):
                if event.generation != self.desk.generation:
                    log.info("late word of an earlier connection state=%s", event.state.value)
                    continue
                self._note(event)
            events.append(event)
        return events

    def lose(self, reason: str) -> None:
        """The desk is of no use any more: fetch another."""
        if not self.is_open:
            return
        log.error("connection to the gateway lost reason=%s", reason)
        self.is_open, self.was_lost = False, True
        self.lost_at = self._clock.monotonic()
        if self._event is not None and not self._event.done():  # what has come still counts
            self._event.cancel()
            self._event = None
        self._reconnecting = asyncio.ensure_future(self._reconnect())

    def take_new_desk(self) -> OrderDesk | str | None:
        """The new desk once it is there (then the link is open again), or why there is none."""
        if self._reconnecting is None:
            return None
        if not self._reconnecting.done():
            return self._give_up_late()
        task, self._reconnecting = self._reconnecting, None
        try:
            self.desk = task.result()
        except RebalancerError as error:
            return str(error)
        log.warning("connection to the gateway restored")
        self.is_open, self.lost_at = True, None
        return self.desk

    def stop_reconnecting(self) -> None:
        """Do not wait for a new desk any longer."""
        if self._reconnecting is not None:
            self._reconnecting.cancel()
        self._reconnecting = None

    def close(self) -> None:
        """Stop listening; the desk stays open."""
        self.stop_reconnecting()
        if self._event is not None:
            self._event.cancel()
        self._event = None

    def deadline(self) -> float | None:
        """When a lost connection is given up."""
        return None if self.lost_at is None else self.lost_at + RECOVERY_SEC

    def _next_event(self) -> asyncio.Future[BrokerEvent]:
        if self._event is None:
            self._event = asyncio.ensure_future(self.desk.next_event())
        return self._event

    def _give_up_late(self) -> str | None:
        deadline = self.deadline()
        if self._reconnecting is None or deadline is None or self._clock.monotonic() < deadline:
            return None
        self.stop_reconnecting()
        return f"no new connection within {RECOVERY_SEC:.0f} s"

    def _note(self, event: LinkSeen) -> None:
        if event.state is LinkState.SOCKET_LOST:
            self.lose(event.text or "socket closed")
        elif event.state is LinkState.UPSTREAM_LOST:
            log.warning("gateway lost its line to the broker code=%s", event.code)
            self.lost_by = f"{event.code}: {event.text}" if event.code else event.text
            self.lost_at = self.lost_at or self._clock.monotonic()
        elif self.is_open:
            log.warning("gateway has its line to the broker again code=%s", event.code)
            self.lost_at = None

    def _result(self, task: asyncio.Future[BrokerEvent]) -> BrokerEvent:
        try:
            return task.result()
        except BrokerLost as error:
            lost, generation = LinkState.SOCKET_LOST, self.desk.generation
            return LinkSeen(state=lost, text=str(error), generation=generation)
