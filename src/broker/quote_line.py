"""One open request for quotes: collects its ticks and knows when it has said enough.

A line belongs to one request id and one symbol for its whole life, so a late tick can never become
the price of another symbol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from time import monotonic
from typing import Final

from src.broker.convert import utc_from_epoch
from src.broker.pacing import Reply, read_reply
from src.core.pricing import usable_price
from src.core.records import DataKind, Quote, QuoteStage, Symbol
from src.settings import PriceSource

_PRICE_FIELDS: Final = {
    1: "bid",
    2: "ask",
    4: "last",
    9: "close",
    66: "bid",
    67: "ask",
    68: "last",
    75: "close",
}
_FIRST_DELAYED_TICK: Final = 66
_TRADE_TIMES: Final = frozenset({45, 88})
_HALTED: Final = frozenset({49, 90})
_SHOWING_DELAYED: Final = 10167
_KINDS: Final = {
    1: DataKind.LIVE,
    2: DataKind.FROZEN,
    3: DataKind.DELAYED,
    4: DataKind.DELAYED_FROZEN,
}


class LineState(str, Enum):
    """Where a line stands."""

    WAITING = "waiting"
    USABLE = "usable"
    ENDED = "ended"
    REFUSED = "refused"
    NO_LINE = "no line"
    TOO_FAST = "too fast"


@dataclass(slots=True, eq=False)
class QuoteLine:
    """The ticks of one request so far; ``news`` is set once there is nothing to wait for.

    ``clock`` counts seconds that never jump: ``arrived_sec`` is its reading at the last tick.
    """

    symbol: Symbol
    stage: QuoteStage
    source: PriceSource
    state: LineState = LineState.WAITING
    prices: dict[str, Decimal | None] = field(default_factory=dict)
    kind: DataKind = DataKind.LIVE
    is_halted: bool = False
    knows_halt: bool = False
    has_ended: bool = False
    traded_utc: datetime | None = None
    arrived_utc: datetime | None = None
    arrived_sec: float | None = None
    refusal: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], float] = monotonic

    def quote(self) -> Quote:
        """What the line has brought, as a record.

        The time is that of the last trade where the last price is wanted, otherwise of arrival.
        """
        arrived = self.arrived_utc
        return Quote(
            symbol=self.symbol,
            stage=self.stage,
            kind=self.kind,
            bid_usd=self.prices.get("bid"),
            ask_usd=self.prices.get("ask"),
            last_usd=self.prices.get("last"),
            close_usd=self.prices.get("close"),
            as_of_utc=(self.traded_utc or arrived) if self.source == "last" else arrived,
            is_halted=self.is_halted,
            refusal=self.refusal,
        )

    # --- what the broker says ---------------------------------------------------------------

    def on_price(self, tick_type: int, price: Decimal | None) -> None:
        """A price of a field we use; None takes an earlier one back."""
        name = _PRICE_FIELDS.get(tick_type)
        if name is None:
            return
        if tick_type >= _FIRST_DELAYED_TICK and self.kind is DataKind.LIVE:
            self.kind = DataKind.DELAYED
        self.prices[name] = price
        self.arrived_utc = datetime.now(timezone.utc)
        self.arrived_sec = self.clock()
        if self.state is LineState.WAITING and usable_price(self.quote(), self.source) is not None:
            self._settle(LineState.USABLE)

    def on_number(self, tick_type: int, value: Decimal | None) -> None:
        """Trading halted (above 0) or not."""
        if tick_type in _HALTED:
            self.knows_halt = True
            self.is_halted = value is not None and value > 0

    def on_text(self, tick_type: int, value: str) -> None:
        """The time of the last trade."""
        if tick_type in _TRADE_TIMES:
            self.traded_utc = utc_from_epoch(value)

    def on_kind(self, market_data_type: int) -> None:
        """Live, frozen or delayed; an unknown kind counts as delayed."""
        self.kind = _KINDS.get(market_data_type, DataKind.DELAYED)

    def on_end(self) -> None:
        """A snapshot has no more to say."""
        self.has_ended = True
        if self.state is LineState.WAITING:
            self._settle(LineState.ENDED)

    def on_error(self, code: int, text: str) -> None:
        """A refusal ends the line; a notice does not."""
        if code == _SHOWING_DELAYED:
            self.kind = DataKind.DELAYED
        reply = read_reply(code)
        if reply is Reply.NOTICE or self.state is not LineState.WAITING:
            return
        if reply is Reply.REFUSAL:
            self.refusal = f"{code}: {text}"
            self._settle(LineState.REFUSED)
        else:
            self._settle(LineState.NO_LINE if reply is Reply.NO_LINE else LineState.TOO_FAST)

    def _settle(self, state: LineState) -> None:
        self.state = state
        self.news.set()
