"""The best whole-unit plan: which trades to round up, which down, and which to leave out.

Minimises Σ|own drift| + |CASH drift| under the cash floor. Own drift weighs a hair more the higher
its rank, so that among plans of equal error the larger drift is served first.

Greedy first, or the set of trades that ``placement`` finds best with its units counted;
then improved in rounds by ``swaps``, which is exact for a few dozen symbols. Of more,
each round looks at a core of the most promising, so the time stays bounded.

Source: SRS R-305.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from src.core.rounding.greedy import cash_after, greedy_units
from src.core.rounding.lots import CashRule, Choice
from src.core.rounding.placement import best_placement
from src.core.rounding.problem import DOLLAR, PARTS, Item, Problem
from src.core.rounding.swaps import improve

_ALL_AT_ONCE: Final = 100
_CORE: Final = 40
_GOOD_ENOUGH: Final = 10**6
"""An error within a millionth of net liq of its lower bound is not worth improving."""

_LONG_WAY: Final = 8
"""Within eight millionths it is not worth the long lists."""

_SHORT_LIST: Final = 48
_LONG_LIST: Final = 700
_MOST_ROUNDS: Final = 8


def best_units(choices: Sequence[Choice], cash: CashRule) -> list[int]:
    """Units per choice, given in rank order.

    The floor binds plans that buy. Below it there are two kinds: those that sell their way back
    above it, and those that buy nothing; the better one is taken.
    """
    may_stay_below = cash.cash < cash.floor
    plans = []
    if may_stay_below:
        plans.append(_without_buys(choices, cash))
    if not may_stay_below or any(choice.sign > 0 for choice in choices):
        plans.append(_search(choices, cash))
    if len(plans) == 1:
        return plans[0]
    return min(plans, key=lambda units: _error(choices, units, cash))


def _without_buys(choices: Sequence[Choice], cash: CashRule) -> list[int]:
    """The best sells where nothing is bought; the floor, which only binds buys, is then moot."""
    sells = [index for index, choice in enumerate(choices) if choice.sign < 0]
    free = replace(cash, floor=min(cash.cash, cash.target))
    units = [0] * len(choices)
    for index, count in zip(sells, _search([choices[i] for i in sells], free), strict=True):
        units[index] = count
    return units


def _search(choices: Sequence[Choice], cash: CashRule) -> list[int]:
    """Greedy units, with those of the core improved."""
    units = greedy_units(choices, cash)
    core = _most_promising(choices, units)
    problem = _problem(choices, units, cash, core)
    better = _improved(problem, [units[i] for i in core])
    better = _ties_by_rank([choices[i] for i in core], better)
    for index, count in zip(core, better, strict=True):
        units[index] = count
    return units


def _improved(problem: Problem, units: list[int]) -> list[int]:
    """The better start, improved once with short lists, then with long ones while that helps."""
    bound = problem.bound()
    proved = bound.error
    error = problem.error(units)
    if error - proved <= problem.enough:
        return units
    placement = best_placement(problem, error)
    if placement is not None:
        proved = max(proved, placement.bound)
        units = min(units, _counted(problem, placement.units), key=problem.error)
        if problem.error(units) - proved <= problem.enough:
            return units
    units = improve(problem, units, bound, _SHORT_LIST)
    for _ in range(_MOST_ROUNDS):
        error = problem.error(units)
        if error - proved <= _LONG_WAY * problem.enough:
            break
        units = improve(problem, units, bound, _LONG_LIST)
        if error - problem.error(units) <= problem.enough:
            break
    return units


def _counted(problem: Problem, units: list[int]) -> list[int]:
    """The same trades with better counts: with none to add or drop, short lists find the best."""
    placed = [index for index, count in enumerate(units) if count]
    items = (problem.items[index] for index in placed)
    staying = tuple(replace(one, choice=replace(one.choice, must_trade=True)) for one in items)
    smaller = replace(problem, items=staying)
    found = improve(smaller, [units[i] for i in placed], smaller.bound(), _SHORT_LIST)
    better = list(units)
    for index, count in zip(placed, found, strict=True):
        better[index] = count
    return better


def _ties_by_rank(choices: Sequence[Choice], units: list[int]) -> list[int]:
    """Of choices that are alike but for the symbol, the higher rank ends nearer to its target."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for index, one in enumerate(choices):
        key = (one.sign, one.lot, one.want, one.low, one.high, one.must_trade)
        alike.setdefault(key, []).append(index)
    ordered = list(units)
    for (_, lot, want, *_), ranks in alike.items():
        nearest_first = sorted((abs(units[i] * lot - want), units[i]) for i in ranks)
        for index, (_, count) in zip(ranks, nearest_first, strict=True):
            ordered[index] = count
    return ordered


def _problem(
    choices: Sequence[Choice], units: Sequence[int], cash: CashRule, core: Sequence[int]
) -> Problem:
    """The problem over the core, while the other choices keep their units."""
    last = len(choices)
    left = cash_after(choices, units, cash)
    left += sum(choices[i].sign * choices[i].lot * units[i] for i in core)
    return Problem(
        items=tuple(Item(choice=choices[i], weight=DOLLAR + last - i) for i in core),
        ideal=left - cash.target,
        limit=left - cash.floor,
        enough=PARTS * DOLLAR * cash.net_liq // _GOOD_ENOUGH,
    )


def _most_promising(choices: Sequence[Choice], units: Sequence[int]) -> list[int]:
    """All; or of many, half those furthest from target, half those cheapest to round over."""
    every = range(len(units))
    if len(units) <= _ALL_AT_ONCE:
        return list(every)
    away = [
        abs(count * choice.lot - choice.want) for choice, count in zip(choices, units, strict=True)
    ]
    by_distance = sorted(every, key=away.__getitem__, reverse=True)
    far, near = by_distance[: _CORE // 2], by_distance[_CORE // 2 :]
    near.sort(key=lambda index: abs(2 * away[index] - choices[index].lot))
    return sorted(far + near[: _CORE - len(far)])


def _error(choices: Sequence[Choice], units: Sequence[int], cash: CashRule) -> int:
    own = sum(
        abs(count * choice.lot - choice.want) for choice, count in zip(choices, units, strict=True)
    )
    return own + abs(cash_after(choices, units, cash) - cash.target)
