"""The best whole-unit plan: which trades to round up, which down, and which to leave out.

Minimises Σ|own drift| + |CASH drift| under the cash floor. Own drift weighs a hair more the higher
its rank, so that among plans of equal error the larger drift is served first.

Greedy first; then improved in rounds by ``src.core.exchange``, which is exact for a few dozen
symbols. Of more, each round looks at a core of the most promising, so the time stays bounded.

Source: SRS R-305.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from src.core.exchange import improve
from src.core.greedy import greedy_units
from src.core.lots import CashRule, Choice
from src.core.rounding_problem import DOLLAR, PARTS, Item, Problem

_CORE: Final = 100
_GOOD_ENOUGH: Final = 10**6
"""An error within a millionth of net liq of its lower bound is not worth improving."""

_SHORT_LIST: Final = 48
_LONG_LIST: Final = 700
_MOST_ROUNDS: Final = 8


def best_units(choices: Sequence[Choice], cash: CashRule) -> list[int]:
    """Units per choice, given in rank order.

    The floor binds plans that buy. Below it there are two kinds: those that sell their way back
    above it, and those that buy nothing; the better one is taken.
    """
    problem = _problem(choices, cash)
    may_stay_below = cash.cash < cash.floor
    plans = []
    if may_stay_below:
        plans.append(_without_buys(problem, choices, cash))
    if not may_stay_below or any(choice.sign > 0 for choice in choices):
        plans.append(_search(problem, greedy_units(choices, cash)))
    return plans[0] if len(plans) == 1 else min(plans, key=problem.error)


def _problem(choices: Sequence[Choice], cash: CashRule) -> Problem:
    last = len(choices)
    return Problem(
        items=tuple(
            Item(choice=choice, weight=DOLLAR + last - rank) for rank, choice in enumerate(choices)
        ),
        ideal=cash.cash - cash.target,
        limit=cash.cash - cash.floor,
        enough=PARTS * DOLLAR * cash.net_liq // _GOOD_ENOUGH,
    )


def _without_buys(problem: Problem, choices: Sequence[Choice], cash: CashRule) -> list[int]:
    """The best sells where nothing is bought; the floor, which only binds buys, is then moot."""
    sells = [index for index, choice in enumerate(choices) if choice.sign < 0]
    free = replace(
        problem,
        items=tuple(problem.items[index] for index in sells),
        limit=max(problem.ideal, 0),
    )
    found = _search(free, greedy_units([choices[index] for index in sells], cash))
    units = [0] * len(choices)
    for index, count in zip(sells, found, strict=True):
        units[index] = count
    return units


def _search(problem: Problem, units: list[int]) -> list[int]:
    """Improve all symbols at once, or of many only a core while the others keep their units."""
    if len(units) <= _CORE:
        return _improve_fully(problem, units)
    core = _most_promising(problem, units)
    inside = set(core)
    fixed = sum(
        item.spent(count)
        for index, (item, count) in enumerate(zip(problem.items, units, strict=True))
        if index not in inside
    )
    part = replace(
        problem,
        items=tuple(problem.items[index] for index in core),
        ideal=problem.ideal - fixed,
        limit=problem.limit - fixed,
    )
    improved = list(units)
    for index, count in zip(core, _improve_fully(part, [units[i] for i in core]), strict=True):
        improved[index] = count
    return improved


def _improve_fully(problem: Problem, units: list[int]) -> list[int]:
    """Once with short lists, then with long ones until nothing changes."""
    bound = problem.bound()
    units = improve(problem, units, bound, _SHORT_LIST)
    for _ in range(_MOST_ROUNDS):
        better = improve(problem, units, bound, _LONG_LIST)
        if better == units:
            break
        units = better
    return units


def _most_promising(problem: Problem, units: Sequence[int]) -> list[int]:
    """Half the core from those furthest from target now, half from those cheapest to round over."""
    left = [
        abs(count * item.choice.lot - item.choice.want)
        for item, count in zip(problem.items, units, strict=True)
    ]
    by_left = sorted(range(len(units)), key=lambda index: -left[index])
    far = by_left[: _CORE // 2]
    regret = {
        index: abs(2 * left[index] - problem.items[index].choice.lot)
        for index in by_left[_CORE // 2 :]
    }
    return sorted([*far, *sorted(regret, key=lambda index: regret[index])[: _CORE - len(far)]])
