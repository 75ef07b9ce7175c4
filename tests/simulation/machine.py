"""The computer the program runs on: its clock, its disk, one process at a time, and ``kill -9``."""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from src.app.books.account_books import AccountBooks
from src.core.journal.events import JournalEvent
from src.io.journal.file import open_file
from src.io.journal.schema import create_schema
from tests.simulation.program import KillableJournal
from tests.simulation.script import Invocation
from tests.simulation.virtual_time import PROCESS, JumpingLoop, KilledError

_NO_LIMIT: Final = 2**30
_MOST_CLOSES: Final = 50
LONGEST_SEC: Final = 6 * 3600.0
"""Virtual seconds after which a run counts as one that never ends."""


@dataclass(slots=True)
class Machine:
    """Runs processes on a loop. ``journal_file`` None keeps the journal in memory."""

    loop: JumpingLoop
    account_id: str
    journal_file: Path | None
    process: int = 0
    clock_sec: float = 0.0
    connection: sqlite3.Connection = field(init=False)
    _invocation: Invocation = field(init=False)
    _ended: asyncio.Future[int | None] = field(init=False)
    _main: asyncio.Task[int] = field(init=False)
    _commits: int = 0
    _writes: int = 0
    _is_torn: bool = False
    _is_account_held: bool = False
    _dead_tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop.on_client_write = self._around_write
        self.connection = self._make_journal()

    # --- processes ----------------------------------------------------------------------------

    def new_process(self, invocation: Invocation) -> int:
        """Get ready to run a process; its number."""
        self.process += 1
        self._invocation, self._commits, self._writes = invocation, 0, 0
        self._is_torn = False
        return self.process

    async def run(self, program: Coroutine[Any, Any, int]) -> int | None:
        """Its exit code once the main task has ended; None: killed, -1: it takes too long."""
        self._ended = self.loop.create_future()
        context = contextvars.copy_context()
        context.run(PROCESS.set, self.process)
        self._main = context.run(self.loop.create_task, program)
        self._main.add_done_callback(self._note_end)
        timers = self._outside_events()
        try:
            return await asyncio.wait_for(asyncio.shield(self._ended), LONGEST_SEC)
        except asyncio.TimeoutError:
            return -1
        finally:
            for timer in timers:
                timer.cancel()
            self._end_process()

    def is_alive(self) -> bool:
        """Whether the code that asks belongs to a process that still exists."""
        return PROCESS.get() not in self.loop.dead

    def bury(self) -> None:
        """Let go of the coroutines of dead processes; nothing they do now has any effect."""
        self.loop.dead |= set(range(1, self.process + 1))
        left = [task for task in asyncio.all_tasks(self.loop) if task not in self._dead_tasks]
        for task in (*self._dead_tasks, *left):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            for _ in range(_MOST_CLOSES):
                try:
                    task.get_coro().close()
                except RuntimeError:
                    continue
                except BaseException:  # noqa: BLE001, S110 - the dead may say what they like
                    pass
                break

    def _outside_events(self) -> list[asyncio.TimerHandle]:
        timers = [
            self.loop.call_later(at_sec, self._interrupt, number)
            for number, at_sec in enumerate(self._invocation.interrupts)
        ]
        if self._invocation.clock_jump is not None:
            at_sec, by_sec = self._invocation.clock_jump
            timers.append(self.loop.call_later(at_sec, self._move_clock, by_sec))
        return timers

    def _interrupt(self, number: int) -> None:
        """Ctrl+C; the second one leaves at once, like ``src.terminal.interrupt``."""
        if self._main.done():
            return
        if number == 0:
            self._main.cancel()
        else:
            self._kill(code=4)

    def _move_clock(self, by_sec: float) -> None:
        self.clock_sec += by_sec

    def _note_end(self, main: asyncio.Task[int]) -> None:
        if not self._ended.done():
            self._ended.set_result(None if main.cancelled() else main.result())

    def _kill(self, code: int | None = None) -> None:
        if self.process not in self.loop.dead:
            self._end_process()
            if not self._ended.done():
                self._ended.set_result(code)

    def _end_process(self) -> None:
        """The kernel closes what the process had open."""
        if self.process in self.loop.dead:
            return
        self.loop.kill(self.process)
        self._is_account_held = False
        with suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        self._dead_tasks += [task for _, task in self.loop.tasks if not task.done()]
        self.loop.tasks.clear()

    # --- disk ---------------------------------------------------------------------------------

    def hold_account(self) -> AccountBooks:
        """Lock and journal of the account."""
        if self._is_account_held:
            raise AssertionError("two processes hold the account")
        self._is_account_held = True
        return AccountBooks(journal=self.books(), is_simulated=False)

    def let_go(self) -> None:
        """The process gives lock and journal back."""
        if self.is_alive():
            self._is_account_held = False

    def books(self) -> KillableJournal:
        """The account's journal."""
        path = self.journal_file or Path("journal.sqlite3").absolute()
        return KillableJournal(path, self.connection, self._before_commit, self._after_commit)

    def free_disk(self) -> None:
        """There is room again."""
        self.connection.execute(f"PRAGMA max_page_count = {_NO_LIMIT}")

    def _make_journal(self) -> sqlite3.Connection:
        if self.journal_file is not None:
            found = open_file(self.journal_file, self.account_id, may_create=True)
            assert found is not None
            return found
        connection = sqlite3.connect(":memory:", isolation_level=None)
        create_schema(connection, self.account_id)
        return connection

    def _before_commit(self, _events: tuple[JournalEvent, ...]) -> None:
        if not self.is_alive():
            raise KilledError
        if not PROCESS.get():
            return
        self._commits += 1
        if self._invocation.journal_full_at == self._commits:
            pages = self.connection.execute("PRAGMA page_count").fetchone()[0]
            self.connection.execute(f"PRAGMA max_page_count = {pages}")
        self._die_here("commit", self._commits, is_after=False)

    def _after_commit(self, _events: tuple[JournalEvent, ...]) -> None:
        if PROCESS.get():
            self._die_here("commit", self._commits, is_after=True)

    # --- socket -------------------------------------------------------------------------------

    def _around_write(self, process: int, data: bytes) -> bytes:
        if process in self.loop.dead or self._is_torn:
            return b""
        self._writes += 1
        self._die_here("write", self._writes, is_after=False)
        kill = self._invocation.kill
        if kill and (kill.at, kill.number, kill.is_after) == ("write", self._writes, True):
            self.loop.call_soon(self._kill)
            self._is_torn = kill.is_torn
            return data[: len(data) // 2] if kill.is_torn else data
        return data

    def _die_here(self, at: str, number: int, *, is_after: bool) -> None:
        """Raises: KilledError where the script says so."""
        kill = self._invocation.kill
        if kill and (kill.at, kill.number, kill.is_after) == (at, number, is_after):
            self._kill()
            raise KilledError
