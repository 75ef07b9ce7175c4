"""What goes on at the desk meanwhile: listening, a question, a reading, a new connection.

At most one of each. What was begun is told as an event once it is done; nothing is decided here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from src.base.errors import BrokerLost, RebalancerError
from src.base.settings import PricingSettings
from src.broker.ports import OrderDesk
from src.broker.sending.inquiry import ask
from src.core.orders.events import BrokerEvent, LinkSeen, LinkState
from src.core.running.words import Answered, Call, DeskCame, Log, Read, ReadQuotes, RunEvent

_MOST_AT_ONCE: Final = 500
_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

log = logging.getLogger(__name__)


class DeskTasks:
    """One desk at a time, and what was begun at it."""

    def __init__(
        self,
        desk: OrderDesk,
        reconnect: Callable[[], Awaitable[OrderDesk]],
        pricing: PricingSettings,
    ) -> None:
        self.desk = desk
        self._reconnect = reconnect
        self._pricing = pricing
        self._listening: asyncio.Future[BrokerEvent] | None = None
        self._connecting: asyncio.Future[OrderDesk] | None = None
        self._question: asyncio.Future[Answered] | None = None
        self._reading: asyncio.Future[Read] | None = None

    def begin(self, command: Call | ReadQuotes | Log) -> None:
        """Carry out one command that ends later, or ends what was begun."""
        if isinstance(command, Log):
            log.log(_LEVELS[command.level], "%s", command.text)
        elif isinstance(command, ReadQuotes):
            self._reading = asyncio.ensure_future(self._read_quotes(command))
        elif command in (Call.ASK, Call.ASK_WITH_ACCOUNT):
            with_account = command is Call.ASK_WITH_ACCOUNT
            self._question = asyncio.ensure_future(ask(self.desk, with_account=with_account))
        elif command is Call.READ_ACCOUNT:
            self._reading = asyncio.ensure_future(self._read_account())
        elif command is Call.RECONNECT:
            self._connect_anew()
        else:
            self._end(command)

    def awaited(self, *, is_listening: bool) -> list[asyncio.Future[Any]]:
        """What to wait for."""
        begun = (self._connecting, self._question, self._reading)
        tasks: list[asyncio.Future[Any]] = [one for one in begun if one is not None]
        return [*tasks, self._next_event()] if is_listening else tasks

    async def what_came(self, *, is_listening: bool) -> list[RunEvent]:
        """Everything that has come: events, a new desk, an answer, what was read."""
        came: list[RunEvent] = []
        while is_listening and len(came) < _MOST_AT_ONCE:
            task = self._next_event()
            if not task.done():
                await asyncio.sleep(0)
            if not task.done():
                break
            self._listening = None
            came.append(self._heard(task))
            if isinstance(came[-1], LinkSeen) and came[-1].state is LinkState.SOCKET_LOST:
                break
        return [*came, *self._done()]

    def close(self) -> None:
        """Forget what was begun; the desk stays open."""
        for task in (self._listening, self._connecting, self._question, self._reading):
            _end(task)

    def _end(self, command: Call) -> None:
        if command is Call.STOP_RECONNECTING:
            _end(self._connecting)
            self._connecting = None
        elif command is Call.DROP_QUESTION:
            _end(self._question)
            self._question = None
        else:
            _end(self._reading)
            self._reading = None

    def _connect_anew(self) -> None:
        if self._listening is not None and not self._listening.done():  # what has come still counts
            _end(self._listening)
            self._listening = None
        self._connecting = asyncio.ensure_future(self._reconnect())

    def _next_event(self) -> asyncio.Future[BrokerEvent]:
        if self._listening is None:
            self._listening = asyncio.ensure_future(self.desk.next_event())
        return self._listening

    def _heard(self, task: asyncio.Future[BrokerEvent]) -> BrokerEvent:
        try:
            return task.result()
        except BrokerLost as error:
            lost, generation = LinkState.SOCKET_LOST, self.desk.generation
            return LinkSeen(state=lost, text=str(error), generation=generation)

    def _done(self) -> Iterator[RunEvent]:
        if self._connecting is not None and self._connecting.done():
            task, self._connecting = self._connecting, None
            yield self._connected(task)
        if self._question is not None and self._question.done():
            answer, self._question = self._question.result(), None
            yield answer
        if self._reading is not None and self._reading.done():
            read, self._reading = self._reading.result(), None
            yield read

    def _connected(self, task: asyncio.Future[OrderDesk]) -> DeskCame:
        try:
            self.desk = task.result()
        except RebalancerError as error:
            return DeskCame(failed=str(error))
        return DeskCame(generation=self.desk.generation)

    async def _read_account(self) -> Read:
        try:
            return Read(account=await self.desk.fetch_snapshot(fresh=True))
        except RebalancerError as error:
            return Read(error=str(error))

    async def _read_quotes(self, command: ReadQuotes) -> Read:
        try:
            return Read(quotes=await self.desk.fetch_quotes(command.symbols, self._pricing))
        except RebalancerError as error:
            return Read(error=str(error))


def _end(task: asyncio.Future[Any] | None) -> None:
    """Nobody waits for it any longer."""
    if task is not None:
        task.cancel()
