"""One round of searching for better unit counts than the given ones, all symbols at once.

The symbols are split in two halves. The combinations of each half are listed by what they spend,
keeping only those that no other dominates, and one sweep finds the best pair. The search is exact
over the listed counts until a list outgrows its limit; then it keeps the most promising entry per
slice of spending. Integers throughout: equal inputs give equal plans.

Source: SRS R-305; meeting in the middle after Horowitz and Sahni (1974).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from src.core.rounding.problem import DOLLAR, PARTS, Bound, Option, Problem, Window, list_options

_MOST_OPTIONS: Final = 16
_ALL_OPTIONS: Final = 240
_MOST_GROWN: Final = 2500
_STATES_PER_OPTION: Final = 6

Chain = tuple[int, ...]
State = tuple[int, int, Chain]
"""What is spent, the error above the bound, and the counts that led here, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """What one round knows: the price on cash, the gap to beat, and what a plan can spend."""

    price: int
    gap: int
    window: Window
    size: int


def improve(problem: Problem, units: list[int], bound: Bound, size: int) -> list[int]:
    """Better counts than ``units``, or the same list; ``size`` limits the lists of combinations."""
    price = bound.price
    gap = problem.error(units) - bound.error
    if gap <= problem.enough:
        return units
    search = _Search(price=price, gap=gap, window=problem.window(price, gap), size=size)
    reach = min(size // _STATES_PER_OPTION, max(_MOST_OPTIONS, _ALL_OPTIONS // len(units)))
    options = [listed[:reach] for listed in list_options(problem, units, price, gap)]
    if not all(options):
        return units
    by_lot = sorted(range(len(units)), key=lambda index: -problem.items[index].choice.lot)
    halves = (by_lot[0::2], by_lot[1::2])
    lists = (
        _combine(search, [options[i] for i in halves[0]], [options[i] for i in halves[1]]),
        _combine(search, [options[i] for i in halves[1]], [options[i] for i in halves[0]]),
    )
    found = _best_pair(problem, lists, price, gap)
    return units if found is None else _unchain(units, halves, found)


def _combine(
    search: _Search, half: Sequence[list[Option]], others: Sequence[list[Option]]
) -> list[State]:
    """Every undominated combination of one option per symbol, in order of what is spent.

    A combination that the symbols still to come cannot bring into the window is dropped.
    """
    rest = [*half, *others]
    low = sum(min(one[0] for one in listed) for listed in rest)
    high = sum(max(one[0] for one in listed) for listed in rest)
    states: list[State] = [(0, 0, ())]
    for listed in half:
        low -= min(one[0] for one in listed)
        high -= max(one[0] for one in listed)
        states = _thin(states, max(1, _MOST_GROWN // len(listed)))
        grown = _grow(states, listed, search.gap, (search.window[0] - high, search.window[1] - low))
        states = _thin(_undominated(grown, (search.price + PARTS) * DOLLAR), search.size)
    return states


def _grow(states: list[State], listed: list[Option], gap: int, window: Window) -> list[State]:
    """Each state with each option, within the gap and the window."""
    spends = [state[0] for state in states]
    grown: list[State] = []
    for spent, excess, count in listed:
        start = bisect_left(spends, window[0] - spent)
        stop = bisect_right(spends, window[1] - spent)
        most = gap - excess
        grown += [
            (s + spent, e + excess, (*chain, count))
            for s, e, chain in states[start:stop]
            if e <= most
        ]
    return grown


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
    problem: Problem, halves: tuple[list[State], list[State]], price: int, gap: int
) -> tuple[Chain, Chain] | None:
    """One state of each half that together beat ``gap`` by the most, or None.

    Along a list error falls as spending grows, so below the ideal the best partner of a state
    is the one that spends the most. Above it the partners are a window that slides down; its
    least ``level`` stands at the right end of ``window``.
    """
    first, second = halves
    rise = (PARTS - price) * DOLLAR
    level = [excess + rise * spent for spent, excess, _ in second]
    window: deque[int] = deque()
    found = None
    below = len(second) - 1
    for spent, excess, chain in first:
        while below >= 0 and spent + second[below][0] > problem.ideal:
            while window and level[window[0]] >= level[below]:
                window.popleft()
            window.appendleft(below)
            below -= 1
        while window and spent + second[window[-1]][0] > problem.limit:
            window.pop()
        while below >= 0 and spent + second[below][0] > problem.limit:
            below -= 1
        partners = ([below] if below >= 0 else []) + ([window[-1]] if window else [])
        for partner in partners:
            other = second[partner]
            total = excess + other[1] + problem.slack(spent + other[0], price)
            if total < gap:
                gap, found = total, (chain, other[2])
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
