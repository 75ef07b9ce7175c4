"""What the broker says a plan will cost: its answers to what-if questions, and what they add up to.

The broker checks each order against the account as it is now, one by one. So figures after the
plan are those of now and the sum of the single changes. What was not said is unknown (None), never
0. Margins are in the account's base currency until they are added up, in US dollars.

Source: SRS R-421, D-93.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from src.base.money import ZERO, exact_arithmetic
from src.core.orders.codes import (
    READ_ONLY_ADVICE,
    READ_ONLY_CODE,
    CodeKind,
    classify,
    says_read_only,
)
from src.core.records.orders import Side
from src.core.records.plan import OrderTicket
from src.core.records.portfolios import Symbol

DEADLINE_SEC: Final = 10.0
"""For all answers together."""

NO_ANSWER: Final = f"no answer within {DEADLINE_SEC:.0f} s"
_HELD: Final = 399
"""Held until the open: where the market is closed it can come in place of figures."""

_WITHOUT_FIGURES: Final = "the answer came without figures"
READ_ONLY: Final = f"the gateway's read-only API takes no what-ifs; {READ_ONLY_ADVICE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Margin that is needed to open and to keep positions, and the equity that covers it."""

    initial: Decimal | None = None
    maintenance: Decimal | None = None
    equity: Decimal | None = None

    @property
    def excess(self) -> Decimal | None:
        """Excess liquidity: equity with loan minus maintenance margin."""
        if self.equity is None or self.maintenance is None:
            return None
        return self.equity - self.maintenance

    def combine(self, other: Margins, operation: Callable[[Decimal, Decimal], Decimal]) -> Margins:
        """Figure by figure; unknown where either is."""
        pairs = (
            (self.initial, other.initial),
            (self.maintenance, other.maintenance),
            (self.equity, other.equity),
        )
        found = [None if one is None or two is None else operation(one, two) for one, two in pairs]
        return Margins(initial=found[0], maintenance=found[1], equity=found[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one answer. Commissions are in ``currency``; min and max may come instead."""

    before: Margins = Margins()
    change: Margins = Margins()
    commission: Decimal | None = None
    least_commission: Decimal | None = None
    most_commission: Decimal | None = None
    currency: str = ""
    warning: str = ""

    @property
    def is_empty(self) -> bool:
        """True for an answer that tells nothing yet."""
        return self.commissions is None and Margins() in {self.before, self.change}

    @property
    def commissions(self) -> tuple[Decimal, Decimal] | None:
        """From and to."""
        if self.commission is not None:
            return self.commission, self.commission
        if self.least_commission is None or self.most_commission is None:
            return None
        return self.least_commission, self.most_commission


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketCost:
    """What was said about one ticket.

    ``refusal`` is the broker's word against the order; ``unknown`` says why there are no figures.
    """

    symbol: Symbol
    side: Side
    figures: Figures = Figures()
    refusal: str = ""
    unknown: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCosts:
    """The answers for all tickets of a plan; ``problem`` says why nothing could be asked.

    ``usd_per_base`` is the worth of one unit of the account's base currency (None: unknown).
    """

    tickets: tuple[TicketCost, ...] = ()
    usd_per_base: Decimal | None = None
    problem: str = ""

    @property
    def before(self) -> Margins:
        """The margins before the plan, in USD."""
        known = [one.figures.before for one in self.tickets if one.figures.before != Margins()]
        return self._in_usd(known[0] if known else Margins())

    @property
    def after(self) -> Margins:
        """Those of now and all changes, in USD; unknown where one change is."""
        total = Margins(initial=ZERO, maintenance=ZERO, equity=ZERO)
        for one in self.tickets:
            total = total.combine(one.figures.change, Decimal.__add__)
        return self.before.combine(self._in_usd(total), Decimal.__add__)

    @exact_arithmetic()
    def _in_usd(self, margins: Margins) -> Margins:
        rate = self.usd_per_base
        if rate is None:
            return Margins()
        return margins.combine(
            Margins(initial=rate, maintenance=rate, equity=rate), Decimal.__mul__
        )

    def commissions(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        """Currency → from and to, over all tickets whose commission is known."""
        sums: dict[str, tuple[Decimal, Decimal]] = {}
        for one in self.tickets:
            if one.figures.commissions is not None:
                least, most = sums.get(one.figures.currency, (ZERO, ZERO))
                more, at_most = one.figures.commissions
                sums[one.figures.currency] = (least + more, most + at_most)
        return sums

    def without_commission(self) -> tuple[Symbol, ...]:
        """The symbols whose commission is unknown."""
        return tuple(one.symbol for one in self.tickets if one.figures.commissions is None)


@dataclass(slots=True, kw_only=True)
class _Asked:
    """One question and what came for it."""

    ticket: OrderTicket
    figures: Figures | None = None
    errors: list[tuple[int, str]] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """A first answer may be without figures; a mere note is no answer."""
        has_figures = self.figures is not None and not self.figures.is_empty
        return has_figures or any(_ends_question(code) for code, _ in self.errors)


@dataclass(slots=True, kw_only=True)
class WhatIfBook:
    """All questions of one session by order id, and the signs of an order that came of one.

    ``client_id`` is the session's: other clients use the same numbers for orders of their own.
    """

    client_id: int
    on_news: Callable[[], None] = lambda: None
    strays: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _asked: dict[int, _Asked] = field(default_factory=dict)

    def expect(self, order_id: int, ticket: OrderTicket) -> None:
        """A question is about to leave under this id."""
        self._asked[order_id] = _Asked(ticket=ticket)

    def has(self, order_id: int) -> bool:
        """Whether a question had this id."""
        return order_id in self._asked

    def take_figures(self, order_id: int, figures: Figures) -> None:
        """An answer; a later one with figures counts instead of one without."""
        asked = self._asked.get(order_id)
        if asked is not None and (asked.figures is None or not figures.is_empty):
            asked.figures = figures
            self.on_news()

    def take_error(self, order_id: int, code: int, text: str) -> None:
        """A message about a question."""
        self._asked[order_id].errors.append((code, text))
        self.on_news()

    def take_life(self, order_id: int, client_id: int, sign: str) -> None:
        """A sign of life of an order: an alarm where the id is a question's."""
        if client_id == self.client_id and order_id in self._asked:
            self.strays[order_id] = tuple(dict.fromkeys((*self.strays.get(order_id, ()), sign)))
            self.on_news()

    def is_complete(self, order_ids: Iterable[int]) -> bool:
        """Whether each of these questions is answered."""
        return all(self._asked[order_id].is_answered for order_id in order_ids)

    def costs(self, order_ids: Iterable[int]) -> tuple[TicketCost, ...]:
        """What came for these questions."""
        return tuple(_cost(self._asked[order_id]) for order_id in order_ids)

    def stray_texts(self) -> tuple[str, ...]:
        """The alarms in words."""
        return tuple(
            f"order {order_id} ({one.ticket.side.value} {one.ticket.qty_shares:f}"
            f" {one.ticket.symbol}): {_told(self.strays[order_id])}"
            for order_id, one in self._asked.items()
            if order_id in self.strays
        )


def _told(signs: tuple[str, ...]) -> str:
    """What it came to: every execution, and the last word."""
    executed = [one for one in signs[:-1] if "executed" in one]
    return ", ".join((*executed, signs[-1]))


def _cost(asked: _Asked) -> TicketCost:
    figures = asked.figures or Figures()
    refusals = [one for one in asked.errors if _is_refusal(one[0])]
    others = tuple(_words(*one) for one in asked.errors if one not in refusals)
    cost = TicketCost(
        symbol=asked.ticket.symbol,
        side=asked.ticket.side,
        figures=figures,
        refusal=_words(*refusals[0]) if refusals else "",
    )
    said = (figures.warning,) if figures.warning else ()
    if not figures.is_empty or refusals:
        return replace(cost, warnings=(*said, *others))
    reason = others[0] if others else (_WITHOUT_FIGURES if asked.figures else NO_ANSWER)
    return replace(cost, unknown=reason, warnings=(*said, *others[1:]))


def _ends_question(code: int) -> bool:
    """What tells about something else leaves the answer open; 399 may stand in for it."""
    return code == _HELD or classify(code) not in {CodeKind.INFO, CodeKind.WARNING}


def _is_refusal(code: int) -> bool:
    """321 says that the question was not understood or not taken: nothing about the order."""
    return classify(code) is CodeKind.REJECTED and code != READ_ONLY_CODE


def _words(code: int, text: str) -> str:
    return READ_ONLY if says_read_only(code, text) else f"{code}: {text}"
