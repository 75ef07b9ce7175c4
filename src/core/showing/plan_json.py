"""A plan as one JSON object, for programs instead of people.

Numbers are plain JSON numbers of at most ten decimals; weights become percent. What is not known is
null, never 0. The full account id is in it, because a program needs it.

Source: SRS R-402.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from src.base.json_values import Json, json_number
from src.base.money import exact_arithmetic, weight_to_percent
from src.core.gains import estimated_gains
from src.core.records.account import AccountSnapshot
from src.core.records.plan import OrderTicket, TradePlan, Valuation
from src.core.settled_buys import waiting_text
from src.core.wishes.effect import wishes_as_json

SCHEMA: Final = "rebalance-plan/2"

PlanSource = Literal["broker", "simulated", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRemarks:
    """What is said beside the figures.

    ``warnings`` question them, ``obstacles`` forbid trading, ``notices`` are about the run itself.
    """

    warnings: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


@exact_arithmetic()
def plan_as_json(
    plan: TradePlan,
    snapshot: AccountSnapshot,
    source: PlanSource,
    remarks: PlanRemarks,
    what_if: Json = None,
) -> dict[str, Json]:
    """The object that ``--json`` prints; ``json.dumps`` turns it into text.

    ``what_if`` is what the broker says that the plan costs, where it was asked.
    """
    after = {row.symbol: row.current_weight for row in plan.drift_after.rows}
    gains = estimated_gains(plan, snapshot)
    outside = [plan.outside_limits] if plan.outside_limits else []
    waits = [waiting_text(plan)] if plan.waiting else []
    return {
        "schema": SCHEMA,
        "source": source,
        "account_id": plan.account_id,
        "plan_hash": plan.plan_hash,
        "tickets": [_ticket(ticket, gains.get(ticket.symbol)) for ticket in plan.tickets],
        "skipped": [
            {"symbol": one.symbol, "code": one.code.value, "reason": one.reason}
            for one in plan.skipped
        ],
        "wishes": wishes_as_json(plan.wishes),
        "what_if": what_if,
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
        "warnings": [*remarks.warnings, *outside, *plan.notes],
        "obstacles": list(remarks.obstacles),
        "notices": [*remarks.notices, *waits],
    }


def _ticket(ticket: OrderTicket, gain_usd: Decimal | None) -> dict[str, Json]:
    return {
        "symbol": ticket.symbol,
        "side": ticket.side.value,
        "qty_shares": json_number(ticket.qty_shares),
        "est_price_usd": json_number(ticket.est_price_usd),
        "est_value_usd": json_number(ticket.est_value_usd),
        "est_gain_usd": None if gain_usd is None else json_number(gain_usd),
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
