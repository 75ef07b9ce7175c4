"""A permitted plan, a fake broker and a journal, ready to be executed in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from src.base.settings import ExecutionSettings, IbkrSettings, RebalanceSettings, Settings
from src.broker.execution import ExecutionRun, execute
from src.broker.ports import OrderDesk
from src.core.journal.events import Approved, PlanRecorded
from src.core.orders.tickets import TicketProgress
from src.core.permission.permit import TradePermit
from src.core.records.market import Listing, Session
from src.core.records.orders import Side, TicketStatus
from src.core.records.plan import DriftTable, OrderOutcome, OrderTicket, TradePlan, Valuation
from src.core.records.portfolios import Symbol
from src.core.running.machine import first_run
from src.core.running.parts import Now, Run, Terms
from tests.kits.builders import (
    ACCOUNT,
    MARGIN,
    NOON_UTC,
    Number,
    account,
    cash_terms,
    dec,
    listing,
    snapshot,
    ticket,
)
from tests.kits.fakes import CLIENT_ID, Behaviour, FakeDesk, FakeJournal, VirtualClock, run_virtual
from tests.kits.journal_kit import outcomes_of

RUN_ID = "20250131T170000Z"
PREFIX = "IBR"
Meanwhile = Callable[["Stage"], Awaitable[None]]


def sell(symbol: Symbol, qty: Number = 10, price: Number = 100) -> OrderTicket:
    return ticket(symbol, Side.SELL, qty, price)


def buy(symbol: Symbol, qty: Number = 10, price: Number = 100) -> OrderTicket:
    return ticket(symbol, Side.BUY, qty, price)


@dataclass(slots=True)
class Stage:
    """Tickets, what the broker does with them, and everything that can be looked at afterwards."""

    tickets: tuple[OrderTicket, ...]
    desk: FakeDesk = field(default_factory=FakeDesk)
    journal: FakeJournal = field(default_factory=FakeJournal)
    execution: ExecutionSettings = ExecutionSettings(algo_preference="none")
    rebalance: RebalanceSettings = RebalanceSettings(min_order_usd=Decimal(0))
    floor_usd: Number = 0
    listings: dict[Symbol, Listing] = field(default_factory=dict)
    least_order_id: int = 0
    clock_offset: timedelta = timedelta(0)
    shown: list[TicketProgress] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def behave(self, symbol: Symbol, *behaviours: Behaviour) -> Stage:
        self.desk.behaviours[symbol] = list(behaviours)
        return self

    def valuation(self) -> Valuation:
        held = {one.symbol: one.qty_shares for one in self.tickets if one.side is Side.SELL}
        prices: dict[Symbol, Number] = {one.symbol: one.est_price_usd for one in self.tickets}
        return account({**held}, prices, self.desk.cash + 100_000)

    def plan(self) -> TradePlan:
        valued = self.valuation()
        return TradePlan(
            account_id=ACCOUNT,
            tickets=self.tickets,
            skipped=(),
            before=valued,
            after=valued,
            drift_before=DriftTable(rows=()),
            drift_after=DriftTable(rows=()),
            cash_floor_usd=dec(self.floor_usd),
            plan_hash="abc",
        )

    def run(self) -> ExecutionRun:
        plan = self.plan()
        terms = Terms(
            plan=plan,
            permit=permit_for(plan),
            settings=Settings(
                ibkr=IbkrSettings(account_id=ACCOUNT, read_only=False),
                models={"M": Decimal(1)},
                execution=self.execution,
                rebalance=self.rebalance,
            ),
            before=snapshot(
                dict(self.desk.holdings),
                self.desk.cash,
                terms=MARGIN if self.desk.settled is None else cash_terms(self.desk.settled),
            ),
            listings=self.listings or {one.symbol: trading(one.symbol) for one in self.tickets},
            client_id=CLIENT_ID,
            least_order_id=self.least_order_id,
            clock_offset=self.clock_offset,
        )
        return ExecutionRun(
            terms=terms,
            journal=self.journal,
            reconnect=self._reconnect,
            progress=self.shown.append,
            clock=VirtualClock(),
            stop=self.stop,
        )

    async def _reconnect(self) -> OrderDesk:
        return await self.desk.reconnect()

    def prepare(self) -> None:
        """The records and holdings a run starts with."""
        plan = self.plan()
        self.desk.journal = self.journal
        for one in self.tickets:
            if one.side is Side.SELL:
                self.desk.holdings.setdefault(one.symbol, one.qty_shares)
            self.desk.prices.setdefault(one.symbol, one.est_price_usd)
        recorded = PlanRecorded(
            run_id=RUN_ID,
            at_utc=NOON_UTC,
            started_utc=NOON_UTC,
            plan=plan,
            client_id=CLIENT_ID,
            order_prefix=PREFIX,
            is_simulated=False,
        )
        approved = Approved(run_id=RUN_ID, at_utc=NOON_UTC, plan_hash=plan.plan_hash)
        self.journal.events += [recorded, approved]

    def play(self, meanwhile: Meanwhile | None = None) -> Run:
        """Execute in virtual time, and hold the result against the journal."""
        self.prepare()

        async def main() -> Run:
            work = asyncio.ensure_future(execute(self.run(), self.desk))
            if meanwhile is not None:
                asyncio.ensure_future(meanwhile(self))  # noqa: RUF006 - the loop outlives it
            return await work

        result = run_virtual(main())
        self.check(result)
        return result

    def check(self, result: Run) -> None:
        """What holds after every run, whatever happened in it."""
        refs = [request.order_ref for request in self.desk.placed()]
        assert len(refs) == len(set(refs))
        assert not any(outcome.status is TicketStatus.FILLED for outcome in self._short(result))
        for outcome in result.outcomes:
            filled = sum((one.qty_shares for one in outcome.fills), Decimal(0))
            assert filled <= outcome.ticket.qty_shares or outcome.status is TicketStatus.UNRESOLVED
        if not result.journal_error:
            assert outcomes_of(self.journal.events) == result.outcomes

    def _short(self, result: Run) -> list[OrderOutcome]:
        """Outcomes without any execution."""
        return [one for one in result.outcomes if not one.fills]


def trading(symbol: Symbol, hours: float = 9) -> Listing:
    """A listing whose session has begun and goes on for so many hours; the next is tomorrow's."""
    opens, closes = NOON_UTC - timedelta(hours=3), NOON_UTC + timedelta(hours=hours)
    day = timedelta(days=1)
    sessions = (
        Session(opens_utc=opens, closes_utc=closes),
        Session(opens_utc=opens + day, closes_utc=closes + day),
    )
    return replace(listing(symbol), regular_sessions=sessions, extended_sessions=sessions)


def permit_for(plan: TradePlan) -> TradePermit:
    return TradePermit(
        account_id=plan.account_id,
        allow_live=False,
        run_id=RUN_ID,
        order_prefix=PREFIX,
        plan_hash=plan.plan_hash,
        tickets=plan.tickets,
        held_shares={one.con_id: one.qty_shares for one in plan.tickets},
        max_order_usd=Decimal(0),
        max_run_usd=Decimal(0),
        max_orders=1000,
        granted_at_utc=NOON_UTC,
        first_order_within_sec=Decimal(120),
        lifetime_sec=Decimal(10_000),
    )


def run_of(stage: Stage) -> Run:
    """The machine of a stage before its first step."""
    return first_run(stage.run().terms, stage.desk.generation, at(0))


def at(sec: float) -> Now:
    """So many seconds after noon."""
    elapsed = timedelta(seconds=sec)
    return Now(at_utc=NOON_UTC + elapsed, elapsed=elapsed)


def statuses(result: Run) -> list[str]:
    return [outcome.status.value for outcome in result.outcomes]


def with_settings(stage: Stage, **changes: object) -> Stage:
    stage.execution = stage.execution._replace(**changes)  # type: ignore[arg-type]
    return stage
