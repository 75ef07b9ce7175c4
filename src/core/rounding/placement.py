"""Which trades to place at all, where placing one more takes many units of others.

A placed trade can give way: a buy down to the smallest order, a sell up to the most that still
lowers its drift. Each dollar of that costs a dollar of error, whichever trade gives it. So a set of
placed trades is worth the own errors of its members at their best, plus how far they spend off the
ideal; and it is possible if its members, having given way all they can, stay within the limit. As
only sums matter, the subsets of two halves are listed and the best pair is found in one sweep over
each side of the ideal. Units are ignored here, which makes the value a bound; they are counted
afterwards.

Units: money is scaled USD, errors are eighths of weighted scaled USD, as in ``rounding_problem``.
Source: SRS R-305; meeting in the middle after Horowitz and Sahni (1974).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import Final

from src.core.rounding.problem import DOLLAR, PARTS, Item, Problem

_ALL_SUBSETS: Final = 20
"""Up to so many trades every subset of a half is listed; of more, the most promising."""

_LONGEST: Final = 1 << _ALL_SUBSETS // 2
_SHORTENED: Final = 256

State = tuple[int, int, int, int]
"""Subset of one half: what it spends at best, what at least, its error above the bound, a mask."""

_spent = itemgetter(0)
_least_spent = itemgetter(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Units that give way from the lowest rank up; no plan at all has an error below ``bound``."""

    units: list[int]
    bound: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One trade as the search sees it: placed it spends ``spent``, and down to ``least``."""

    bit: int
    spent: int
    least: int
    excess: int
    excess_unplaced: int | None

    def states(self) -> Iterator[State]:
        if self.excess_unplaced is not None:
            yield 0, 0, self.excess_unplaced, 0
        yield self.spent, self.least, self.excess, self.bit

    def spends(self) -> tuple[int, ...]:
        return (self.spent,) if self.excess_unplaced is None else (self.spent, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What spending is ideal and allowed, the price on it in eighths, and the error to beat."""

    ideal: int
    limit: int
    price: int
    gap: int

    def reach(self) -> tuple[int, int]:
        """The least and the most that a set within the gap can spend at best."""
        under, over = (PARTS + self.price) * DOLLAR, (PARTS - self.price) * DOLLAR
        everything = 1 << 200
        return (
            self.ideal - (self.gap // under if under else everything),
            self.ideal + (self.gap // over if over else everything),
        )


def best_placement(problem: Problem, error: int) -> Placement | None:
    """The best set of trades, with units; None if every set has an error above ``error``."""
    ideal = min(problem.ideal, problem.limit)
    base = PARTS * DOLLAR * (problem.ideal - ideal)
    price, bound = max(
        ((price, _bound(problem.items, ideal, price)) for price in range(-PARTS, PARTS + 1)),
        key=itemgetter(1),
    )
    frame = _Frame(ideal=ideal, limit=problem.limit, price=price, gap=error - base - bound)
    if frame.gap < 0:
        return None
    parts = [_part(item, index, price) for index, item in enumerate(problem.items)]
    parts.sort(key=lambda part: -abs(part.spent))
    size = _LONGEST if len(parts) <= _ALL_SUBSETS else _SHORTENED
    first, is_exact = _subsets(parts[0::2], parts[1::2], frame, size)
    second, is_exact_too = _subsets(parts[1::2], parts[0::2], frame, size)
    found = min(
        (*_pairs_below(first, second, frame), *_pairs_above(first, second, frame)),
        default=None,
    )
    if found is None or found[0] > frame.gap:
        return None
    units = _units(problem, found[1])
    proved = found[0] if is_exact and is_exact_too else 0
    return Placement(units=units, bound=base + bound + proved)


def _bound(items: Sequence[Item], ideal: int, price: int) -> int:
    """No set of trades has a lower error, whatever the price between −8 and 8 eighths."""
    least = sum(min(_errors(item, price)) for item in items)
    return least - price * DOLLAR * ideal


def _errors(item: Item, price: int) -> list[int]:
    """Own error plus the price of what is spent: placed at its best and, if allowed, unplaced."""
    choice = item.choice
    amount = _best_amount(item)
    own = PARTS * item.weight * abs(amount - choice.want)
    placed = own + price * DOLLAR * choice.sign * amount
    return [placed] if choice.must_trade else [placed, PARTS * item.weight * choice.want]


def _best_amount(item: Item) -> int:
    choice = item.choice
    return min(max(choice.want, choice.low * choice.lot), choice.high * choice.lot)


def _part(item: Item, index: int, price: int) -> _Part:
    choice = item.choice
    errors = _errors(item, price)
    gives_way_to = choice.low if choice.sign > 0 else choice.high
    return _Part(
        bit=1 << index,
        spent=choice.sign * _best_amount(item),
        least=item.spent(gives_way_to),
        excess=errors[0] - min(errors),
        excess_unplaced=None if choice.must_trade else errors[1] - min(errors),
    )


def _subsets(
    half: Sequence[_Part], others: Sequence[_Part], frame: _Frame, size: int
) -> tuple[list[State], bool]:
    """Every subset that the others can complete within the gap, and whether none was left out."""
    rest = [*half, *others]
    low = sum(min(part.spends()) for part in rest)
    high = sum(max(part.spends()) for part in rest)
    least = sum(min(part.least, *part.spends()) for part in rest)
    reach = frame.reach()
    states: list[State] = [(0, 0, 0, 0)]
    is_exact = True
    for part in half:
        low -= min(part.spends())
        high -= max(part.spends())
        least -= min(part.least, *part.spends())
        states = [
            (spent + more, most + more_at_least, excess + error, mask | bit)
            for more, more_at_least, error, bit in part.states()
            for spent, most, excess, mask in states
            if excess + error <= frame.gap
            and reach[0] - high <= spent + more <= reach[1] - low
            and most + more_at_least + least <= frame.limit
        ]
        if len(states) > size:
            states, is_exact = _thin(states, size), False
    return states, is_exact


def _thin(states: list[State], size: int) -> list[State]:
    """Per slice of spending, the state of the least error and the one that gives way the most."""
    start, end = min(states)[0], max(states)[0]
    width = (end - start) // (size // 2) + 1
    nearest: dict[int, State] = {}
    loosest: dict[int, State] = {}
    for state in states:
        piece = (state[0] - start) // width
        if piece not in nearest or state[2] < nearest[piece][2]:
            nearest[piece] = state
        if piece not in loosest or state[1] < loosest[piece][1]:
            loosest[piece] = state
    return list({*nearest.values(), *loosest.values()})


def _pairs_below(
    first: Sequence[State], second: Sequence[State], frame: _Frame
) -> Iterator[tuple[int, int]]:
    """For each subset its best partner up to the ideal, where more spending is better."""
    slope = (PARTS + frame.price) * DOLLAR
    partners = sorted(second, key=_spent)
    spends = [state[0] for state in partners]
    levels = ((state[2] - slope * state[0], state[3]) for state in partners)
    best = list(accumulate(levels, min))
    for spent, _, excess, mask in first:
        count = bisect_right(spends, frame.ideal - spent)
        if count:
            level, other = best[count - 1]
            yield excess + level + slope * (frame.ideal - spent), mask | other


def _pairs_above(
    first: Sequence[State], second: Sequence[State], frame: _Frame
) -> Iterator[tuple[int, int]]:
    """For each subset its best partner from the ideal on that can give way to the limit."""
    slope = (PARTS - frame.price) * DOLLAR
    spends = sorted(state[0] for state in second)
    waiting = sorted(second, key=_least_spent, reverse=True)
    fitting = _LeastOf(len(spends))
    for spent, least, excess, mask in sorted(first, key=_least_spent, reverse=True):
        while waiting and waiting[-1][1] + least <= frame.limit:
            one = waiting.pop()
            fitting.add(
                len(spends) - bisect_left(spends, one[0]), (one[2] + slope * one[0], one[3])
            )
        found = fitting.least(len(spends) - bisect_left(spends, frame.ideal - spent))
        if found is not None:
            yield excess + found[0] + slope * (spent - frame.ideal), mask | found[1]


class _LeastOf:
    """The least value among ranks up to a given one, as values come in (a Fenwick tree)."""

    def __init__(self, ranks: int) -> None:
        self._tree: list[tuple[int, int] | None] = [None] * (ranks + 1)

    def add(self, rank: int, value: tuple[int, int]) -> None:
        tree = self._tree
        while rank < len(tree):
            known = tree[rank]
            if known is None or value < known:
                tree[rank] = value
            rank += rank & -rank

    def least(self, rank: int) -> tuple[int, int] | None:
        found = None
        while rank > 0:
            known = self._tree[rank]
            if known is not None and (found is None or known < found):
                found = known
            rank -= rank & -rank
        return found


def _units(problem: Problem, mask: int) -> list[int]:
    """Whole units of the placed trades, giving way from the lowest rank up."""
    placed = [bool(mask >> index & 1) for index in range(len(problem.items))]
    units = [
        _nearest(item) if is_placed else 0
        for item, is_placed in zip(problem.items, placed, strict=True)
    ]
    spent = sum(item.spent(count) for item, count in zip(problem.items, units, strict=True))
    over = spent - problem.limit
    for index in reversed(range(len(units))):
        if over <= 0:
            break
        if placed[index]:
            choice = problem.items[index].choice
            room = units[index] - choice.low if choice.sign > 0 else choice.high - units[index]
            count = min(-(-over // choice.lot), room)
            units[index] -= choice.sign * count
            over -= count * choice.lot
    return units


def _nearest(item: Item) -> int:
    """The count nearest to the wanted amount; of two, the smaller."""
    choice = item.choice
    down = choice.want // choice.lot
    near = {min(max(count, choice.low), choice.high) for count in (down, down + 1)}
    return min(near, key=lambda count: (abs(count * choice.lot - choice.want), count))
