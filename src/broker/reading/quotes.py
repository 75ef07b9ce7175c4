"""Quotes for many symbols at once, each done at its first usable field.

Per symbol up to three stages, one after the other: live, snapshot, delayed. A stage ends at the
first usable value of the wanted field, at a refusal, or when its share of the time is over. A line
that the broker ends takes its price with it, and the symbol is asked about once more. A symbol
starts as soon as its contract is known, whatever the others do. The time limit covers all
stages of all symbols, plus what the broker's message limit alone takes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from src.base.settings import PricingSettings
from src.broker.client import convert
from src.broker.client.notices import Topic, last_few
from src.broker.reading.quote_line import LineState, QuoteLine
from src.broker.reading.quote_lines import QuoteLines
from src.broker.wire.pacing import backoff_sec
from src.core.pricing import usable_price
from src.core.records.market import DataKind, Quote, Quotes, QuoteStage
from src.core.records.portfolios import Symbol

if TYPE_CHECKING:
    from ib_async.contract import Contract

    from src.broker.reading.contracts import Listings
    from src.broker.reading.ib_link import Link

_SHARES: Final = {QuoteStage.LIVE: 0.4, QuoteStage.SNAPSHOT: 0.3, QuoteStage.DELAYED: 0.3}
_SETTLE_SEC: Final = 0.03
_FRESH_SEC: Final = 10.0
_LATE_FIELD_SEC: Final = 1.0


@dataclass(slots=True)
class _Round:
    """One call: what was wanted and the lines that answered, per symbol.

    ``news`` of a symbol serves all its lines: a field that comes late ends a later stage too.
    """

    pricing: PricingSettings
    lines: dict[Symbol, list[QuoteLine]]
    news: dict[Symbol, asyncio.Event] = field(default_factory=dict)
    contracts: dict[Symbol, Contract] = field(default_factory=dict)

    def usable_line(self, symbol: Symbol) -> QuoteLine | None:
        usable = (line for line in self.lines[symbol] if line.state is LineState.USABLE)
        return next(usable, None)

    def unpriced(self) -> list[Symbol]:
        return [symbol for symbol in self.lines if self.usable_line(symbol) is None]

    def count_text(self) -> str:
        """``7 of 20 prices``."""
        return f"{len(self.lines) - len(self.unpriced())} of {len(self.lines)} prices"

    def lost_prices(self) -> list[Symbol]:
        """Symbols whose price was taken back when the broker ended its line."""
        lost = (s for s in self.unpriced() if any(one.has_lost_price for one in self.lines[s]))
        return list(lost)


class QuoteDesk:
    """Asks for quotes over one connection and remembers the streams that are still running."""

    def __init__(self, link: Link, listings: Listings) -> None:
        self._link = link
        self._listings = listings
        self._lines = QuoteLines(link)
        self._streams: dict[int, QuoteLine] = {}
        self._losses = 0

    async def fetch(
        self,
        symbols: Collection[Symbol],
        held: Mapping[Symbol, int],
        pricing: PricingSettings,
    ) -> Quotes:
        """Quotes by symbol and stage; ``held`` maps symbols to the con ids known already.

        A stream that is still running and ticked in the last seconds is the answer by itself.
        Raises: BrokerLost.
        """
        this = _Round(pricing=pricing, lines={s: [] for s in sorted(set(symbols))})
        upstream = self._link.listener.upstream
        await self._link.wait_upstream()
        outages = upstream.outages
        with self._link.waits.on(this.count_text, float(pricing.price_timeout_sec)):
            await self._ask_all(list(this.lines), held, this)
            await self._link.wait_upstream()
            self._forget_lost_streams()
            again = this.unpriced() if upstream.outages != outages else this.lost_prices()
            if again:
                await self._ask_all(again, held, this)
        unpriced = set(this.unpriced())
        quotes = {s: tuple(line.quote() for line in lines) for s, lines in this.lines.items()}
        return {s: self._explained(q) if s in unpriced else q for s, q in quotes.items()}

    def _explained(self, stages: tuple[Quote, ...]) -> tuple[Quote, ...]:
        """With what the broker said of its data farms, which may be why no price came."""
        said = last_few(self._link.listener.notices.about(Topic.QUOTES))
        if not (said and stages):
            return stages
        told = next((number for number, quote in enumerate(stages) if quote.refusal), 0)
        refusal = "; ".join(filter(None, (stages[told].refusal, said)))
        return (*stages[:told], replace(stages[told], refusal=refusal), *stages[told + 1 :])

    async def _ask_all(
        self, symbols: list[Symbol], held: Mapping[Symbol, int], this: _Round
    ) -> None:
        self._forget_lost_streams()
        tasks = [asyncio.ensure_future(self._price(s, held.get(s, 0), this)) for s in symbols]
        try:
            unknown = [symbol for symbol in symbols if symbol not in held]
            await asyncio.gather(*(self._listings.lookup(symbol) for symbol in unknown))
            limit = float(this.pricing.price_timeout_sec) + self._link.client.queue_sec(len(tasks))
            await self._link.until_done(tasks, limit)
            await self._let_settle(this)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _forget_lost_streams(self) -> None:
        losses = self._link.listener.upstream.losses
        if losses != self._losses:
            self._losses = losses
            self._lines.forget_all()
            self._streams.clear()

    async def _let_settle(self, this: _Round) -> None:
        """The halt tick follows the first price; give the rest of the burst a moment."""
        used = [this.usable_line(symbol) for symbol in this.lines]
        if any(line is not None and not line.knows_halt for line in used):
            await asyncio.sleep(_SETTLE_SEC)

    async def _price(self, symbol: Symbol, con_id: int, this: _Round) -> None:
        """All stages of one symbol."""
        contract = await self._contract(symbol, con_id)
        if contract is None:
            return
        stream = self._running_stream(contract.conId, this.pricing)
        if stream is not None:
            this.lines[symbol].append(stream)
            return
        this.contracts[symbol] = contract
        stages = list(_SHARES) if this.pricing.fallback_to_snapshot else [QuoteStage.LIVE]
        for stage in stages:
            share = _SHARES[stage] if len(stages) > 1 else 1.0
            await self._run_stage(symbol, stage, share, this)
            if this.usable_line(symbol) is not None:
                break
        else:
            await _late_field(symbol, this)
        line = this.usable_line(symbol)
        if line is not None and line.stage is QuoteStage.LIVE and line.kind is DataKind.LIVE:
            self._streams[contract.conId] = line

    async def _contract(self, symbol: Symbol, con_id: int) -> Contract | None:
        if con_id:
            return convert.known_contract(con_id, symbol)
        listing = (await self._listings.lookup(symbol)).listing
        return None if listing is None else convert.known_contract(listing.con_id, symbol)

    async def _run_stage(
        self, symbol: Symbol, stage: QuoteStage, share: float, this: _Round
    ) -> None:
        """Ask until a value, a refusal, the end, or the end of the stage's time."""
        clock = asyncio.get_running_loop().time
        ends_at: float | None = None
        contract, attempt = this.contracts[symbol], 0
        news = this.news.setdefault(symbol, asyncio.Event())
        while this.usable_line(symbol) is None:
            news.clear()
            source = this.pricing.price_source
            line = QuoteLine(symbol, stage, source, news=news, clock=clock)
            this.lines[symbol].append(line)
            try:
                await self._lines.open(line, contract)
                ends_at = ends_at or clock() + share * float(this.pricing.price_timeout_sec)
                await _news(news, ends_at - clock())
            finally:
                self._lines.settled(line)
            is_crowded = line.state in (LineState.NO_LINE, LineState.TOO_FAST)
            if not is_crowded or clock() >= ends_at:
                return
            this.lines[symbol].remove(line)
            attempt += 1
            pause = backoff_sec(attempt, random.random())  # noqa: S311 - spreads, hides nothing
            await asyncio.sleep(min(pause, ends_at - clock()))

    def _running_stream(self, con_id: int, pricing: PricingSettings) -> QuoteLine | None:
        line = self._streams.get(con_id)
        if line is None or line.arrived_sec is None or not self._lines.is_running(line):
            return None
        is_fresh = asyncio.get_running_loop().time() - line.arrived_sec < _FRESH_SEC
        is_usable = usable_price(line.quote(), pricing.price_source) is not None
        return line if is_fresh and is_usable else None


async def _late_field(symbol: Symbol, this: _Round) -> None:
    """A line that was refused in part may still bring what needs no subscription."""
    if any(line.is_partial for line in this.lines[symbol]):
        news = this.news[symbol]
        news.clear()
        await _news(news, _LATE_FIELD_SEC)


async def _news(news: asyncio.Event, timeout_sec: float) -> None:
    try:
        await asyncio.wait_for(news.wait(), max(timeout_sec, 0))
    except asyncio.TimeoutError:
        return
