"""The world of one seed: exchange, gateway, this machine, and the program started in it."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from src.account_books import AccountBooks
from src.core.journal import JournalEvent
from src.core.journal_fold import fold
from src.core.order_ref import order_prefix
from src.core.run_state import RunState
from src.io.journal_schema import create_schema
from src.simulator.delivery import Delivery
from src.simulator.exchange import Exchange
from src.simulator.messages_requests import PlaceOrder, Request
from src.simulator.scenario import ScheduledEvent, WireFaults
from src.simulator.server import SimulatedGateway
from src.simulator.wire_log import WireRecord
from tests.simulation.program import KillableJournal, Program, borrowed, seconds
from tests.simulation.script import Invocation, Script, Task
from tests.simulation.virtual_net import VirtualLoop
from tests.simulation.virtual_time import PROCESS, JumpingLoop, KilledError

_NO_LIMIT = 2**30
LONGEST_SEC = 6 * 3600.0
"""Virtual seconds after which a run counts as one that never ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one start of the program ended. ``code`` None: killed. ``code`` -1: it never ended."""

    number: int
    invocation: Invocation
    run_id: str
    code: int | None
    started_utc: datetime
    ended_utc: datetime
    spent_sec: float
    out: str
    err: str
    error: str
    bug: BaseException | None
    records: tuple[WireRecord, ...]
    events: tuple[JournalEvent, ...]
    still_open: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class PlacedOrder:
    """An order as the exchange got it, and what was true at that moment."""

    at_utc: datetime
    process: int
    request: PlaceOrder
    was_on_record: bool
    cash_usd: Any
    held_shares: Any


@dataclass(slots=True)
class World:
    """Everything outside the program, and the order of what happens."""

    script: Script
    report_dir: Path
    journal_file: Path | None = None
    keeps_history: bool = False
    loop: JumpingLoop = field(default_factory=VirtualLoop)
    exchange: Exchange = field(init=False)
    gateway: SimulatedGateway = field(init=False)
    endings: list[Ending] = field(default_factory=list)
    orders: list[PlacedOrder] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    digest: str = ""
    noted: Any = None
    _process: int = 0
    _invocation: Invocation = field(init=False)
    _ended: asyncio.Future[int | None] = field(init=False)
    _connection: sqlite3.Connection = field(init=False)
    _commits: int = 0
    _writes: int = 0
    _is_account_held: bool = False
    _clock_sec: float = 0.0
    _dead_tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _outages: list[asyncio.Task[None]] = field(default_factory=list)

    # --- what the program is lent -------------------------------------------------------------

    def gateway_utc(self) -> datetime:
        """The gateway's clock, which is right."""
        return self.script.start_utc + seconds(self.loop.time())

    def now_utc(self) -> datetime:
        return self.gateway_utc() + seconds(self._clock_sec)

    def is_alive(self) -> bool:
        return PROCESS.get() not in self.loop.dead

    async def answer(self) -> str | None:
        await asyncio.sleep(self._invocation.answer_sec)
        return self._invocation.answer

    def hold_account(self) -> AccountBooks:
        if self._is_account_held:
            raise AssertionError("two processes hold the account")
        self._is_account_held = True
        path = self.journal_file or Path("journal.sqlite3").absolute()
        journal = KillableJournal(path, self._connection, self._around_commit)
        return AccountBooks(journal=journal, is_simulated=False)

    def let_go(self) -> None:
        if self.is_alive():
            self._is_account_held = False

    # --- the course of things -----------------------------------------------------------------

    def play(
        self,
        judge: Callable[[World], list[str]],
        look: Callable[[World], object] = lambda _world: None,
    ) -> None:
        """Play the whole script, then have it judged while everything is still there."""
        self.loop.set_exception_handler(self._complain)
        self.loop.on_client_write = self._around_write
        self._connection = self._make_journal()
        self._clock_sec = self.script.clock_offset_sec
        try:
            with borrowed(self, self.script.seed):
                self.loop.run_until_complete(self._main())
            self.violations = judge(self)
            self.noted = look(self)
            if self.keeps_history:
                self.digest = self.history()
        finally:
            self._bury()
            self.loop.close()
            self._connection.close()

    async def _main(self) -> None:
        self.exchange = Exchange(self.script.scenario, self.gateway_utc())
        self._watch_orders()
        self.gateway = SimulatedGateway(self.exchange, clock=self.gateway_utc)
        await self.gateway.start()
        for invocation in self.script.invocations:
            await self._start(invocation)
        await self.gateway.stop()

    async def _start(self, invocation: Invocation, accept: str = "") -> Ending:
        """Start the program once and see it end."""
        await asyncio.sleep(invocation.pause_sec)
        if invocation.is_healed:
            await self.heal()
        if invocation.task in (Task.RECOVER, Task.ACCEPT) and not self.open_runs():
            return self.endings[-1]
        if invocation.task is Task.ACCEPT and not accept:
            for state in self.open_runs():
                await self._start(replace(invocation, pause_sec=1.0), state.run_id)
            return self.endings[-1]
        self._process += 1
        self._invocation, self._commits, self._writes = invocation, 0, 0
        program = Program(
            script=self.script,
            invocation=invocation,
            port=self.gateway.port,
            report_dir=self.report_dir,
            started_utc=self.now_utc(),
            accept=accept,
        )
        return await self._watch(program)

    async def _watch(self, program: Program) -> Ending:
        started_utc, started = self.gateway_utc(), self.loop.time()
        seen = len(self.gateway.wire_log)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = await self._live(program)
        events = self.events_of(program)
        ending = Ending(
            number=self._process,
            invocation=program.invocation,
            run_id=program.files.run_id if program.files else "",
            code=code,
            started_utc=started_utc,
            ended_utc=self.gateway_utc(),
            spent_sec=self.loop.time() - started,
            out=out.getvalue(),
            err=err.getvalue(),
            error=program.error,
            bug=program.bug,
            records=tuple(self.gateway.wire_log[seen:]),
            events=events,
            still_open=tuple(state.run_id for state in self.open_runs()),
        )
        self.endings.append(ending)
        return ending

    async def _live(self, program: Program) -> int | None:
        """Run the program's main task until it ends, is killed, or takes too long."""
        self._ended = self.loop.create_future()
        context = contextvars.copy_context()
        context.run(PROCESS.set, self._process)
        main: asyncio.Task[int] = context.run(self.loop.create_task, program.run())
        main.add_done_callback(self._note_end)
        timers = self._arrange(program.invocation, main)
        try:
            return await asyncio.wait_for(asyncio.shield(self._ended), LONGEST_SEC)
        except asyncio.TimeoutError:
            return -1
        finally:
            for timer in timers:
                timer.cancel()
            self._end_process()

    def _arrange(
        self, invocation: Invocation, main: asyncio.Task[int]
    ) -> list[asyncio.TimerHandle]:
        """What happens from outside while it runs."""
        timers = []
        for number, at_sec in enumerate(invocation.interrupts):
            timers.append(self.loop.call_later(at_sec, self._interrupt, main, number))
        if invocation.outage is not None:
            at_sec, for_sec = invocation.outage
            timers.append(self.loop.call_later(at_sec, self._restart_gateway, for_sec))
        if invocation.clock_jump is not None:
            at_sec, by_sec = invocation.clock_jump
            timers.append(self.loop.call_later(at_sec, self._move_clock, by_sec))
        return timers

    def _interrupt(self, main: asyncio.Task[int], number: int) -> None:
        """Ctrl+C; the second one leaves at once, like ``src.interrupt``."""
        if main.done():
            return
        if number == 0:
            main.cancel()
        else:
            self._kill(code=4)

    def _move_clock(self, by_sec: float) -> None:
        self._clock_sec += by_sec

    def _restart_gateway(self, for_sec: float) -> None:
        async def restart() -> None:
            gateway = self.gateway
            await gateway.stop()
            await asyncio.sleep(for_sec)
            if self.gateway is gateway:
                await gateway.start()

        self._outages.append(self.loop.create_task(restart()))

    async def heal(self) -> None:
        """From now on wire, line and disk are in order; the exchange keeps its state."""
        self._connection.execute(f"PRAGMA max_page_count = {_NO_LIMIT}")
        await self.gateway.stop()
        if self.exchange._floor.link.is_down:
            self.exchange.inject(ScheduledEvent(what="link_back"), self.gateway_utc())
        self.exchange.scenario = replace(self.exchange.scenario, wire=WireFaults())
        log, port = self.gateway.log, self.gateway.port
        self.gateway = SimulatedGateway(self.exchange, port=port, clock=self.gateway_utc)
        self.gateway.log = log
        await self.gateway.start()

    # --- the end of a process -----------------------------------------------------------------

    def _note_end(self, main: asyncio.Task[int]) -> None:
        if not self._ended.done():
            self._ended.set_result(None if main.cancelled() else main.result())

    def _kill(self, code: int | None = None) -> None:
        if self._process not in self.loop.dead:
            self._end_process()
            if not self._ended.done():
                self._ended.set_result(code)

    def _end_process(self) -> None:
        """The kernel closes what the process had open."""
        if self._process in self.loop.dead:
            return
        self.loop.kill(self._process)
        self._is_account_held = False
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        self._dead_tasks += [task for _, task in self.loop.tasks if not task.done()]
        self.loop.tasks.clear()

    def _bury(self) -> None:
        """Let go of the coroutines of dead processes; nothing they do now has any effect."""
        self.loop.dead |= set(range(1, self._process + 1))
        left = [task for task in asyncio.all_tasks(self.loop) if task not in self._dead_tasks]
        for task in (*self._dead_tasks, *left):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            for _ in range(50):
                try:
                    task.get_coro().close()  # type: ignore[union-attr]
                except RuntimeError:
                    continue
                except BaseException:  # noqa: BLE001, S110 - the dead may say what they like
                    pass
                break

    # --- around the program -------------------------------------------------------------------

    def _around_commit(self, is_after: bool, _events: tuple[JournalEvent, ...]) -> None:  # noqa: FBT001
        if not self.is_alive():
            raise KilledError
        kill = self._invocation.kill
        if not is_after:
            self._commits += 1
            if self._invocation.journal_full_at == self._commits:
                pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
                self._connection.execute(f"PRAGMA max_page_count = {pages}")
        if kill and kill.at == "commit" and (kill.number, kill.is_after) == (
            self._commits,
            is_after,
        ):
            self._kill()
            raise KilledError

    def _around_write(self, process: int, data: bytes) -> bytes:
        if process in self.loop.dead:
            return b""
        self._writes += 1
        kill = self._invocation.kill
        if kill and kill.at == "write" and kill.number == self._writes:
            if not kill.is_after:
                self._kill()
                raise KilledError
            self.loop.call_soon(self._kill)
        return data

    def _watch_orders(self) -> None:
        """Note what was true when an order reached the exchange."""
        handle = self.exchange.handle

        def watched(client_id: int, request: Request, at_utc: datetime) -> list[Delivery]:
            if isinstance(request, PlaceOrder):
                self._note_order(request, at_utc)
            return handle(client_id, request, at_utc)

        self.exchange.handle = watched  # type: ignore[method-assign]

    def _note_order(self, request: PlaceOrder, at_utc: datetime) -> None:
        ref = request.order.order_ref
        found = self._connection.execute("SELECT 1 FROM events WHERE once = ?", (ref,)).fetchall()
        account = self.exchange._floor.accounts[self.script.settings.ibkr.account_id]
        self.orders.append(
            PlacedOrder(
                at_utc=at_utc,
                process=self._process,
                request=request,
                was_on_record=bool(found),
                cash_usd=account.cash.get("USD"),
                held_shares={c: one.quantity for c, one in account.holdings.items()},
            )
        )

    def _complain(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, KilledError) or "was destroyed" in str(context.get("message")):
            return
        self.complaints.append(f"{context.get('message')}: {error!r}")

    # --- what is left -------------------------------------------------------------------------

    def history(self) -> str:
        """A digest of everything that happened: two plays of a script give the same."""
        told: list[str] = [repr(record) for record in self.gateway.wire_log]
        told += [str(row) for row in self._connection.execute("SELECT * FROM events ORDER BY seq")]
        told += [f"{one.code} {one.spent_sec} {one.out} {one.err}" for one in self.endings]
        for path in sorted(self.report_dir.iterdir()):
            told += [path.name, path.read_text(encoding="utf-8")]
        text = "\n".join(told).replace(str(self.report_dir), "reports")
        return hashlib.sha256(text.encode()).hexdigest()

    # --- the journal --------------------------------------------------------------------------

    def _make_journal(self) -> sqlite3.Connection:
        account = self.script.settings.ibkr.account_id
        if self.journal_file is not None:
            from src.io.journal_file import open_file

            found = open_file(self.journal_file, account, may_create=True)
            assert found is not None
            return found
        connection = sqlite3.connect(":memory:", isolation_level=None)
        create_schema(connection, account)
        return connection

    def books(self) -> KillableJournal:
        """The journal as the world reads it."""
        return KillableJournal(Path("journal"), self._connection, lambda *_: None)

    def events_of(self, program: Program) -> tuple[JournalEvent, ...]:
        return self.books().events(program.files.run_id) if program.files else ()

    def open_runs(self) -> tuple[RunState, ...]:
        return self.books().open_runs()

    def states(self) -> Iterator[RunState]:
        """Every run on record, folded."""
        books = self.books()
        for run_id in books.run_ids():
            yield fold(books.events(run_id))
