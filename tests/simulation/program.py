"""The program as a simulated process: real code, borrowed time, keyboard, journal and lock.

Only what reaches out of the program is replaced: the clock, the prompt, the account's directory.
The rest, from planning to the last byte on the wire, is the code that users run.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

from src.app.books.account_books import AccountBooks
from src.app.maintenance import _recover
from src.app.proposing.inputs import Inputs
from src.base.errors import ExitCode, RebalancerError
from src.base.settings import Settings
from src.core.journal.codec import event_from_text
from src.core.journal.events import JournalEvent
from src.core.targets import build_targets
from src.io.files.run_files import RunFiles, claim_run_files
from src.io.journal.db import JournalDb
from src.terminal.console import complain
from src.terminal.options import Options, read_options
from src.terminal.options import Task as OptionTask
from tests.simulation.script import Invocation, Script, Task

CLOCKS = (
    "src.app.proposing.inputs",
    "src.broker.wire.clock",
    "src.broker.reading.market_reader",
    "src.broker.reading.quote_line",
)
"""The modules that look at this machine's clock."""


class Surroundings(Protocol):
    """What the world lends to the program."""

    def now_utc(self) -> datetime:
        """This machine's clock."""

    async def answer(self) -> str | None:
        """What the user types at the prompt."""

    def hold_account(self) -> AccountBooks:
        """Lock and journal of the account."""

    def let_go(self) -> None:
        """The process gives lock and journal back."""

    def books(self) -> JournalDb:
        """The journal, to look into it."""


Hook = Callable[[tuple[JournalEvent, ...]], None]


class KillableJournal(JournalDb):
    """The program's own journal; the machine looks on before and after every commit."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, before: Hook, after: Hook
    ) -> None:
        super().__init__(path, connection)
        self._before = before
        self._after = after

    def append_all(self, events: Iterable[JournalEvent]) -> None:
        """Commit, unless the process dies first."""
        kept = tuple(events)
        self._before(kept)
        super().append_all(kept)
        self._after(kept)

    def close(self) -> None:
        """The machine closes it, when all is over."""


_event_from_text = lru_cache(maxsize=4096)(event_from_text)
"""Events are read again and again, by the program and by the judge; the same text is the same."""


def _no_decoder(*_: object) -> None:
    """The library builds two decoders, slowly, that the program replaces before a byte comes."""


class _AnyDatetime(type):
    """Makes every datetime an instance of the one that stands in for it."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


@contextmanager
def borrowed(world: Surroundings, seed: int) -> Iterator[None]:
    """Give the program the world's time, keyboard and directory while the block runs."""

    class WorldTime(datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return world.now_utc().astimezone(tz)

    def loop_sec() -> float:
        return asyncio.get_running_loop().time()

    async def ask(_question: str) -> str | None:
        return await world.answer()

    @contextmanager
    def hold_account(*_: object, **__: object) -> Iterator[AccountBooks]:
        try:
            yield world.hold_account()
        finally:
            world.let_go()

    @contextmanager
    def peek_journal(*_: object) -> Iterator[JournalDb]:
        yield world.books()

    chance = random.getstate()
    random.seed(seed)
    loans = [
        *((name, "datetime", WorldTime) for name in CLOCKS),
        ("src.broker.wire.clock", "sec_with_sleep", loop_sec),
        ("src.app.approval", "ask", ask),
        ("src.app.trading", "hold_account", hold_account),
        ("src.app.maintenance", "hold_account", hold_account),
        ("src.app.books.account_books", "peek_journal", peek_journal),
        ("src.app.books.glance", "journal_exists", lambda _path: True),
        ("src.io.journal.db", "event_from_text", _event_from_text),
        ("ib_async.client", "Decoder", _no_decoder),
    ]
    patches = [mock.patch.object(import_module(name), what, loan) for name, what, loan in loans]
    try:
        for patch in patches:
            patch.start()
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()
        random.setstate(chance)


@dataclass(slots=True, kw_only=True)
class Program:
    """One start of the command."""

    script: Script
    invocation: Invocation
    port: int
    report_dir: Path
    started_utc: datetime
    accept: str = ""
    files: RunFiles | None = None
    error: str = ""
    bug: BaseException | None = field(default=None)

    async def run(self) -> int:
        """The whole command; its exit code. What ``run_main`` does with errors is done here."""
        try:
            return int(await self._command())
        except RebalancerError as error:
            self.error = str(error)
            complain(self.error)
            return int(error.exit_code)
        except asyncio.CancelledError:
            complain("interrupted")
            return int(ExitCode.INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - a bug is what the simulation looks for
            self.bug = error
            return int(ExitCode.BUG)

    async def _command(self) -> int:
        from src.app.runs import dry_run
        from src.app.trading import confirmed_run

        task = self.invocation.task
        files = self.files = claim_run_files(self.report_dir, self.started_utc)
        inputs = self.inputs()
        if task in (Task.RECOVER, Task.ACCEPT):
            return await self._recover(inputs.settings)
        is_dry = task is Task.DRY_RUN
        kind = OptionTask.DRY_RUN if is_dry else OptionTask.CONFIRM
        options = Options(task=kind, config=Path("settings.ini"), csv=Path("portfolios.csv"))
        if is_dry or task is Task.READ_ONLY:
            return await dry_run(options, inputs, files)
        return await confirmed_run(options, inputs, files)

    def _flags(self) -> list[str]:
        return ["--recover", "--accept", self.accept] if self.accept else ["--recover"]

    async def _recover(self, settings: Settings) -> int:
        hold_account = import_module("src.app.maintenance").hold_account
        with hold_account(settings, self.started_utc, is_simulated=False) as books:
            return await _recover(read_options(self._flags()), settings, books)

    def inputs(self) -> Inputs:
        """What the user's files would have said."""
        given = self.script.settings
        is_read_only = self.invocation.task is Task.READ_ONLY
        ibkr = given.ibkr._replace(port=self.port, read_only=is_read_only)
        io = given.io._replace(report_dir=self.report_dir)
        portfolios = self.script.portfolios
        return Inputs(
            settings=given._replace(ibkr=ibkr, io=io),
            portfolios=portfolios,
            targets=build_targets(portfolios, given.models),
            wishes=self.script.wishes,
        )


def seconds(amount: float) -> timedelta:
    return timedelta(seconds=amount)
