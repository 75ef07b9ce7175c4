"""What the program waits for in minutes, made short for tests; nothing else is changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from src.core.orders.state import Patience

QUICK: Final = Patience(
    answer_sec=Decimal("0.3"),
    cancel_sec=Decimal("0.3"),
    proof_sec=Decimal("0.05"),
    commission_sec=Decimal("0.2"),
    account_sec=Decimal(1),
    cash_sec=Decimal("0.2"),
    pause_sec=Decimal("0.05"),
    recovery_sec=Decimal(3),
    stop_sec=Decimal(3),
)
SHORT: Final = {
    "src.app.books.earlier_runs.SECOND_ROUND_PAUSE_SEC": 0.05,
}
