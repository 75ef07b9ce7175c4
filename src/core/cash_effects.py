"""What executions do to USD cash, and how far the account's own figure may be from it.

An execution whose commission is not known yet, or was charged in another currency, is charged a
reserve instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from src.base.money import ZERO, exact_arithmetic
from src.core.records.orders import Fill, Side

CASH_TOLERANCE_USD: Final = Decimal(5)
_CASH_TOLERANCE_SHARE: Final = Decimal("0.0005")
_RESERVE_SHARE: Final = Decimal("0.001")
_LEAST_RESERVE_USD: Final = Decimal(1)


@exact_arithmetic()
def cash_effect(fills: Iterable[Fill]) -> Decimal:
    """What executions add to USD cash: sales less purchases less commissions (or reserves)."""
    total = ZERO
    for fill in fills:
        value = fill.qty_shares * fill.price_usd
        total += value if fill.side is Side.SELL else -value
        total -= commission_or_reserve(fill)
    return total


@exact_arithmetic()
def commission_or_reserve(fill: Fill) -> Decimal:
    """What an execution costs: as reported, else 0.1% of its value and at least 1 USD."""
    if fill.commission_usd is not None:
        return fill.commission_usd
    if not fill.qty_shares:
        return ZERO
    return sale_reserve(fill.qty_shares * fill.price_usd)


@exact_arithmetic()
def sale_reserve(value_usd: Decimal) -> Decimal:
    """What an execution of so much is charged while its commission is not known."""
    return max(_LEAST_RESERVE_USD, _RESERVE_SHARE * value_usd)


@exact_arithmetic()
def charged_elsewhere(fills: Iterable[Fill]) -> Decimal:
    """The reserves that stand for commissions in other currencies, which cost no USD."""
    return sum(
        (commission_or_reserve(fill) for fill in fills if fill.foreign_commission is not None), ZERO
    )


@exact_arithmetic()
def cash_tolerance(fills: Iterable[Fill]) -> Decimal:
    """How far USD cash may be from what executions and commissions explain."""
    traded = sum((fill.qty_shares * fill.price_usd for fill in fills), ZERO)
    return max(CASH_TOLERANCE_USD, _CASH_TOLERANCE_SHARE * traded)
