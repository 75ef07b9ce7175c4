"""Which trades are placed where a minimum order leaves no room for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from src.core.rounding.best_plan import best_units
from src.core.rounding.lots import CashRule, Choice
from src.core.rounding.placement import Placement, best_placement
from src.core.rounding.problem import DOLLAR, PARTS, Item, Problem

LOST = 10**30
"""An error that every set of trades beats."""


def trade(
    symbol: str, want: int, *, sign: int = 1, lot: int = 1, low: int = 1, held: int = 10**9
) -> Choice:
    high = min((2 * want - 1) // lot, held)
    return Choice(symbol=symbol, sign=sign, lot=lot, want=want, low=low, high=high)


def problem(choices: Sequence[Choice], *, ideal: int, limit: int | None = None) -> Problem:
    last = len(choices)
    items = (Item(choice=one, weight=DOLLAR + last - rank) for rank, one in enumerate(choices))
    return Problem(
        items=tuple(items), ideal=ideal, limit=ideal if limit is None else limit, enough=0
    )


def placed(one: Problem) -> Placement:
    found = best_placement(one, LOST)
    assert found is not None
    return found


def test_a_trade_gives_way_so_that_one_more_fits() -> None:
    """900 and none leave 0 + 800 + 100 off target, 500 and 500 leave 400 + 300."""
    both = [trade("A", 900, low=500), trade("B", 800, low=500)]
    assert placed(problem(both, ideal=1000)).units == [500, 500]
    cash = CashRule(net_liq=10_000, cash=1000, target=0, floor=0)
    assert best_units(both, cash) == [500, 500]


def test_the_lowest_rank_gives_way_first() -> None:
    three = [trade(name, 600, low=100) for name in "ABC"]
    assert placed(problem(three, ideal=1000)).units == [600, 300, 100]


def test_of_equal_trades_the_higher_rank_is_placed() -> None:
    three = [trade(name, 600, low=400) for name in "ABC"]
    assert placed(problem(three, ideal=800)).units == [400, 400, 0]


def test_a_sell_gives_way_by_selling_more() -> None:
    """300 are to be sold and 400 bought: all 360 held are sold, the buy gives up the rest."""
    pair = [trade("BUY", 400, low=350), trade("SELL", 300, sign=-1, held=360)]
    assert placed(problem(pair, ideal=0)).units == [360, 360]


def test_what_must_be_sold_is_placed_whatever_it_costs() -> None:
    closing = replace(trade("OLD", 300, sign=-1, held=300), low=300, must_trade=True)
    assert placed(problem([closing], ideal=500)).units == [300]


def test_nothing_is_found_that_is_no_better_or_not_allowed() -> None:
    buy = problem([trade("A", 900, low=500)], ideal=1000)
    assert best_placement(buy, buy.error([900]) - 1) is None
    sold = replace(trade("OLD", 300, sign=-1, held=300), low=300, must_trade=True)
    assert best_placement(problem([sold], ideal=-400, limit=-400), LOST) is None


@pytest.mark.parametrize("limit", [-150, 0, 250])
@pytest.mark.parametrize("ideal", [-200, 0, 130, 400])
def test_no_plan_at_all_is_below_the_bound(ideal: int, limit: int) -> None:
    choices = [
        trade("A", 90, lot=30, low=2),
        trade("B", 75, sign=-1, lot=25, low=3, held=4),
        trade("C", 60, lot=50),
        trade("D", 40, sign=-1, lot=35),
    ]
    one = problem(choices, ideal=ideal, limit=limit)
    counts = [(0, *range(choice.low, choice.high + 1)) for choice in choices]
    errors = [
        one.error(units)
        for units in product(*counts)
        if sum(i.spent(n) for i, n in zip(one.items, units, strict=True)) <= limit
    ]
    found = placed(one)
    assert found.bound <= min(errors) <= one.error(found.units)
    assert min(errors) - found.bound <= PARTS * DOLLAR * 60, "a bound that says something"


def test_of_many_trades_the_best_set_is_still_found_or_nearly() -> None:
    """Thirty buys of at least 500 each; the cash is enough for twenty-nine and a half."""
    many = [trade(f"S{rank:02}", 1000 - rank, low=990 - 7 * rank) for rank in range(30)]
    ideal = sum(one.want for one in many) - 500
    one = problem(many, ideal=ideal)
    found = placed(one)
    assert sum(i.spent(n) for i, n in zip(one.items, found.units, strict=True)) <= ideal
    assert one.error(found.units) <= PARTS * (DOLLAR + 30) * 510
