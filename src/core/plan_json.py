"""A plan as one JSON object, for programs instead of people.

Numbers are plain JSON numbers of at most ten decimals; weights become percent.
The full account id is in it, because a program needs it.

Source: SRS R-402.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from src.core.json_values import Json, json_number
from src.core.money import exact_arithmetic, weight_to_percent
from src.core.records import TradePlan, Valuation


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
                "qty_shares": json_number(ticket.qty_shares),
                "est_price_usd": json_number(ticket.est_price_usd),
                "est_value_usd": json_number(ticket.est_value_usd),
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
                "drift_usd": json_number(row.drift_usd),
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
        "net_liq_usd": json_number(valuation.net_liq_usd),
        "cash_usd": json_number(valuation.cash_usd),
        "gross_exposure_usd": json_number(valuation.gross_exposure_usd),
        "leverage": json_number(valuation.leverage),
    }


def _percent(weight: Decimal) -> Json:
    return json_number(weight_to_percent(weight))
