"""New money to its last share: what the best plan leaves above the floor is spent where it may be.

While a symbol is below its target each share of it lowers the error; above it the symbol's error
grows by what CASH's falls, so that no addition makes the plan worse, and less cash stays idle.

Source: SRS R-315.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from src.core.rounding.greedy import cash_after
from src.core.rounding.lots import CashRule, Choice


def spend_rest(choices: Sequence[Choice], units: Sequence[int], cash: CashRule) -> list[int]:
    """More units of buys, none fewer, that leave the least cash above floor and target.

    Of orders in which the buys are offered the rest, the first that leaves least is taken: by
    rank, dearest share first, cheapest share first. Of equal symbols the first by rank buys most.
    """
    ranks = range(len(choices))
    orders = (
        ranks,
        sorted(ranks, key=lambda index: -choices[index].lot),
        sorted(ranks, key=lambda index: choices[index].lot),
    )
    offered = [_offer(choices, units, cash, order) for order in orders]
    return _first_by_rank(choices, min(offered, key=_left_over(choices, cash)))


def _left_over(choices: Sequence[Choice], cash: CashRule) -> Callable[[Sequence[int]], int]:
    return lambda units: cash_after(choices, units, cash)


def _offer(
    choices: Sequence[Choice], units: Sequence[int], cash: CashRule, order: Sequence[int]
) -> list[int]:
    """Each buy in turn takes what units the rest pays for; a new one at least its ``low``."""
    more = list(units)
    left = cash_after(choices, units, cash) - max(cash.floor, cash.target)
    for index in order:
        choice = choices[index]
        count = min(more[index] + max(0, left) // choice.lot, choice.high)
        if choice.sign > 0 and count > more[index] and count >= choice.low:
            left -= (count - more[index]) * choice.lot
            more[index] = count
    return more


def _first_by_rank(choices: Sequence[Choice], units: Sequence[int]) -> list[int]:
    """Of choices that are alike but for the symbol, the higher rank buys more."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for index, one in enumerate(choices):
        alike.setdefault((one.sign, one.lot, one.want, one.low, one.high), []).append(index)
    ordered = list(units)
    for ranks in alike.values():
        most_first = sorted((units[index] for index in ranks), reverse=True)
        for index, count in zip(ranks, most_first, strict=True):
            ordered[index] = count
    return ordered
