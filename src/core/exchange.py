"""One round of searching for better unit counts than the given ones, all symbols at once.

A Lagrangian price on cash gives a lower bound on the error, which leaves few counts per symbol
worth looking at. The symbols are split in two halves; the combinations of each half are listed by
what they spend, keeping only those that no other dominates, and one sweep finds the best pair. The
search is exact over the listed counts until a list outgrows its limit; then it keeps the most
promising entry per slice of spending. Integers throughout: equal inputs give equal plans.

Units: money is scaled USD, errors are eighths of weighted scaled USD.
Source: SRS R-305; meeting in the middle after Horowitz and Sahni (1974).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from src.core.lots import Choice

DOLLAR: Final = 1 << 40
"""Weight of a dollar of CASH drift; a dollar of own drift weighs a few thousand more at most."""

_PARTS: Final = 8
_EVERY_STEP: Final = 6
_MOST_STEPS: Final = 20

Chain = tuple[int, ...]
State = tuple[int, int, Chain]
"""What is spent, the error above the bound, and the counts that led here, in order."""

Option = tuple[int, int, int]
"""What a count of units spends, its error above the symbol's own bound, and the count."""


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
        return _PARTS * self.weight * own + price * DOLLAR * self.spent(count)

    def corners(self) -> set[int]:
        """Counts among which the reduced error has its minimum, whatever the price."""
        choice = self.choice
        near = choice.want // choice.lot
        inside = {choice.low, choice.high}
        inside.update(min(max(count, choice.low), choice.high) for count in (near, near + 1))
        return inside if choice.must_trade else inside | {0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Spending ``ideal`` brings CASH to its target; more than ``limit`` is forbidden."""

    items: tuple[Item, ...]
    ideal: int
    limit: int

    def error(self, units: Sequence[int]) -> int:
        """Weighted Σ|own drift| + |CASH drift| of a plan."""
        own = sum(item.reduced(count, 0) for item, count in zip(self.items, units, strict=True))
        spent = sum(item.spent(count) for item, count in zip(self.items, units, strict=True))
        return own + _PARTS * DOLLAR * abs(spent - self.ideal)

    def relief(self, price: int) -> int:
        """What the bound at a price gives back for the cash that may be spent."""
        above = max(price - _PARTS, 0)
        return DOLLAR * (min(price, _PARTS) * self.ideal + above * self.limit)

    def slack(self, spent: int, price: int) -> int:
        """By how much the true error of cash exceeds its price; not negative up to the limit."""
        true = _PARTS * DOLLAR * abs(spent - self.ideal)
        return true - price * DOLLAR * spent + self.relief(price)


def improve(problem: Problem, units: list[int], size: int) -> list[int]:
    """Better counts than ``units``, or the same list; ``size`` limits the lists of combinations."""
    bound, price = _bound(problem)
    gap = problem.error(units) - bound
    if gap <= 0:
        return units
    by_lot = sorted(range(len(units)), key=lambda index: -problem.items[index].choice.lot)
    halves = (by_lot[0::2], by_lot[1::2])
    first, second = (
        _combine(
            (_options(problem.items[index], units[index], price, gap) for index in half),
            (price + _PARTS) * DOLLAR,
            gap,
            size,
        )
        for half in halves
    )
    found = _best_pair(problem, first, second, price, gap)
    return units if found is None else _unchain(units, halves, found)


def _bound(problem: Problem) -> tuple[int, int]:
    """The highest lower bound on the error, and the price on cash that proves it."""
    tight = problem.limit <= problem.ideal
    prices = range(-_PARTS, 2 * _PARTS + 1 if tight else _PARTS)
    return max((_bound_at(problem, price), -price, price) for price in prices)[::2]


def _bound_at(problem: Problem, price: int) -> int:
    least = sum(
        min(item.reduced(count, price) for count in item.corners()) for item in problem.items
    )
    return least - problem.relief(price)


def _options(item: Item, centre: int, price: int, gap: int) -> list[Option]:
    """The counts worth looking at, the best first: all near ones, then in growing strides."""
    corners = item.corners()
    least = min(item.reduced(count, price) for count in corners)
    counts = corners | {centre}
    for start in (centre, item.choice.want // item.choice.lot):
        for step in (1, -1):
            counts.update(_walk(item, start, step))
    listed = ((item.spent(n), item.reduced(n, price) - least, n) for n in counts)
    return sorted((one for one in listed if one[1] <= gap), key=itemgetter(1, 2))


def _walk(item: Item, start: int, step: int) -> Iterator[int]:
    """Allowed counts on one side of a start: the next few, then in doubling strides."""
    count = start
    for taken in range(_MOST_STEPS):
        count += step
        if not item.choice.low <= count <= item.choice.high:
            return
        yield count
        if taken >= _EVERY_STEP:
            step *= 2


def _combine(options: Iterable[list[Option]], slope: int, gap: int, size: int) -> list[State]:
    """Every undominated combination of one option per symbol, in order of what is spent."""
    states: list[State] = [(0, 0, ())]
    for listed in options:
        grown: list[State] = []
        for spent, excess, count in listed:
            most = gap - excess
            grown += [(s + spent, e + excess, (*c, count)) for s, e, c in states if e <= most]
        states = _thin(_undominated(grown, slope), size)
    return states


def _undominated(states: list[State], slope: int) -> list[State]:
    """Drop what spends more without a lower error: each dollar can save ``slope`` at most."""
    states.sort(key=itemgetter(0))
    kept: list[State] = []
    least: int | None = None
    for state in states:
        level = state[1] - slope * state[0]
        if least is None or level < least:
            least = level
            kept.append(state)
    return kept


def _thin(states: list[State], size: int) -> list[State]:
    """The most promising state of each of ``size`` slices of spending, if there are more."""
    if len(states) <= size:
        return states
    start = states[0][0]
    width = (states[-1][0] - start) // size + 1
    best: dict[int, State] = {}
    for state in states:
        piece = (state[0] - start) // width
        if piece not in best or state[1] < best[piece][1]:
            best[piece] = state
    return list(best.values())


def _best_pair(
    problem: Problem, first: list[State], second: list[State], price: int, gap: int
) -> tuple[Chain, Chain] | None:
    """One state of each half that together beat ``gap`` by the most, or None.

    Along each list the error after spending falls, so up to the ideal the best partner is the one
    that spends the most. Beyond it the cost of overspending soon rules the rest out.
    """
    found = None
    ceiling = min(problem.ideal, problem.limit)
    last = len(second) - 1
    for spent, excess, chain in first:
        while last >= 0 and spent + second[last][0] > ceiling:
            last -= 1
        for index in range(max(last, 0), len(second)):
            total = spent + second[index][0]
            if total > problem.limit:
                break
            least = excess + problem.slack(total, price)
            if least + second[index][1] < gap:
                gap = least + second[index][1]
                found = (chain, second[index][2])
            if least >= gap and index > last:
                break
    return found


def _unchain(
    units: list[int], halves: tuple[list[int], list[int]], found: tuple[Chain, Chain]
) -> list[int]:
    """Put the counts of both halves back in rank order."""
    better = list(units)
    for half, chain in zip(halves, found, strict=True):
        for index, count in zip(half, chain, strict=True):
            better[index] = count
    return better
