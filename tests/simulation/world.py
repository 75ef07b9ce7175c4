"""The world of one seed: exchange, gateway, this machine, and the program started in it."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from src.app.books.account_books import AccountBooks
from src.core.run.fold import fold
from src.core.run.state import RunState
from src.io.journal.db import JournalDb
from src.simulator.accounts.account import Account
from src.simulator.exchange import Exchange
from src.simulator.gateway.server import SimulatedGateway
from src.simulator.messages.requests import PlaceOrder, Request
from src.simulator.orders.state import OrderBook
from src.simulator.outbox.delivery import Delivery
from src.simulator.scenario.records import ScheduledEvent, WireFaults
from tests.kits.host_zone import host_zone
from tests.simulation.endings import Ending, PlacedOrder
from tests.simulation.machine import Machine
from tests.simulation.program import Program, borrowed, seconds
from tests.simulation.script import Invocation, Script, Task
from tests.simulation.virtual_net import VirtualLoop
from tests.simulation.virtual_time import JumpingLoop, KilledError

SENT_BEFORE_SEC = 2.5
"""How long an order may travel, and how far the two clocks may be read apart."""


@dataclass(slots=True)
class World:
    """Everything outside the program, and the order of what happens.

    ``complaints`` are errors that nobody caught, ``violations`` what the judge found, ``noted``
    what was asked to be noted at the end, ``digest`` the history's hash if it is kept.
    """

    script: Script
    report_dir: Path
    journal_file: Path | None = None
    keeps_history: bool = False
    loop: JumpingLoop = field(default_factory=VirtualLoop)
    machine: Machine = field(init=False)
    exchange: Exchange = field(init=False)
    gateway: SimulatedGateway = field(init=False)
    endings: list[Ending] = field(default_factory=list)
    orders: list[PlacedOrder] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    noted: Any = None
    digest: str = ""
    _answer: Invocation = field(init=False)
    _outages: list[asyncio.Task[None]] = field(default_factory=list)

    # --- what the program is lent -------------------------------------------------------------

    def gateway_utc(self) -> datetime:
        """The gateway's clock, which is right."""
        return self.script.start_utc + seconds(self.loop.time())

    def now_utc(self) -> datetime:
        """This machine's clock."""
        return self.gateway_utc() + seconds(self.machine.clock_sec)

    async def answer(self) -> str | None:
        """What the user types at the prompt."""
        await asyncio.sleep(self._answer.answer_sec)
        return self._answer.answer

    def hold_account(self) -> AccountBooks:
        return self.machine.hold_account()

    def let_go(self) -> None:
        self.machine.let_go()

    def books(self) -> JournalDb:
        return self.machine.books()

    # --- the course of things -----------------------------------------------------------------

    def play(
        self,
        judge: Callable[[World], list[str]],
        look: Callable[[World], object] = lambda _world: None,
    ) -> None:
        """Play the whole script, then have it judged while everything is still there."""
        self.loop.set_exception_handler(self._complain)
        self.machine = Machine(self.loop, self.account_id, self.journal_file)
        self.machine.clock_sec = self.script.clock_offset_sec
        try:
            with host_zone(self.script.host_zone), borrowed(self, self.script.seed):
                self.loop.run_until_complete(self._main())
            self.violations = judge(self)
            self.noted = look(self)
            if self.keeps_history:
                self.digest = self._history()
        finally:
            with redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
                self.machine.bury()
            self.loop.close()
            self.machine.connection.close()

    async def _main(self) -> None:
        self.exchange = Exchange(self.script.scenario, self.gateway_utc())
        self._watch_orders()
        self.gateway = SimulatedGateway(self.exchange, clock=self.gateway_utc)
        await self.gateway.start()
        for invocation in self.script.invocations:
            await self._start(invocation)
        await self.gateway.stop()

    async def _start(self, invocation: Invocation) -> None:
        """Start the program once (to accept, once for every open run) and see it end."""
        await asyncio.sleep(invocation.pause_sec)
        if invocation.is_healed:
            await self._heal()
        if invocation.task is Task.ACCEPT:
            for state in self.open_runs():
                await self._watch(invocation, state.run_id)
                await asyncio.sleep(1)
        elif invocation.task is not Task.RECOVER or self.open_runs():
            await self._watch(invocation)

    async def _watch(self, invocation: Invocation, accept: str = "") -> None:
        number, started = self.machine.new_process(invocation), self.loop.time()
        self._answer = invocation
        seen = len(self.gateway.wire_log)
        program = Program(
            script=self.script,
            invocation=invocation,
            port=self.gateway.port,
            report_dir=self.report_dir,
            started_utc=self.now_utc(),
            accept=accept,
        )
        if invocation.outage is not None:
            at_sec, away_sec = invocation.outage
            self.loop.call_later(at_sec, self._restart_gateway, away_sec)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = await self.machine.run(program.run())
        run_id = program.files.run_id if program.files else ""
        self.endings.append(
            Ending(
                number=number,
                invocation=invocation,
                run_id=run_id,
                code=code,
                ended_utc=self.gateway_utc(),
                spent_sec=self.loop.time() - started,
                out=out.getvalue(),
                err=err.getvalue(),
                error=program.error,
                bug=program.bug,
                records=tuple(self.gateway.wire_log[seen:]),
                events=self.machine.books().events(run_id),
                still_open=tuple(state.run_id for state in self.open_runs()),
            )
        )

    def _restart_gateway(self, away_sec: float) -> None:
        async def restart() -> None:
            gateway = self.gateway
            await gateway.stop()
            await asyncio.sleep(away_sec)
            if self.gateway is gateway:
                await gateway.start()

        self._outages.append(self.loop.create_task(restart()))

    async def _heal(self) -> None:
        """From now on wire, line and disk are in order; the exchange keeps its state."""
        self.machine.free_disk()
        await self.gateway.stop()
        if self.exchange._floor.link.is_down:
            self.exchange.inject(ScheduledEvent(what="link_back"), self.gateway_utc())
        self.exchange.scenario = replace(self.exchange.scenario, wire=WireFaults())
        log, port = self.gateway.log, self.gateway.port
        self.gateway = SimulatedGateway(self.exchange, port=port, clock=self.gateway_utc)
        self.gateway.log = log
        await self.gateway.start()

    # --- what is seen -------------------------------------------------------------------------

    @property
    def account_id(self) -> str:
        return self.script.settings.ibkr.account_id

    @property
    def account(self) -> Account:
        """The account as the exchange has it."""
        return self.exchange._floor.accounts[self.account_id]

    @property
    def order_book(self) -> OrderBook:
        """Orders and executions as the exchange has them."""
        return self.exchange._floor.book

    def open_runs(self) -> tuple[RunState, ...]:
        return self.machine.books().open_runs()

    def runs(self) -> Iterator[RunState]:
        """Every run on record, folded."""
        books = self.machine.books()
        for run_id in books.run_ids():
            yield fold(books.events(run_id))

    def _watch_orders(self) -> None:
        """Note what was true when an order reached the exchange."""
        handle = self.exchange.handle

        def watched(client_id: int, request: Request, at_utc: datetime) -> list[Delivery]:
            if isinstance(request, PlaceOrder):
                self._note_order(request, at_utc)
            return handle(client_id, request, at_utc)

        self.exchange.handle = watched  # type: ignore[method-assign]

    def _note_order(self, request: PlaceOrder, at_utc: datetime) -> None:
        held = {con_id: one.quantity for con_id, one in self.account.holdings.items()}
        for live in self.order_book.working():
            is_ours = live.order.account == self.account_id
            if is_ours and not live.is_buy and live.contract.con_id in held:
                held[live.contract.con_id] -= live.remaining
        self.orders.append(
            PlacedOrder(
                request=request,
                was_on_record=request.order.order_ref in self.machine.books().order_refs(),
                held_shares={con_id: max(shares, Decimal(0)) for con_id, shares in held.items()},
                was_open=self._was_open(request, at_utc - seconds(SENT_BEFORE_SEC)),
            )
        )

    def _was_open(self, request: PlaceOrder, at_utc: datetime) -> bool:
        """Whether the market was open when the order was sent, in the hours of the settings."""
        contract = self.script.scenario.contract("", request.contract.con_id)
        market = self.exchange._floor.market
        if self.script.settings.rebalance.trading_hours == "rth":
            return market.is_regular(contract, at_utc)
        return market.is_trading(contract, at_utc)

    def _history(self) -> str:
        """A digest of everything that happened: two plays of a script give the same."""
        told = [repr(record) for record in self.gateway.wire_log]
        rows = self.machine.connection.execute("SELECT * FROM events ORDER BY seq")
        told += [str(row) for row in rows]
        told += [f"{one.code} {one.spent_sec} {one.out} {one.err}" for one in self.endings]
        for path in sorted(self.report_dir.iterdir()):
            told += [path.name, path.read_text(encoding="utf-8")]
        text = "\n".join(told).replace(str(self.report_dir), "reports")
        return hashlib.sha256(text.encode()).hexdigest()

    def _complain(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, KilledError):
            self.complaints.append(f"{context.get('message')}: {error!r}")
