"""The middle of the street: what the broker says → prices → drift → sized trades.

One place makes a plan, whether for a dry run, for the prompt, for the second look after a stale
answer, or from a file, of one account or of several at once. What the broker says is read in
``src.app.proposing.market_reading``; deciding is left to ``src.core``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Union

from src.app.proposing.inputs import Books, Inputs
from src.app.proposing.market_reading import (
    Managed,
    Reading,
    manage,
    price,
    read_market,
    read_together,
)
from src.base.errors import RebalancerError, Refused
from src.core.account.account_rules import spendable_now, unknown_kind
from src.core.account.net_liq_check import broker_net_liq_check
from src.core.permission.market_state import MarketState, previous_closes
from src.core.permission.permit import trading_obstacles
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, PriceBook
from src.core.records.plan import TradePlan
from src.core.records.portfolios import Symbol
from src.core.run.recent_wishes import earlier_invests, earlier_withdrawals
from src.core.settled_buys import wait_for_settlement
from src.core.showing.names import money_lookalikes, unclear_holdings
from src.core.targets import unlisted_symbols
from src.core.valuation import value_account
from src.core.wishes.effect import check_wish_names, plan_with_wishes, wishable, wishes_here
from src.io.cross_checks import idle_contracts
from src.io.portfolio_csv import check_symbols

if TYPE_CHECKING:
    from collections.abc import Callable

    from src.broker.ports import MarketView
    from src.broker.reading.market_reader import MarketReader
    from src.core.costs.what_if import PlanCosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One account to plan for: the user's files, and what earlier runs left of it."""

    inputs: Inputs
    books: Books


Outcome = Union["LiveProposal", RebalancerError]
"""The plan of one of several accounts, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan, what it was made from, and what is to be said about it.

    ``warnings`` question the figures; ``obstacles`` forbid trading; ``not_in_model`` are held
    symbols that no model lists and that are sold. ``alerts`` about earlier wishes stand above
    everything, ``reminders`` of them above the prompt. ``costs`` are the broker's word on the plan.
    ``clock_offset`` is gateway time minus ours. Planned from a file there are no listings.
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
    costs: PlanCosts | None = None
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
    snapshot = await view.fetch_snapshot(fresh=fresh)
    (reading,) = await read_market(view, [manage(snapshot, inputs)])
    return _proposal(view, reading, inputs, books, now)


async def propose_all(
    view: MarketReader, wanted: Sequence[Wanted], now: Callable[[], datetime]
) -> tuple[Outcome, ...]:
    """A plan for each account, from one reading of the market; what stops one stops no other.

    Raises: InputError for symbols and wishes that are wrong, BrokerLost.
    """
    snapshots = await view.fetch_snapshots()
    found: list[Outcome | Managed] = [
        _managed_or_why_not(snapshots[one.inputs.settings.ibkr.account_id], one.inputs)
        for one in wanted
    ]
    managed = [one for one in found if isinstance(one, Managed)]
    if managed:
        check_wish_names(wanted[0].inputs.wishes, [one.known for one in managed])
    readings: dict[str, Reading] = {}
    for group in await read_together(view, managed) if managed else ():
        names = [one.snapshot.account_id for one in group]
        readings |= zip(names, await read_market(view.only(names), group), strict=True)
    return tuple(
        (
            _proposal_or_why_not(view, readings[one.snapshot.account_id], asked, now)
            if isinstance(one, Managed)
            else one
        )
        for one, asked in zip(found, wanted, strict=True)
    )


def _managed_or_why_not(
    snapshot: AccountSnapshot | RebalancerError, inputs: Inputs
) -> Managed | RebalancerError:
    if isinstance(snapshot, RebalancerError):
        return snapshot
    try:
        return manage(snapshot, inputs)
    except Refused as error:
        return error


def _proposal_or_why_not(
    view: MarketView, reading: Reading, wanted: Wanted, now: Callable[[], datetime]
) -> Outcome:
    try:
        return _proposal(view, reading, wanted.inputs, wanted.books, now)
    except Refused as error:
        return error


def _proposal(
    view: MarketView, reading: Reading, inputs: Inputs, books: Books, now: Callable[[], datetime]
) -> LiveProposal:
    """From a reading to the plan and all that is to be said about it.

    Raises: Refused where the figures cannot be true.
    """
    settings, held = inputs.settings, reading.snapshot
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
            *idle_contracts(settings, inputs.portfolios.symbols, held),
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
    known = wishable(snapshot, inputs.targets)
    check_wish_names(inputs.wishes, [known, inputs.known_elsewhere])
    wishes = wishes_here(inputs.wishes, known)
    account = value_account(snapshot, prices, con_ids)
    plan = plan_with_wishes(account, inputs.targets, rules, wishes, prices.halted)
    return wait_for_settlement(plan, spendable_usd, rules)


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
    (reading,) = await read_market(view, [manage(snapshot, inputs)])
    return market_state(view, reading, price(reading, inputs, now()), books)


def aged(state: MarketState, plan_age_sec: Decimal) -> MarketState:
    """The same state, judged with the plan's true age."""
    return replace(state, plan_age_sec=plan_age_sec)


def _unique(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _without(said: Collection[str], *texts: str) -> tuple[str, ...]:
    """Each text once, and none that is said already."""
    return tuple(text for text in _unique(*texts) if text and text not in said)
