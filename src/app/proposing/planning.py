"""The middle of the street: what the broker says → prices → drift → sized trades.

One place makes a plan, whether for a dry run, for the prompt, for the second look after a stale
answer, or from a file. Reading happens through ``MarketView``; deciding is left to ``src.core``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from src.app.proposing.inputs import Books, Inputs
from src.core.account.account_rules import spendable_now, unknown_kind
from src.core.account.net_liq_check import broker_net_liq_check
from src.core.calendar.sessions import is_open
from src.core.permission.market_state import MarketState, previous_closes
from src.core.permission.permit import trading_obstacles
from src.core.pricing import MarketMoment, choose_prices
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, PriceBook, Quotes, SymbolLookup
from src.core.records.orders import WorkingOrder
from src.core.records.plan import TradePlan
from src.core.records.portfolios import Symbol
from src.core.run.recent_wishes import earlier_invests, earlier_withdrawals
from src.core.settled_buys import wait_for_settlement
from src.core.showing.names import money_lookalikes, unclear_holdings
from src.core.stubs import set_stubs_aside
from src.core.targets import apply_unlisted, symbols_to_price, unlisted_symbols
from src.core.valuation import value_account
from src.core.wishes.effect import check_wish_names, plan_with_wishes
from src.io.cross_checks import check_contracts, idle_contracts
from src.io.portfolio_csv import check_symbols

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from src.broker.ports import MarketView

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything the broker said for one plan, before anything was concluded from it."""

    snapshot: AccountSnapshot
    lookups: Mapping[Symbol, SymbolLookup]
    quotes: Quotes
    working_orders: tuple[WorkingOrder, ...] | None
    clock_offset: timedelta

    @property
    def listings(self) -> dict[Symbol, Listing]:
        """The symbols that are known for certain."""
        return {
            symbol: lookup.listing
            for symbol, lookup in self.lookups.items()
            if lookup.listing is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan, what it was made from, and what is to be said about it.

    ``warnings`` question the figures; ``obstacles`` forbid trading; ``not_in_model`` are held
    symbols that no model lists and that are sold. ``alerts`` about earlier wishes stand above
    everything, ``reminders`` of them above the prompt. ``clock_offset`` is gateway time minus ours.
    Planned from a file there are no listings.
    """

    plan: TradePlan
    prices: PriceBook
    snapshot: AccountSnapshot
    listings: Mapping[Symbol, Listing]
    not_in_model: frozenset[Symbol] = frozenset()
    warnings: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    reminders: tuple[str, ...] = ()
    clock_offset: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProposal(Proposal):
    """A plan made through a connection, with what the guards look at."""

    state: MarketState


async def propose(
    view: MarketView, inputs: Inputs, books: Books, now: Callable[[], datetime], *, fresh: bool
) -> LiveProposal:
    """Read the market through ``view`` and plan; ``fresh`` asks for the account again.

    Raises: UnknownSymbolError, BrokerLost, and Refused where the figures cannot be true.
    """
    settings = inputs.settings
    snapshot = await view.fetch_snapshot(fresh=fresh)
    managed = apply_unlisted(snapshot, inputs.portfolios.symbols, settings.rebalance)
    reading = await read_market(view, managed, inputs)
    held = reading.snapshot
    symbol_warnings = check_symbols(inputs.portfolios, reading.lookups)
    prices = price(reading, inputs, now())
    con_ids = {symbol: listing.con_id for symbol, listing in reading.listings.items()}
    plan = plan_trades(held, prices, inputs, con_ids, spendable_now(held))
    state = market_state(view, reading, prices, books)
    found = trading_obstacles(plan, state, settings, now())
    obstacles = _unique(*(one.text for one in found if not one.is_warning))
    return LiveProposal(
        plan=plan,
        prices=prices,
        snapshot=held,
        listings=reading.listings,
        state=state,
        not_in_model=unlisted_symbols(held, inputs.portfolios.symbols),
        warnings=_without(
            obstacles,
            *settings.warnings,
            *symbol_warnings,
            *money_lookalikes(inputs.portfolios.symbols, reading.lookups),
            *unclear_holdings(held, reading.lookups),
            *idle_contracts(settings, inputs.portfolios.symbols, snapshot),
            *held.warnings,
            unknown_kind(held.terms),
            *prices.warnings,
            *broker_net_liq_check(held, plan.before).warnings,
            *(one.text for one in found if one.is_warning),
        ),
        obstacles=obstacles,
        alerts=earlier_withdrawals(books.past_wishes, inputs.wishes, now()),
        reminders=earlier_invests(books.past_wishes, inputs.wishes, now()),
        clock_offset=reading.clock_offset,
    )


def plan_trades(
    snapshot: AccountSnapshot,
    prices: PriceBook,
    inputs: Inputs,
    con_ids: Mapping[Symbol, int],
    spendable_usd: Decimal | None,
) -> TradePlan:
    """Value, compare with the targets, select and size: pure from here to the plan.

    ``spendable_usd`` is what buys may cost before anything settles (None: no such bound).
    Raises: InputError for a wish that names what is neither held nor targeted, Refused.
    """
    rules = inputs.settings.rebalance
    check_wish_names(inputs.wishes, snapshot, inputs.targets)
    account = value_account(snapshot, prices, con_ids)
    plan = plan_with_wishes(account, inputs.targets, rules, inputs.wishes, prices.halted)
    return wait_for_settlement(plan, spendable_usd, rules)


async def read_market(view: MarketView, snapshot: AccountSnapshot, inputs: Inputs) -> Reading:
    """Ask everything a plan needs at once; a quote is asked as soon as its symbol is known.

    Positions that the broker no longer knows are set aside in the reading's snapshot.
    """
    needed = symbols_to_price(snapshot, inputs.targets)
    every = sorted({*needed, *inputs.portfolios.symbols})
    async with (
        _running(view.fetch_clock_offset()) as clock_offset,
        _running(view.fetch_working_orders()) as working_orders,
        _running(_after_the_short_questions(needed, view, inputs)) as quotes,
    ):
        await _let_ask()
        lookups = await view.known_symbols(every)
        check_symbols(inputs.portfolios, lookups)
        check_contracts(inputs.settings, lookups)
        listed, found = inputs.portfolios.symbols, await quotes
        return Reading(
            snapshot=set_stubs_aside(snapshot, listed, lookups, found),
            lookups=lookups,
            quotes=found,
            working_orders=await working_orders,
            clock_offset=await clock_offset,
        )


async def _after_the_short_questions(
    needed: Collection[Symbol], view: MarketView, inputs: Inputs
) -> Quotes:
    """Quotes of hundreds of symbols may queue for seconds: nothing else should wait behind them."""
    await _let_ask()
    return await view.fetch_quotes(needed, inputs.settings.pricing)


async def _let_ask() -> None:
    """Let the tasks begun so far send their questions; each takes at most two turns to do it."""
    for _ in range(2):
        await asyncio.sleep(0)


def price(reading: Reading, inputs: Inputs, now_utc: datetime) -> PriceBook:
    """Choose one price for every held or targeted symbol."""
    symbols = symbols_to_price(reading.snapshot, inputs.targets)
    pricing = inputs.settings.pricing
    gateway_utc = now_utc + reading.clock_offset
    moment = MarketMoment(now_utc=now_utc, open_symbols=_open_now(reading, symbols, gateway_utc))
    return choose_prices(reading.quotes, reading.snapshot, pricing, symbols, moment)


def market_state(
    view: MarketView, reading: Reading, prices: PriceBook, books: Books
) -> MarketState:
    """What the guards look at, for a plan made from this reading just now."""
    return MarketState(
        managed_accounts=view.managed_accounts,
        snapshot=reading.snapshot,
        listings=reading.listings,
        prices=prices,
        previous_closes=previous_closes(reading.quotes),
        working_orders=reading.working_orders,
        plan_age_sec=Decimal(0),
        clock_offset=reading.clock_offset,
        order_prefix=books.order_prefix,
        journalled_refs=books.journalled_refs,
        open_runs=books.open_runs,
        lock_holder=books.lock_holder,
        recent_trades=books.recent_trades,
        highest_order_id=view.highest_order_id,
        unknown_fills=books.unknown_fills,
        todays_fills=books.todays_fills,
        local_time=datetime.astimezone,
    )


async def look_again(
    view: MarketView, inputs: Inputs, books: Books, now: Callable[[], datetime]
) -> MarketState:
    """The second look, after the answer: account, working orders and prices as they are now."""
    snapshot = await view.fetch_snapshot(fresh=True)
    held = apply_unlisted(snapshot, inputs.portfolios.symbols, inputs.settings.rebalance)
    reading = await read_market(view, held, inputs)
    return market_state(view, reading, price(reading, inputs, now()), books)


def aged(state: MarketState, plan_age_sec: Decimal) -> MarketState:
    """The same state, judged with the plan's true age."""
    return replace(state, plan_age_sec=plan_age_sec)


def _open_now(reading: Reading, symbols: Collection[Symbol], at_utc: datetime) -> frozenset[Symbol]:
    listings = reading.listings
    return frozenset(
        symbol
        for symbol in symbols
        if symbol in listings and is_open(listings[symbol].regular_sessions, at_utc)
    )


@asynccontextmanager
async def _running(work: Awaitable[_T]) -> AsyncIterator[asyncio.Future[_T]]:
    """Start work now; leaving the block early cancels it instead of leaving it behind."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _unique(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _without(said: Collection[str], *texts: str) -> tuple[str, ...]:
    """Each text once, and none that is said already."""
    return tuple(text for text in _unique(*texts) if text and text not in said)
