"""A plan as one JSON object, for programs instead of people.

Numbers are plain JSON numbers of at most ten decimals; weights become percent.
The full account id is in it, because a program needs it.

Source: SRS R-402.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Union

from src.core.money import exact_arithmetic, weight_to_percent
from src.core.records import TradePlan, Valuation

Json = Union[str, int, float, list["Json"], dict[str, "Json"]]  # noqa: UP007 - evaluated on 3.10


@exact_arithmetic()
def plan_as_json(plan: TradePlan, warnings: Sequence[str]) -> dict[str, Json]:
    """The object that ``--json`` prints; ``json.dumps`` turns it into text."""
    after = {row.symbol: row.current_weight for row in plan.drift_after.rows}
    return {
        "account_id": plan.account_id,
        "plan_hash": plan.plan_hash,
        "tickets": [
            {
                "symbol": ticket.symbol,
                "side": ticket.side.value,
                "qty_shares": _number(ticket.qty_shares),
                "est_price_usd": _number(ticket.est_price_usd),
                "est_value_usd": _number(ticket.est_value_usd),
            }
            for ticket in plan.tickets
        ],
        "skipped": [{"symbol": one.symbol, "reason": one.reason} for one in plan.skipped],
        "drift": [
            {
                "symbol": row.symbol,
                "target_wt_pct": _percent(row.target_weight),
                "current_wt_pct": _percent(row.current_weight),
                "drift_pct": _percent(row.drift_weight),
                "drift_usd": _number(row.drift_usd),
                "after_wt_pct": _percent(after[row.symbol]),
            }
            for row in plan.drift_before.rows
        ],
        "before": _figures(plan.before),
        "after": _figures(plan.after),
        "warnings": [*warnings, *plan.notes],
    }


def _figures(valuation: Valuation) -> dict[str, Json]:
    return {
        "net_liq_usd": _number(valuation.net_liq_usd),
        "cash_usd": _number(valuation.cash_usd),
        "gross_exposure_usd": _number(valuation.gross_exposure_usd),
        "leverage": _number(valuation.leverage),
    }


def _percent(weight: Decimal) -> int | float:
    return _number(weight_to_percent(weight))


def _number(value: Decimal) -> int | float:
    """A JSON number; a float has 15 digits, more than any figure of an account needs."""
    rounded = round(value, 10)
    return int(rounded) if rounded == int(rounded) else float(rounded)
