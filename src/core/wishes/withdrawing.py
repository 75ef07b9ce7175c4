"""Which holdings are sold to take money out, and how much of each.

The amount is set aside: CASH is what is left of it, and weights are of the rest of the account.
Sold is from the most overweight down to its target, then from the next, and past their targets only
where that is not enough. What is sold must bring the amount, the CASH target of the rest (or the
debt there is now), commissions, and 0.5% for prices that fall meanwhile.

Source: SRS R-317.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from src.base.money import ZERO, share_step, whole_shares
from src.base.settings import RebalanceSettings
from src.core.cash_effects import sale_reserve
from src.core.drift import rank_by_drift
from src.core.records.plan import DriftTable, Valuation
from src.core.records.portfolios import CASH, Symbol

FALL: Final = Decimal("0.005")
"""By how much of their value the sells may bring less than planned."""

_NEAR: Final = 2
_MOST_OPEN: Final = 20
_MOST_FORCED: Final = 3
_MOST_ROUNDS: Final = 20
_MOST_TRIES: Final = 120
"""Orders times symbols, in all rounds together, so that many holdings take no longer."""

Units = Mapping[int, int]
"""Units to sell per position in the list of choices; what is not sold is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SellChoice:
    """What may be sold of a symbol: ``least`` to ``most`` units of ``lot_usd``, or none.

    ``over_usd`` is how much it is above its target, below zero for less.
    """

    symbol: Symbol
    lot_usd: Decimal
    least: int
    most: int
    over_usd: Decimal

    def net_usd(self, units: int) -> Decimal:
        """What a sale surely brings: its value less commission and what prices may fall."""
        value_usd = units * self.lot_usd
        return value_usd - FALL * value_usd - sale_reserve(value_usd) if units else ZERO

    def units_for(self, usd: Decimal) -> int:
        """The fewest units above zero that bring so much; may be more than there are."""
        guess = max(1, int((usd / self.lot_usd).to_integral_value(rounding=ROUND_FLOOR)))
        while self.net_usd(guess) < usd:
            short_usd = usd - self.net_usd(guess)
            step = (short_usd / self.lot_usd).to_integral_value(rounding=ROUND_CEILING)
            guess += max(1, int(step))
        while guess > 1 and self.net_usd(guess - 1) >= usd:
            guess -= 1
        return guess


def sell_choices(
    account: Valuation,
    drift: DriftTable,
    rules: RebalanceSettings,
    barred: Collection[Symbol],
) -> tuple[SellChoice, ...]:
    """Everything that an order of the minimum can be sold of, the most overweight first."""
    step = share_step(allow_fractional=rules.allow_fractional)
    rows = [row for row in drift.rows if row.symbol != CASH and row.symbol not in barred]
    over = rank_by_drift(row for row in rows if row.drift_usd > ZERO)
    under = rank_by_drift(row for row in rows if row.drift_usd <= ZERO)
    found = []
    for row in (*over, *reversed(under)):
        holding = account.holdings[row.symbol]
        lot_usd = step * holding.price_usd
        least = (rules.min_order_usd / lot_usd).to_integral_value(rounding=ROUND_CEILING)
        found.append(
            SellChoice(
                symbol=row.symbol,
                lot_usd=lot_usd,
                least=max(1, int(least)),
                most=int(whole_shares(holding.qty_shares, step) / step),
                over_usd=row.drift_usd,
            )
        )
    return tuple(one for one in found if one.least <= one.most)


def most_usd(choices: Sequence[SellChoice]) -> Decimal:
    """What selling everything surely brings."""
    return sum((one.net_usd(one.most) for one in choices), ZERO)


def choose_sells(choices: Sequence[SellChoice], needed_usd: Decimal) -> dict[Symbol, int]:
    """Units to sell per symbol that surely bring ``needed_usd``, which must be possible.

    No order could be a unit smaller without missing it, unless at its least. Orders that would be
    below the minimum are tried at their least, one after another, as long as that is better.
    """
    forced: frozenset[int] = frozenset()
    best = _filled(choices, needed_usd, forced)
    while True:
        open_to_try = [i for i in range(len(choices)) if i not in best and i not in forced]
        open_to_try = open_to_try[:_MOST_OPEN] if len(forced) < _MOST_FORCED else []
        tries = [(_filled(choices, needed_usd, forced | {i}), i) for i in open_to_try]
        if not tries:
            break
        units, index = min(tries, key=lambda one: _badness(choices, one[0], needed_usd))
        if _badness(choices, units, needed_usd) >= _badness(choices, best, needed_usd):
            break
        best, forced = units, forced | {index}
    best = _exchanged(choices, best, needed_usd)
    return {choices[index].symbol: count for index, count in best.items()}


