"""One open request for quotes: collects its ticks and knows when it has said enough.

A line belongs to one request id and one symbol for its whole life, so a late tick can never become
the price of another symbol.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from time import monotonic
from typing import Final

from src.base.settings import PriceSource
from src.broker.client.convert import utc_from_epoch
from src.broker.wire.pacing import Reply, read_reply
from src.core.pricing import usable_price
from src.core.records.market import DataKind, Quote, QuoteStage
from src.core.records.portfolios import Symbol

log = logging.getLogger(__name__)

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
_PARTLY_REFUSED: Final = 10090
"""Ticks that need no subscription, such as the close, go on after this refusal."""

_MOVING: Final = ("bid", "ask", "last")
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


_OPEN_STATES: Final = (LineState.WAITING, LineState.ENDED, LineState.REFUSED)
"""A field that comes after the wait or after a refusal counts all the same."""


@dataclass(slots=True, eq=False)
class QuoteLine:
    """The ticks of one request so far; ``news`` is set once there is nothing to wait for.

    ``is_over``: the broker has ended the line. What moves with the market counts no more then,
    unless it comes afterwards; yesterday's close stays what it is. ``clock`` counts seconds that
    never jump: ``arrived_sec`` is its reading at the last tick.
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
    notice: str = ""
    is_over: bool = False
    is_partial: bool = False
    has_lost_price: bool = False
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
            refusal=self.refusal or self.notice,
        )

    @property
    def is_usable(self) -> bool:
        """Whether the wanted field is there and can be believed."""
        return usable_price(self.quote(), self.source) is not None

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
        if self.state in _OPEN_STATES and self.is_usable:
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
        self._end(LineState.ENDED)

    def on_error(self, code: int, text: str) -> None:
        """A refusal ends the line, also one that was running; a notice does not."""
        if code == _SHOWING_DELAYED:
            self.kind = DataKind.DELAYED
        reply = read_reply(code)
        said = f"{code}: {text}"
        if reply is Reply.NOTICE:
            self.notice = said
        elif reply is Reply.TOO_FAST:
            self._end(LineState.TOO_FAST)
        elif reply is Reply.NO_LINE and self.state is LineState.WAITING:
            self._end(LineState.NO_LINE)
        elif not self.has_ended:
            self._refuse(code, said)

    def lose(self) -> None:
        """The broker has dropped every line and says nothing about the single one."""
        self.is_over = True
        for name in _MOVING:
            self.prices.pop(name, None)
        if self.state is LineState.USABLE and not self.is_usable:
            self.has_lost_price = True
            self.state = LineState.REFUSED

    def _refuse(self, code: int, said: str) -> None:
        log.log(
            logging.WARNING if self.state is LineState.USABLE else logging.INFO,
            "market data refused symbol=%s stage=%s reason=%s",
            self.symbol,
            self.stage.value,
            said,
        )
        self.refusal, self.is_partial = said, code == _PARTLY_REFUSED
        self.lose()
        self._end(LineState.REFUSED)

    def _end(self, state: LineState) -> None:
        if self.state is LineState.WAITING:
            self._settle(state)

    def _settle(self, state: LineState) -> None:
        self.state = state
        self.news.set()
