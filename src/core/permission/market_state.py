"""What the guards look at: everything the broker said about the account and the market, once.

Also home of ``Obstacle``, a guard's answer, and of ``Guard``, the one signature all guards share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from src.base.settings import Settings
from src.core.calendar.act_times import LocalTime
from src.core.permission.recent_trades import RecentTrades
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, PriceBook, Quotes
from src.core.records.orders import Fill, WorkingOrder
from src.core.records.plan import TradePlan
from src.core.records.portfolios import Symbol

if TYPE_CHECKING:
    from src.core.costs.what_if import PlanCosts


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketState:
    """The account and its market at one moment, as far as trading depends on it.

    ``working_orders`` is None when the gateway's read-only mode refuses to list them.
    ``previous_closes`` holds the last session's close where the broker gave one.
    ``plan_age_sec`` is the time since the plan was begun, the computer's sleep included.
    ``clock_offset`` is gateway time minus our time. ``journalled_refs`` are all order refs of the
    account's journal, ``open_runs`` the ids of runs that still have to be settled, and
    ``lock_holder`` describes another run that holds the account (empty: none).
    ``recent_trades`` are those of the last runs, the newest last; ``unknown_fills`` are today's
    executions of this program that the journal does not know. ``highest_order_id`` is the highest
    that was seen of any client. ``todays_fills`` are the executions of the account that the broker
    lists, whoever's they are, where it was asked. ``local_time`` tells this computer's wall clock.
    ``costs`` is what the broker says of the plan, where it was asked.
    """

    managed_accounts: tuple[str, ...]
    snapshot: AccountSnapshot
    listings: Mapping[Symbol, Listing]
    prices: PriceBook
    previous_closes: Mapping[Symbol, Decimal]
    working_orders: tuple[WorkingOrder, ...] | None
    plan_age_sec: Decimal
    clock_offset: timedelta = timedelta(0)
    order_prefix: str
    journalled_refs: frozenset[str] = frozenset()
    open_runs: tuple[str, ...] = ()
    lock_holder: str = ""
    recent_trades: tuple[RecentTrades, ...] = ()
    highest_order_id: int = 0
    unknown_fills: tuple[Fill, ...] = ()
    todays_fills: tuple[Fill, ...] = ()
    local_time: LocalTime | None = None
    costs: PlanCosts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One reason not to trade, in one plain sentence.

    ``is_warning`` marks what is worth saying but forbids nothing, not even an order.
    """

    text: str
    is_warning: bool = False


Guard = Callable[[TradePlan, MarketState, Settings, datetime], tuple[Obstacle, ...]]
"""Plan, market state, settings and the time now (UTC) → what stands in the way."""


def obstacles(*texts: str) -> tuple[Obstacle, ...]:
    """One obstacle per sentence."""
    return tuple(Obstacle(text=text) for text in texts)


def previous_closes(quotes: Quotes) -> dict[Symbol, Decimal]:
    """The previous close per symbol, from the first stage that brought one."""
    closes = (
        (symbol, next((one.close_usd for one in stages if one.close_usd is not None), None))
        for symbol, stages in quotes.items()
    )
    return {symbol: close for symbol, close in closes if close is not None}
