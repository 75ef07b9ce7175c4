"""What a check finds in one account, as a line: how many orders are due and how far it is off.

Source: SRS R-611.
"""

from __future__ import annotations

from src.base.money import weight_to_percent
from src.base.text import counted
from src.core.drift import rank_by_drift
from src.core.records.plan import TradePlan
from src.core.showing.preview_table import drift_sum


def due_text(plan: TradePlan) -> str:
    """``3 orders due, sum |drift| 4.10%, largest SPY -2.40%``; CASH is one of the lines."""
    count = len(plan.tickets)
    orders = f"{counted(count, 'order')} due" if count else "nothing due"
    largest = rank_by_drift(plan.drift_before.rows)[0]
    return (
        f"{orders}, sum |drift| {weight_to_percent(drift_sum(plan.drift_before.rows)[0]):.2f}%, "
        f"largest {largest.symbol} {weight_to_percent(largest.drift_weight):+.2f}%"
    )
