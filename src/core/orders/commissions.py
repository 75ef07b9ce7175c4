"""What executions cost, per currency: the broker may charge in another than the trade's.

Only what it charged in USD counts in USD; anything else is shown in its own currency, and a
reserve stands for it in the cash that the buys may spend.
"""

from __future__ import annotations

from collections.abc import Iterable

from src.base.money import ZERO, exact_arithmetic, usd_text
from src.core.records.orders import Fill, ForeignAmount


@exact_arithmetic()
def foreign_commissions(fills: Iterable[Fill]) -> tuple[ForeignAmount, ...]:
    """What was charged in other currencies than USD, summed up by currency."""
    charged = [one.foreign_commission for one in fills if one.foreign_commission is not None]
    return tuple(
        ForeignAmount(
            amount=sum((one.amount for one in charged if one.currency == currency), ZERO),
            currency=currency,
        )
        for currency in sorted({one.currency for one in charged})
    )


def foreign_text(amounts: Iterable[ForeignAmount]) -> str:
    """``1.85 EUR, 2.00 HKD (unknown in USD)``; empty for none."""
    named = ", ".join(f"{usd_text(one.amount)} {one.currency}" for one in amounts)
    return f"{named} (unknown in USD)" if named else ""
