"""Turn wanted dollar amounts into units of trade, sells first and buys by rank.

Everything here is a scaled integer: dollars times one common power of ten, units whole multiples
of the smallest step. So every sum and comparison is exact, and fast.

Source: SRS R-305.
"""

from __future__ import annotations

from collections.abc import Sequence

from src.core.rounding.lots import CashRule, Choice


def greedy_units(choices: Sequence[Choice], cash: CashRule) -> list[int]:
    """Units per choice (in rank order): sells to the nearest, buys down, then the leftovers."""
    units = [_nearest(choice) if choice.sign < 0 else 0 for choice in choices]
    left = cash.cash - cash.floor
    left += sum(choice.lot * unit for choice, unit in zip(choices, units, strict=True))
    for index, choice in enumerate(choices):
        if choice.sign > 0:
            count = min(min(choice.want, left) // choice.lot, choice.high)
            if count >= choice.low:
                units[index] = count
                left -= count * choice.lot
    _top_up(choices, units, cash)
    return units


def cash_after(choices: Sequence[Choice], units: Sequence[int], cash: CashRule) -> int:
    """Cash once the trades are done."""
    return cash.cash - sum(
        choice.sign * choice.lot * unit for choice, unit in zip(choices, units, strict=True)
    )


def _nearest(choice: Choice) -> int:
    """The allowed number of units nearest to the wanted amount; of two, the smaller."""
    down = choice.want // choice.lot
    near = {min(max(count, choice.low), choice.high) for count in (down, down + 1)}
    options = [count for count in near if choice.low <= count]
    if not choice.must_trade:
        options.append(0)
    return min(options, key=lambda count: (abs(count * choice.lot - choice.want), count))


def _top_up(choices: Sequence[Choice], units: list[int], cash: CashRule) -> None:
    """Offer what rounding left, one unit each, to the buy where it lowers the error the most."""
    left = cash_after(choices, units, cash)
    short = [
        (units[index] * choice.lot - choice.want, index)
        for index, choice in enumerate(choices)
        if choice.sign > 0 and choice.low <= units[index] + 1 <= choice.high
    ]
    for own_drift, index in sorted(short):
        lot = choices[index].lot
        gain = abs(own_drift) - abs(own_drift + lot)
        gain += abs(left - cash.target) - abs(left - lot - cash.target)
        if gain > 0 and left - lot >= cash.floor:
            units[index] += 1
            left -= lot