def _filled(
    choices: Sequence[SellChoice], needed_usd: Decimal, forced: frozenset[int]
) -> dict[int, int]:
    """The forced at their least, then by rank to the targets, then past them."""
    units = {index: choices[index].least for index in forced}
    brought_usd = _brought(choices, units)
    for is_past in (False, True):
        for index, choice in sorted(enumerate(choices), key=lambda one: one[0] not in units):
            if brought_usd >= needed_usd:
                break
            most = choice.most if is_past else min(choice.most, _to_target(choice))
            before = units.get(index, 0)
            others_usd = brought_usd - choice.net_usd(before)
            count = max(before, min(choice.units_for(needed_usd - others_usd), most))
            if is_past or count >= choice.least:
                units[index] = max(count, choice.least)
                brought_usd = others_usd + choice.net_usd(units[index])
    return _trimmed(choices, units, needed_usd)


def _exchanged(
    choices: Sequence[SellChoice], units: dict[int, int], needed_usd: Decimal
) -> dict[int, int]:
    """Sell more or less of one and what is then needed of another, while that is better."""
    tries = max(1, len(units) * len(choices))
    for _ in range(min(_MOST_ROUNDS, _MOST_TRIES // tries)):
        badness, better = _badness(choices, units, needed_usd), units
        for found in _neighbours(choices, units, needed_usd):
            worth = _badness(choices, found, needed_usd)
            if worth < badness:
                badness, better = worth, found
        if better is units:
            break
        units = better
    return units


def _neighbours(
    choices: Sequence[SellChoice], units: dict[int, int], needed_usd: Decimal
) -> Iterator[dict[int, int]]:
    """One order at another count, and one other that makes up for it."""
    brought_usd = _brought(choices, units)
    for index, count in units.items():
        counts = {0, choices[index].least, *range(count - _NEAR, count + _NEAR + 1)}
        allowed = [one for one in counts if _is_allowed(choices[index], one) and one != count]
        for other, choice in enumerate(choices):
            if other == index:
                continue
            rest_usd = brought_usd - choices[index].net_usd(count)
            rest_usd -= choice.net_usd(units.get(other, 0))
            for new in allowed:
                missing_usd = needed_usd - rest_usd - choices[index].net_usd(new)
                more = max(choice.least, choice.units_for(missing_usd)) if missing_usd > 0 else 0
                if _is_allowed(choice, more):
                    pair = {**units, index: new, other: more}
                    kept = {one: number for one, number in pair.items() if number}
                    yield _trimmed(choices, kept, needed_usd)


def _is_allowed(choice: SellChoice, units: int) -> bool:
    return not units or choice.least <= units <= choice.most


def _to_target(choice: SellChoice) -> int:
    return int((max(ZERO, choice.over_usd) / choice.lot_usd).to_integral_value(ROUND_FLOOR))


def _trimmed(
    choices: Sequence[SellChoice], units: dict[int, int], needed_usd: Decimal
) -> dict[int, int]:
    """From the last in rank up: whole orders that are not needed, then units."""
    brought_usd = _brought(choices, units)
    for index in sorted(units, reverse=True):
        choice = choices[index]
        others_usd = brought_usd - choice.net_usd(units[index])
        if others_usd >= needed_usd:
            count = 0
        else:
            fewer = max(choice.least, choice.units_for(needed_usd - others_usd))
            count = min(units[index], fewer)
        units = {**units, index: count}
        brought_usd = others_usd + choice.net_usd(count)
    return {index: count for index, count in units.items() if count}


def _brought(choices: Sequence[SellChoice], units: Units) -> Decimal:
    return sum((choices[index].net_usd(count) for index, count in units.items()), ZERO)


def _badness(
    choices: Sequence[SellChoice], units: Units, needed_usd: Decimal
) -> tuple[bool, Decimal, Decimal]:
    """An excess of a share or more first, then the error, then the excess."""
    excess_usd = _brought(choices, units) - needed_usd
    dearest_usd = max((choices[index].lot_usd for index in units), default=ZERO)
    own_usd = sum(
        (abs(one.over_usd - units.get(i, 0) * one.lot_usd) for i, one in enumerate(choices)), ZERO
    )
    return (excess_usd >= dearest_usd, own_usd + excess_usd, excess_usd)


def set_aside(account: Valuation, usd: Decimal) -> Valuation:
    """The account without the money that is to be taken out; net liq must stay above 0."""
    net_liq = account.net_liq_usd - usd
    return replace(
        account,
        cash_usd=account.cash_usd - usd,
        net_liq_usd=net_liq,
        leverage=account.gross_exposure_usd / net_liq,
    )
