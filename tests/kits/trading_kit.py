"""Whole executions through the real client against the simulated gateway, journal on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

from src.app.proposing.session import open_session
from src.base.settings import ExecutionSettings, RebalanceSettings, Settings
from src.broker.execution import ExecutionRun, execute
from src.broker.ibkr_client import IbkrSession
from src.broker.ports import OrderDesk
from src.core.journal.events import Approved, JournalEvent, PlanRecorded
from src.core.orders.ref import PREFIX, make_run_id
from src.core.orders.state import Patience
from src.core.permission.permit import TradePermit
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, Price, PriceBook
from src.core.records.orders import Side
from src.core.records.plan import DriftTable, OrderTicket, TradePlan
from src.core.run.settlement import Settlement, settle
from src.core.running.parts import Run, Terms
from src.core.valuation import value_account
from src.io.journal.db import JournalDb, open_journal
from src.simulator.gateway.server import SimulatedGateway
from src.simulator.scenario.records import (
    ContractSetup,
    OrderBehaviour,
    OrderRule,
    PositionSetup,
    Scenario,
)
from tests.kits.client_kit import SendTimes, gateway, limited, settings_for
from tests.kits.exchange_kit import ACCOUNT, account, scenario
from tests.kits.journal_kit import outcomes_of

QUICK = Patience(
    answer_sec=Decimal("0.5"),
    cancel_sec=Decimal("0.5"),
    proof_sec=Decimal("0.1"),
    commission_sec=Decimal("0.3"),
    account_sec=Decimal(1),
)
PRICES = {"AAA": 100, "BBB": 50, "CCC": 20, "DDD": 10}
HELD = {"AAA": 40, "BBB": 40}
Line = tuple[str, str, int]
Meanwhile = Callable[[SimulatedGateway, asyncio.Event], Awaitable[None]]


def market(*rules: OrderRule, cash: int = 1000, **changes: object) -> Scenario:
    """Four ETFs without spread, 40 AAA and 40 BBB held."""
    contracts = tuple(
        ContractSetup(con_id=11 + n, symbol=name, price=Decimal(price), spread=Decimal(0))
        for n, (name, price) in enumerate(PRICES.items())
    )
    positions = tuple(
        PositionSetup(symbol=name, quantity=Decimal(qty), avg_cost=Decimal(10))
        for name, qty in HELD.items()
    )
    values: dict[str, object] = {
        "accounts": (account(cash={"USD": Decimal(cash)}, positions=positions),),
        "contracts": contracts,
        "order_rules": rules,
        "fill_delay_sec": 0.02,
    }
    return scenario(**{**values, **changes})


def crowd(orders: int, latency_sec: float = 0.02) -> tuple[Scenario, list[Line]]:
    """Half of the symbols held and to be sold, the other half to be bought with the money."""
    names = [f"S{number:03d}" for number in range(orders)]
    held, wanted = names[: orders // 2], names[orders // 2 :]
    positions = tuple(
        PositionSetup(symbol=name, quantity=Decimal(10), avg_cost=Decimal(90)) for name in held
    )
    contracts = tuple(
        ContractSetup(con_id=100 + number, symbol=name, price=Decimal(100), spread=Decimal(0))
        for number, name in enumerate(names)
    )
    setting = scenario(
        accounts=(account(cash={"USD": Decimal(1000)}, positions=positions),),
        contracts=contracts,
        fill_delay_sec=latency_sec,
    )
    lines: list[Line] = [("SELL", name, 10) for name in held]
    lines += [("BUY", name, 10) for name in wanted]
    return setting, lines


def rule(behaviour: OrderBehaviour, *symbols: str, **conditions: tuple[object, ...]) -> OrderRule:
    """Orders in these symbols behave so."""
    return OrderRule(then=behaviour, symbols=symbols, **conditions)  # type: ignore[arg-type]


@dataclass(slots=True)
class Trading:
    """One execution and everything it left behind."""

    result: Run
    settlement: Settlement
    events: tuple[JournalEvent, ...]
    wire: list[tuple[str, tuple[str, ...]]]
    spent_sec: float
    busiest_second: int = 0
    shown: list[object] = field(default_factory=list)

    @property
    def statuses(self) -> list[str]:
        return [outcome.status.value for outcome in self.result.outcomes]

    def sent(self, name: str) -> int:
        """How many messages of this kind the gateway received."""
        return sum(one == name for one, _ in self.wire)


@dataclass(slots=True, kw_only=True)
class Desk:
    """How to trade: settings and what happens meanwhile."""

    execution: ExecutionSettings = ExecutionSettings(algo_preference="none")
    rebalance: RebalanceSettings = RebalanceSettings(min_order_usd=Decimal(0))
    patience: Patience = QUICK
    meanwhile: Meanwhile | None = None
    pause_sec: float = 0


def trade(setting: Scenario, lines: list[Line], home: Path, how: Desk | None = None) -> Trading:
    """Execute these lines and settle the account; nothing is left to check by hand but results."""
    return limited(_trade(setting, lines, home, how or Desk()))


async def _trade(setting: Scenario, lines: list[Line], home: Path, how: Desk) -> Trading:
    async with gateway(setting) as server:
        settings = settings_for(server.port)._replace(
            execution=how.execution, rebalance=how.rebalance
        )
        async with open_session(settings, trading=True) as session:
            left = SendTimes(session)
            with open_journal(home / "journal.sqlite3", ACCOUNT) as journal:
                trading = await _execute(session, journal, (lines, settings, how), server)
        trading.wire = [(one.name, tuple(map(str, one.fields))) for one in server.wire_log]
        trading.busiest_second = left.busiest_second()
        assert outcomes_of(trading.events) == trading.result.outcomes
        return trading


async def _execute(
    session: IbkrSession,
    journal: JournalDb,
    task: tuple[list[Line], Settings, Desk],
    server: SimulatedGateway,
) -> Trading:
    lines, settings, how = task
    snapshot = await session.fetch_snapshot(fresh=True)
    lookups = await session.known_symbols([*HELD, *(symbol for _, symbol, _ in lines)])
    listings = {name: one.listing for name, one in lookups.items() if one.listing is not None}
    plan = make_plan(lines, snapshot, listings)
    await asyncio.sleep(how.pause_sec)
    permit = _permit(plan, snapshot)
    _record(journal, plan, permit)
    desk = session.open_order_desk(permit)

    async def reconnect() -> OrderDesk:
        await desk.reconnect()
        return desk

    stop = asyncio.Event()
    terms = Terms(
        plan=plan,
        permit=permit,
        settings=settings,
        before=snapshot,
        listings=listings,
        client_id=desk.client_id,
        patience=how.patience,
    )
    run = ExecutionRun(terms=terms, journal=journal, reconnect=reconnect, stop=stop)
    other = None if how.meanwhile is None else asyncio.ensure_future(how.meanwhile(server, stop))
    started = asyncio.get_running_loop().time()
    result = await execute(run, desk)
    spent = asyncio.get_running_loop().time() - started
    if other is not None:
        await other
    after = result.after
    return Trading(
        result=result,
        settlement=(
            Settlement(was_read=False)
            if after is None
            else settle(plan, snapshot, after, result.outcomes)
        ),
        events=journal.events(permit.run_id),
        wire=[],
        spent_sec=spent,
    )


def make_plan(
    lines: list[Line], snapshot: AccountSnapshot, listings: dict[str, Listing]
) -> TradePlan:
    """A plan with exactly these lines, sells before buys as given; unknown prices are 100."""
    tickets = tuple(
        OrderTicket(
            con_id=listings[symbol].con_id,
            symbol=symbol,
            side=Side(side),
            qty_shares=Decimal(qty),
            est_price_usd=Decimal(PRICES.get(symbol, 100)),
            est_value_usd=Decimal(PRICES.get(symbol, 100) * qty),
        )
        for side, symbol, qty in lines
    )
    prices = PriceBook(
        prices={
            name: Price(
                symbol=name,
                price_usd=Decimal(PRICES.get(name, 100)),
                source="last",
                is_preferred=True,
            )
            for name in {*listings, *(one.symbol for one in snapshot.positions)}
        }
    )
    valued = value_account(snapshot, prices, {name: one.con_id for name, one in listings.items()})
    return TradePlan(
        account_id=snapshot.account_id,
        tickets=tickets,
        skipped=(),
        before=valued,
        after=valued,
        drift_before=DriftTable(rows=()),
        drift_after=DriftTable(rows=()),
        cash_floor_usd=Decimal(0),
        plan_hash="abc",
    )


def _permit(plan: TradePlan, snapshot: AccountSnapshot) -> TradePermit:
    now = datetime.now(timezone.utc)
    return TradePermit(
        account_id=plan.account_id,
        allow_live=False,
        run_id=make_run_id(now),
        order_prefix=PREFIX,
        plan_hash=plan.plan_hash,
        tickets=plan.tickets,
        held_shares={one.con_id: one.qty_shares for one in snapshot.positions},
        max_order_usd=Decimal(0),
        max_run_usd=Decimal(0),
        max_orders=1000,
        granted_at_utc=now,
        first_order_within_sec=Decimal(120),
        lifetime_sec=Decimal(1000),
    )


def _record(journal: JournalDb, plan: TradePlan, permit: TradePermit) -> None:
    at_utc = permit.granted_at_utc
    journal.append(
        PlanRecorded(
            run_id=permit.run_id,
            at_utc=at_utc,
            started_utc=at_utc,
            plan=plan,
            client_id=42,
            order_prefix=permit.order_prefix,
            is_simulated=False,
        )
    )
    journal.append(Approved(run_id=permit.run_id, at_utc=at_utc, plan_hash=plan.plan_hash))
