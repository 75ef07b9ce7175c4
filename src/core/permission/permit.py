"""The permission to trade one approved plan: no permit, no order desk.

``trading_obstacles`` runs every guard: a dry run shows the result as warnings, ``--confirm`` is
refused by it before the prompt. ``grant_permit`` reads the user's answer, asks the guards once
more and is the only maker of a ``TradePermit``. The permit repeats what was approved, so that the
gate in front of the socket can check each order without knowing the planner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from src.base.errors import Refused
from src.base.settings import ExecutionSettings, Settings
from src.core.permission.guards_account import (
    clock,
    live_account,
    managed_account,
    open_runs,
    other_run,
    read_only_api,
    recent_trades,
)
from src.core.permission.guards_costs import excess_liquidity, refused_by_broker
from src.core.permission.guards_kind import free_riding, never_borrows
from src.core.permission.guards_market import (
    broker_net_liq,
    halted,
    market_open,
    outside_regular_hours,
    split_suspected,
)
from src.core.permission.guards_orders import (
    hard_limits,
    long_only,
    order_ids,
    plan_age,
    same_contracts,
    unknown_own_orders,
    working_orders,
)
from src.core.permission.market_state import Guard, MarketState, Obstacle
from src.core.records.plan import OrderTicket, TradePlan

GUARDS: Final[tuple[Guard, ...]] = (
    managed_account,
    live_account,
    never_borrows,
    read_only_api,
    other_run,
    open_runs,
    recent_trades,
    unknown_own_orders,
    working_orders,
    market_open,
    outside_regular_hours,
    halted,
    long_only,
    same_contracts,
    hard_limits,
    order_ids,
    plan_age,
    split_suspected,
    broker_net_liq,
    free_riding,
    refused_by_broker,
    excess_liquidity,
    clock,
)
_SLACK_SEC: Final = Decimal(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePermit:
    """What the user approved, and within which limits. Made by ``grant_permit`` alone.

    ``tickets`` are the approved plan lines (line n is ``tickets[n - 1]``). ``held_shares`` maps
    con id → shares held, the most that may be sold. A limit of 0 USD means none.
    ``first_order_within_sec`` and ``lifetime_sec`` count from ``granted_at_utc`` on a clock that
    goes on in sleep: the plan must start before the first, and nothing is sent after the second.
    """

    account_id: str
    allow_live: bool
    run_id: str
    order_prefix: str
    plan_hash: str
    tickets: tuple[OrderTicket, ...]
    held_shares: Mapping[int, Decimal]
    max_order_usd: Decimal
    max_run_usd: Decimal
    max_orders: int
    granted_at_utc: datetime
    first_order_within_sec: Decimal
    lifetime_sec: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The user did not say yes. Not an error: nothing is sent and the exit code is 0."""

    reason: str


def trading_obstacles(
    plan: TradePlan, state: MarketState, settings: Settings, now_utc: datetime
) -> tuple[Obstacle, ...]:
    """Everything that forbids trading this plan now (and the guards' warnings), all at once."""
    return tuple(obstacle for guard in GUARDS for obstacle in guard(plan, state, settings, now_utc))


def refuse_obstacles(obstacles: tuple[Obstacle, ...]) -> None:
    """Raises: Refused naming every obstacle that is more than a warning."""
    reasons = [obstacle.text for obstacle in obstacles if not obstacle.is_warning]
    if reasons:
        raise Refused("trading refused: " + "; ".join(reasons))


def is_approval(answer: str | None, settings: Settings) -> bool:
    """True for ``y`` or ``yes`` in any case; with allow_live only for the account id itself."""
    said = (answer or "").strip()
    if settings.ibkr.allow_live:
        return said.upper() == settings.ibkr.account_id.upper()
    return said.lower() in {"y", "yes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The user's answer to one shown plan; ``text`` None is end of input."""

    text: str | None
    run_id: str
    plan_hash: str


def grant_permit(
    answer: Answer,
    plan: TradePlan,
    state: MarketState,
    settings: Settings,
    now_utc: datetime,
) -> TradePermit | Declined:
    """Turn a yes to exactly this plan into a permit.

    Raises: Refused when read-only is in force, when the answer belongs to another plan, or when
    a guard says no.
    """
    if not is_approval(answer.text, settings):
        return Declined(reason="end of input" if answer.text is None else "answered no")
    if settings.ibkr.read_only:
        raise Refused("read-only is in force: nothing is sent")
    if answer.plan_hash != plan.plan_hash:
        raise Refused("the approved plan is not the plan to be traded; run again")
    refuse_obstacles(trading_obstacles(plan, state, settings, now_utc))
    if settings.rebalance.min_excess_liquidity_usd and state.costs is None:
        raise Refused("the broker was not asked for the excess liquidity after the plan")
    limits = settings.execution
    return TradePermit(
        account_id=settings.ibkr.account_id,
        allow_live=settings.ibkr.allow_live,
        run_id=answer.run_id,
        order_prefix=state.order_prefix,
        plan_hash=plan.plan_hash,
        tickets=plan.tickets,
        held_shares=state.snapshot.held_shares,
        max_order_usd=limits.max_order_usd,
        max_run_usd=limits.max_run_usd,
        max_orders=limits.max_orders,
        granted_at_utc=now_utc,
        first_order_within_sec=limits.plan_max_age_sec - state.plan_age_sec,
        lifetime_sec=_lifetime_sec(limits, len(plan.tickets)),
    )


def _lifetime_sec(limits: ExecutionSettings, tickets: int) -> Decimal:
    """Time for every order and its one fallback to run into its limit, one batch after another."""
    rounds = 2 if limits.batch_orders else tickets
    return limits.plan_max_age_sec + 2 * rounds * limits.order_timeout_sec + _SLACK_SEC
