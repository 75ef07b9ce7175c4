"""Carry out one permitted plan: the loop between the run machine, the broker and the clock.

``src.core.running`` decides; this loop turns what comes from the socket, the clock and Ctrl+C
into events and carries out the commands. One rule stands here as well: no order leaves whose
records are not on disk.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from src.base.errors import JournalError, Refused
from src.broker.ports import OrderDesk
from src.broker.sending.desk_tasks import DeskTasks
from src.broker.sending.order_sender import ask_for_end, send_order
from src.broker.wire.clock import Clock, SystemClock
from src.core.journal.events import JournalEvent
from src.core.orders.events import LinkSeen, LinkState
from src.core.orders.state import Cancel, CancelWanted, Place, PlaceRefused
from src.core.orders.tickets import TicketProgress
from src.core.running.link import INTERRUPTED
from src.core.running.machine import first_run, next_step, wake_at
from src.core.running.parts import Now, Run, Stage, Terms
from src.core.running.words import (
    Claimed,
    ClaimOrderId,
    Commit,
    Placed,
    RunCommand,
    RunEvent,
    Written,
)


class JournalWriter(Protocol):
    """Where events are written down."""

    def append_all(self, events: Iterable[JournalEvent]) -> None:
        """Commit all of these or none, in this order, durably. Raises: JournalError."""


def _show_nothing(_: TicketProgress) -> None:
    """No live display."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRun:
    """What is to be carried out (``terms``), and with what.

    ``reconnect`` brings a new desk after the socket was lost, or raises ``BrokerLost``.
    ``stop`` is set to end the run early; cancelling the task that awaits ``execute`` does it too.
    """

    terms: Terms
    journal: JournalWriter
    reconnect: Callable[[], Awaitable[OrderDesk]]
    progress: Callable[[TicketProgress], None] = _show_nothing
    clock: Clock = field(default_factory=SystemClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)


async def execute(run: ExecutionRun, desk: OrderDesk) -> Run:
    """Send the plan's orders and follow each to its status; the run as it is then.

    The first cancellation of the awaiting task is a normal path: it ends what works and returns.
    Raises: JournalError when the very first record could not be written (nothing was sent).
    """
    work = asyncio.ensure_future(_Execution(run, desk).carry_out())
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if work.cancelled():
            raise
        _forget_cancellation()
        run.stop.set()
        return await work


def _forget_cancellation() -> None:
    """The interrupt is handled here, so whoever awaits us is not to be cancelled for it."""
    task = asyncio.current_task()
    if task is not None and sys.version_info >= (3, 11):
        task.uncancel()


class _Execution:
    """One run, from the first order to the last status."""

    def __init__(self, run: ExecutionRun, desk: OrderDesk) -> None:
        self._run = run
        self._tasks = DeskTasks(desk, run.reconnect, run.terms.settings.pricing)
        self._stop = asyncio.ensure_future(run.stop.wait())

    async def carry_out(self) -> Run:
        """Step by step, until the machine says that it is over."""
        desk = self._tasks.desk
        run = first_run(self._run.terms, desk.generation, self._now())
        try:
            came = await self._what_came(run)
            while run.stage is not Stage.OVER or came:
                run, commands = next_step(run, came, self._now())
                came = await self._carry_out(commands)
                if not came and run.stage is not Stage.OVER:
                    await self._wait(run)
                came += await self._what_came(run)
        finally:
            self._tasks.close()
            self._stop.cancel()
        if run.journal_error and not run.orders_sent:
            raise JournalError(run.journal_error)
        return run

    def _now(self) -> Now:
        clock = self._run.clock
        elapsed = timedelta(seconds=clock.monotonic())
        return Now(at_utc=clock.now_utc(), elapsed=elapsed, said=self._tasks.desk.trouble)

    async def _wait(self, run: Run) -> None:
        """Until something comes, or the next step is due."""
        tasks = self._tasks.awaited(is_listening=run.link.is_open)
        if not run.was_interrupted:
            tasks.append(self._stop)
        wait = wake_at(run) - self._now().elapsed
        await self._run.clock.wait(tasks, max(0.0, wait.total_seconds()))

    async def _what_came(self, run: Run) -> list[RunEvent]:
        """Everything that has come, the user's wish first."""
        is_news = self._run.stop.is_set() and not run.was_interrupted
        wish: list[RunEvent] = [CancelWanted(reason=INTERRUPTED)] if is_news else []
        return [*wish, *await self._tasks.what_came(is_listening=run.link.is_open)]

    async def _carry_out(self, commands: Iterable[RunCommand]) -> list[RunEvent]:
        """Do all of this in the order given, and tell what it brought at once."""
        done: list[RunEvent] = []
        missing = "its intent was not committed"
        for command in commands:
            if isinstance(command, Commit):
                written = self._commit(command)
                missing = written.error
                done.append(written)
            elif isinstance(command, Place):
                done.append(await self._place(command, missing))
            elif isinstance(command, Cancel):
                done += await self._cancel(command)
            elif isinstance(command, ClaimOrderId):
                done.append(self._claim(command))
            elif isinstance(command, TicketProgress):
                self._run.progress(command)
            else:
                self._tasks.begin(command)
        return done

    def _commit(self, command: Commit) -> Written:
        try:
            self._run.journal.append_all(command.records)
        except JournalError as error:
            return Written(error=str(error))
        return Written(records=len(command.records))

    async def _place(self, command: Place, missing: str) -> Placed:
        """Send an order; ``missing`` says why its records are not on disk."""
        request = command.request
        if missing:
            refused = PlaceRefused(reason=f"journal not written: {missing}")
            return Placed(order_ref=request.order_ref, how=refused, is_on_record=False)
        how = await send_order(self._tasks.desk, self._run.clock, request)
        return Placed(order_ref=request.order_ref, how=how)

    async def _cancel(self, command: Cancel) -> list[RunEvent]:
        desk = self._tasks.desk
        broken = await ask_for_end(desk, self._run.clock, command.order_id)
        lost = LinkSeen(state=LinkState.SOCKET_LOST, text=broken, generation=desk.generation)
        return [lost] if broken else []

    def _claim(self, command: ClaimOrderId) -> Claimed:
        try:
            return Claimed(order_id=self._tasks.desk.claim_order_id(command.at_least))
        except Refused as error:
            return Claimed(refused=str(error))
