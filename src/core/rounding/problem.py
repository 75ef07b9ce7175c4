"""The rounding problem in integers: its error, a bound on it, and the counts that may matter.

A price on cash (in eighths of a dollar of error per dollar spent) makes the symbols independent,
and that gives the bound: the sum of each symbol's least ``reduced`` error, less the ``relief`` for
the cash that may be spent. Whatever beats a known plan stays within ``gap`` of the bound, so counts
beyond the gap, or that no others could balance, are not listed.

Units: money is scaled USD, errors are eighths of weighted scaled USD.
Source: SRS R-305; Lagrangian relaxation of the cash constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from src.core.rounding.lots import Choice

DOLLAR: Final = 1 << 40
"""Weight of a dollar of CASH drift; a dollar of own drift weighs a few thousand more at most."""

PARTS: Final = 8
"""Errors are counted in eighths, so that the price on cash can move in eighths too."""

_NEAR: Final = 12
_NEAR_IN_ALL: Final = 240
_FAR: Final = tuple(1 << power for power in range(12))
_TIGHTENINGS: Final = 3

Option = tuple[int, int, int]
"""What a count of units spends, its error above the symbol's own bound, and the count."""

Window = tuple[int, int]
"""The least and the most that a plan worth having can spend in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """No plan has a lower ``error``; the ``price`` on cash proves it."""

    error: int
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A choice and the weight of a dollar of its own drift."""

    choice: Choice
    weight: int

    def spent(self, count: int) -> int:
        """Cash that a count of units takes; below zero for a sell."""
        return self.choice.sign * count * self.choice.lot

    def reduced(self, count: int, price: int) -> int:
        """Own error of a count, plus ``price`` eighths for each dollar it spends."""
        own = abs(count * self.choice.lot - self.choice.want)
        return PARTS * self.weight * own + price * DOLLAR * self.spent(count)

    def corners(self) -> set[int]:
        """Counts among which the reduced error has its minimum, whatever the price."""
        choice = self.choice
        near = choice.want // choice.lot
        inside = {choice.low, choice.high}
        inside.update(min(max(count, choice.low), choice.high) for count in (near, near + 1))
        return inside if choice.must_trade else inside | {0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Spending ``ideal`` brings CASH to its target; more than ``limit`` is forbidden.

    An error closer than ``enough`` to its lower bound is not worth improving.
    """

    items: tuple[Item, ...]
    ideal: int
    limit: int
    enough: int

    def error(self, units: Sequence[int]) -> int:
        """Weighted Σ|own drift| + |CASH drift| of a plan."""
        own = sum(item.reduced(count, 0) for item, count in zip(self.items, units, strict=True))
        spent = sum(item.spent(count) for item, count in zip(self.items, units, strict=True))
        return own + PARTS * DOLLAR * abs(spent - self.ideal)

    def bound(self) -> Bound:
        """The highest lower bound on the error."""
        corners = [
            [(item.reduced(count, 0), DOLLAR * item.spent(count)) for count in item.corners()]
            for item in self.items
        ]
        bounds = (
            Bound(
                error=sum(min(own + price * spent for own, spent in each) for each in corners)
                - self._relief(price),
                price=price,
            )
            for price in range(-PARTS, 2 * PARTS + 1)
        )
        return max(bounds, key=lambda bound: (bound.error, -abs(bound.price)))

    def slack(self, spent: int, price: int) -> int:
        """By how much the true error of cash exceeds its price; not negative up to the limit."""
        true = PARTS * DOLLAR * abs(spent - self.ideal)
        return true - price * DOLLAR * spent + self._relief(price)

    def window(self, price: int, gap: int) -> Window:
        """What plans within ``gap`` of the bound spend."""
        pivot = min(self.ideal, self.limit)
        spare = max(gap - self.slack(pivot, price), 0)
        falling, rising = (PARTS + price) * DOLLAR, (PARTS - price) * DOLLAR
        least = pivot - (spare // falling if falling else abs(self._everything()) + abs(pivot))
        most = self.limit
        if rising > 0 and self.limit > self.ideal:
            most = min(most, self.ideal + spare // rising)
        return least, most

    def _relief(self, price: int) -> int:
        above = max(price - PARTS, 0)
        return DOLLAR * (min(price, PARTS) * self.ideal + above * self.limit)

    def _everything(self) -> int:
        return sum(item.choice.high * item.choice.lot for item in self.items)


def list_options(
    problem: Problem, units: Sequence[int], price: int, gap: int
) -> list[list[Option]]:
    """Per symbol the counts worth looking at around ``units``, the best first."""
    near = max(_NEAR, _NEAR_IN_ALL // max(len(units), 1))
    every = [
        _near_options(item, set(_around(item.choice, count, near)), price, gap)
        for item, count in zip(problem.items, units, strict=True)
    ]
    window = problem.window(price, gap)
    for _ in range(_TIGHTENINGS):
        fewer = _balanced(every, window)
        if fewer == every:
            break
        every = fewer
    return every


def _near_options(item: Item, around: set[int], price: int, gap: int) -> list[Option]:
    """Within the gap: the corners and the given counts."""
    corners = item.corners()
    least = min(item.reduced(count, price) for count in corners)
    limit = gap + least
    reduced = ((item.reduced(count, price), count) for count in corners | around)
    within = sorted(pair for pair in reduced if pair[0] <= limit)
    return [(item.spent(count), error - least, count) for error, count in within]


def _around(choice: Choice, count: int, near: int) -> Iterator[int]:
    """Allowed counts near the given one and near the target, then in doubling strides."""
    for start in {count, choice.want // choice.lot}:
        yield from range(max(start - near, choice.low), min(start + near, choice.high) + 1)
        for stride in _FAR:
            for far in (start - near - stride, start + near + stride):
                if choice.low <= far <= choice.high:
                    yield far


def _balanced(every: list[list[Option]], window: Window) -> list[list[Option]]:
    """Keep what the other symbols, all at their least or most, can bring into the window."""
    least = [min((one[0] for one in listed), default=0) for listed in every]
    most = [max((one[0] for one in listed), default=0) for listed in every]
    low, high = sum(least), sum(most)
    return [
        [
            one
            for one in listed
            if one[0] + high - most[index] >= window[0] and one[0] + low - least[index] <= window[1]
        ]
        for index, listed in enumerate(every)
    ]
