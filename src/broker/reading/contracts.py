"""Look symbols up as USD stocks or ETFs: one listing, or the reason why there is none.

Every symbol is asked once per session, all at the same time. Of several matches none is taken; a
symbol the broker does not know comes back with its own spelling of that share class, or with the
nearest names it offers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from src.base.errors import BrokerLost
from src.base.settings import ContractChoice, ContractChoices
from src.broker.client import convert
from src.broker.client.notices import Topic
from src.broker.client.replies import AnswerRefused
from src.broker.reading.lookup_rows import (
    MAX_CANDIDATES,
    choices,
    is_usd_stock,
    read_chosen,
    read_lookup,
)
from src.broker.wire.pacing import MATCHING_SYMBOLS_INTERVAL_SEC
from src.core.records.market import SymbolLookup
from src.core.records.portfolios import Symbol
from src.core.showing.names import in_words
from src.core.showing.spelling import (
    is_same_class,
    other_spellings,
    root_of,
    ticker_of,
    twin_con_id,
    twin_name,
)

if TYPE_CHECKING:
    from ib_async.contract import Contract, ContractDescription, ContractDetails

    from src.broker.reading.ib_link import Link

log = logging.getLogger(__name__)

_UNKNOWN_CONTRACT: Final = 200
_MAX_SEARCHES: Final = 5


class Listings:
    """The listings of one session; every symbol is asked at most once."""

    def __init__(self, link: Link, chosen: ContractChoices) -> None:
        self._link = link
        self._chosen = chosen
        self._tasks: dict[Symbol, asyncio.Task[SymbolLookup]] = {}
        self._searched: dict[Symbol, SymbolLookup] = {}

    async def lookup(self, symbol: Symbol) -> SymbolLookup:
        """What the broker lists under one symbol; waits as long as the answer takes.

        Raises: BrokerLost.
        """
        return await asyncio.shield(self._start(symbol))

    def begin(self, symbols: Iterable[Symbol]) -> None:
        """Ask about symbols whose answer is wanted later."""
        for symbol in symbols:
            self._start(symbol)

    async def lookup_all(self, symbols: Collection[Symbol]) -> dict[Symbol, SymbolLookup]:
        """All symbols at once; the unknown ones with the nearest names the broker offers.

        Raises: BrokerLost.
        """
        wanted = sorted(set(symbols))
        tasks = [self._start(symbol) for symbol in wanted]
        with self._link.waits.on(lambda: f"{sum(map(_is_done, tasks))} of {len(tasks)} contracts"):
            answers = await asyncio.gather(*(asyncio.shield(task) for task in tasks))
        found = dict(zip(wanted, answers, strict=True))
        unknown = [s for s, one in found.items() if one.is_unknown]
        await self._suggest(unknown[:_MAX_SEARCHES], found)
        return {symbol: self._searched.get(symbol, found[symbol]) for symbol in wanted}

    async def twins(self, held: Iterable[tuple[int, Symbol]]) -> dict[int, Symbol]:
        """Names for held instruments whose ticker [contracts] gives to another contract.

        Maps contract ids to names; a choice that the broker does not confirm names nothing.
        Raises: BrokerLost.
        """
        names = {}
        for con_id, ticker in held:
            if ticker in self._chosen:
                listing = (await self.lookup(ticker)).listing
                if listing is not None and listing.con_id != con_id:
                    names[con_id] = twin_name(ticker, con_id)
        return names

    def use(self, link: Link) -> None:
        """Ask over another link from now on; known answers stay."""
        self.close()
        self._link = link

    def close(self) -> None:
        """Stop what is still being asked."""
        for task in self._tasks.values():
            task.cancel()

    def _start(self, symbol: Symbol) -> asyncio.Task[SymbolLookup]:
        task = self._tasks.get(symbol)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(self._ask(symbol))
            task.add_done_callback(_look_at)
            self._tasks[symbol] = task
        return task

    async def _ask(self, symbol: Symbol) -> SymbolLookup:
        choice = self._chosen.get(symbol, ContractChoice())
        con_id = twin_con_id(symbol) or choice.con_id
        if con_id:
            return await self._ask_by_id(symbol, con_id)
        rows = await self._rows(symbol, convert.lookup_contract(symbol))
        found = read_lookup(symbol, rows, choice)
        return self._with_last_words(found) if found.is_unknown else found

    def _with_last_words(self, found: SymbolLookup) -> SymbolLookup:
        """What the broker said lately about contract details may be why there are none."""
        return replace(found, problem=found.problem + self._link.said_about(Topic.CONTRACTS))

    async def _ask_by_id(self, symbol: Symbol, con_id: int) -> SymbolLookup:
        """One certain instrument; where it will not do, what the ticker could mean instead."""
        routed = await self._rows(symbol, convert.contract_of_id(con_id, exchange="SMART"))
        if routed:
            anywhere = routed
        else:
            anywhere = await self._rows(symbol, convert.contract_of_id(con_id))
        found = read_chosen(symbol, con_id, routed, anywhere)
        found = found if anywhere else self._with_last_words(found)
        if found.listing is not None or twin_con_id(symbol):
            return found
        rows = await self._rows(symbol, convert.lookup_contract(symbol))
        return replace(found, choices=choices(symbol, rows))

    async def _rows(self, symbol: Symbol, contract: Contract) -> list[ContractDetails]:
        """All contract details that agree; none where the broker has no such contract."""
        link, request_id = self._link, self._link.new_request_id()
        try:
            return await link.ask(
                f"contract details of {symbol}",
                request_id,
                lambda: link.client.reqContractDetails(request_id, contract),
                Topic.CONTRACTS,
            )
        except AnswerRefused as refusal:
            if refusal.code != _UNKNOWN_CONTRACT:
                raise BrokerLost(
                    f"the broker declined the contract details of {symbol}: {refusal}; run again"
                ) from refusal
            return []

    async def _suggest(self, unknown: Iterable[Symbol], found: dict[Symbol, SymbolLookup]) -> None:
        """What may be meant by symbols that the broker does not know; no answer is no harm."""
        wanted = [symbol for symbol in unknown if symbol not in self._searched]
        try:
            for symbol in wanted:
                self.begin(other_spellings(symbol))
            for symbol in wanted:
                spelled = await self._respelled(symbol)
                if spelled:
                    self._searched[symbol] = replace(found[symbol], spelled=spelled)
            await self._search([one for one in wanted if one not in self._searched], found)
        except (AnswerRefused, BrokerLost) as error:
            log.info("no search for other names reason=%s", error)

    async def _respelled(self, symbol: Symbol) -> tuple[str, ...]:
        """The share class as this broker writes it, where it knows one of the other spellings."""
        lookups = [await self.lookup(form) for form in other_spellings(symbol)]
        return tuple(in_words(one.listing) for one in lookups if one.listing is not None)

    async def _search(self, unknown: Iterable[Symbol], found: dict[Symbol, SymbolLookup]) -> None:
        """Ask for similar names, one a second as the broker allows."""
        pause = 0.0
        for symbol in unknown:
            await asyncio.sleep(pause)
            pause = MATCHING_SYMBOLS_INTERVAL_SEC
            with self._link.waits.on(f"names similar to {symbol}"):
                similar = await self._similar(symbol)
            self._searched[symbol] = replace(
                found[symbol],
                spelled=tuple(convert.described(one) for one in similar if _is_class(symbol, one)),
                candidates=tuple(convert.described(one) for one in similar[:MAX_CANDIDATES]),
            )

    async def _similar(self, symbol: Symbol) -> list[Contract]:
        """What the broker offers under a name; of a share class under its root."""
        link, request_id = self._link, self._link.new_request_id()
        samples: list[ContractDescription] = await link.ask(
            f"names similar to {symbol}",
            request_id,
            lambda: link.client.reqMatchingSymbols(request_id, root_of(ticker_of(symbol))),
        )
        contracts = [sample.contract for sample in samples if sample.contract is not None]
        return [one for one in contracts if is_usd_stock(one)] or contracts


def _is_class(symbol: Symbol, contract: Contract) -> bool:
    """True for the share class that was meant, written as this broker does."""
    is_other = bool(other_spellings(symbol)) and contract.symbol != symbol
    return is_other and is_usd_stock(contract) and is_same_class(symbol, contract.symbol)


def _is_done(task: asyncio.Task[SymbolLookup]) -> bool:
    return task.done()


def _look_at(task: asyncio.Task[SymbolLookup]) -> None:
    """A failure nobody waits for any more is not worth a warning of the event loop."""
    if not task.cancelled():
        task.exception()
