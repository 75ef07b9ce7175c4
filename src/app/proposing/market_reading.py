"""What the broker says for plans of one account or several: one reading of the market for all.

Each instrument is looked up and priced once, however many accounts hold or want it. Nothing is
concluded here; that is left to ``src.app.proposing.planning``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from src.app.proposing.inputs import Inputs
from src.core.calendar.sessions import is_open
from src.core.pricing import MarketMoment, choose_prices
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, PriceBook, Quotes, SymbolLookup
from src.core.records.orders import WorkingOrder
from src.core.records.portfolios import Symbol
from src.core.stubs import set_stubs_aside
from src.core.targets import apply_unlisted, symbols_to_price
from src.core.wishes.effect import wishable
from src.io.cross_checks import check_contracts
from src.io.portfolio_csv import check_all_symbols

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from src.base.settings import Settings
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


class Managed(NamedTuple):
    """What is managed of an account, and the files that say so."""

    snapshot: AccountSnapshot
    inputs: Inputs

    @property
    def known(self) -> frozenset[Symbol]:
        """What a wish may name."""
        return wishable(self.snapshot, self.inputs.targets)


def manage(snapshot: AccountSnapshot, inputs: Inputs) -> Managed:
    """Leave alone what the settings say so of.

    Raises: Refused for what no model lists, where the settings forbid it.
    """
    rules = inputs.settings.rebalance
    return Managed(apply_unlisted(snapshot, inputs.portfolios.symbols, rules), inputs)


async def read_together(view: MarketView, accounts: Sequence[Managed]) -> list[list[Managed]]:
    """The accounts in groups that one reading of the market serves.

    Quotes go by ticker, so in a group a ticker may mean one contract only: what the broker lists
    under it. An account that holds another one under it is read by itself.
    Raises: BrokerLost.
    """
    held = {position.symbol for one in accounts for position in one.snapshot.positions}
    listed = {symbol for one in accounts for symbol in one.inputs.portfolios.symbols}
    lookups = await view.known_symbols(sorted(held | listed))
    plain = [one for one in accounts if _holds_what_is_listed(one, lookups)]
    return [group for group in (plain, *([one] for one in accounts if one not in plain)) if group]


def _holds_what_is_listed(account: Managed, lookups: Mapping[Symbol, SymbolLookup]) -> bool:
    return all(
        (listing := lookups[one.symbol].listing) is not None and listing.con_id == one.con_id
        for one in account.snapshot.positions
    )


async def read_market(view: MarketView, accounts: Sequence[Managed]) -> tuple[Reading, ...]:
    """Ask everything that plans for these accounts need at once, each instrument once.

    A quote is asked as soon as its symbol is known. Positions that the broker no longer knows are
    set aside in the readings' snapshots.
    Raises: UnknownSymbolError, BrokerLost.
    """
    needed = sorted({s for held, one in accounts for s in symbols_to_price(held, one.targets)})
    every = sorted({*needed, *(s for _, one in accounts for s in one.portfolios.symbols)})
    settings = accounts[0][1].settings  # prices and contracts are chosen for all alike
    async with (
        _running(view.fetch_clock_offset()) as clock_offset,
        _running(view.fetch_working_orders()) as working_orders,
        _running(_after_the_short_questions(needed, view, settings)) as quotes,
    ):
        await _let_ask()
        lookups = await view.known_symbols(every)
        check_all_symbols([one.portfolios for _, one in accounts], lookups)
        check_contracts(settings, lookups)
        found, orders, offset = await quotes, await working_orders, await clock_offset
    return tuple(
        Reading(
            snapshot=set_stubs_aside(held, one.portfolios.symbols, lookups, found),
            lookups=lookups,
            quotes=found,
            working_orders=orders,
            clock_offset=offset,
        )
        for held, one in accounts
    )


async def _after_the_short_questions(
    needed: Collection[Symbol], view: MarketView, settings: Settings
) -> Quotes:
    """Quotes of hundreds of symbols may queue for seconds: nothing else should wait behind them."""
    await _let_ask()
    return await view.fetch_quotes(needed, settings.pricing)


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
