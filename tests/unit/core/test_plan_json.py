"""The JSON of a plan is read by programs: every key, every digit, in the order of USAGE.md.

Texts are compared, because ``5 == 5.0`` while a program may tell them apart.
"""

from __future__ import annotations

import json
from dataclasses import replace

from src.core.plan_json import plan_as_json
from src.core.records import TradePlan
from tests.builders import Number, account, plan, rebalance_settings, targets

PRICES: dict[str, Number] = {"SPY": "100.25", "IAU": "41.5", "GLD": 300}
DRIFT_KEYS = ("target_wt_pct", "current_wt_pct", "drift_pct", "drift_usd", "after_wt_pct")


def sample_plan() -> TradePlan:
    """3000 USD: SPY is bought, GLD is too small an order, IAU is within its band."""
    valued = account({"SPY": 10, "IAU": "20.5"}, PRICES, "1146.75")
    wanted = targets({"SPY": 60, "IAU": "28.1", "GLD": "6.9"})
    return replace(plan(valued, wanted, rebalance_settings(min_order=300)), notes=("a note",))


def test_the_whole_plan_is_in_the_document() -> None:
    made = sample_plan()
    expected = {
        "account_id": "DU1234567",
        "plan_hash": made.plan_hash,
        "tickets": [
            {
                "symbol": "SPY",
                "side": "BUY",
                "qty_shares": 8,
                "est_price_usd": 100.25,
                "est_value_usd": 802,
            }
        ],
        "skipped": [
            {
                "symbol": "GLD",
                "reason": "drift of $207.00 is below the minimum order of $300.00",
            }
        ],
        "drift": [
            drift_row("CASH", 5, 38.225, 33.225, 996.75, 11.4916666667),
            drift_row("GLD", 6.9, 0, -6.9, -207, 0),
            drift_row("IAU", 28.1, 28.3583333333, 0.2583333333, 7.75, 28.3583333333),
            drift_row("SPY", 60, 33.4166666667, -26.5833333333, -797.5, 60.15),
        ],
        "before": {
            "net_liq_usd": 3000,
            "cash_usd": 1146.75,
            "gross_exposure_usd": 1853.25,
            "leverage": 0.61775,
        },
        "after": {
            "net_liq_usd": 3000,
            "cash_usd": 344.75,
            "gross_exposure_usd": 2655.25,
            "leverage": 0.8850833333,
        },
        "warnings": ["careful", "a note"],
    }
    assert json.dumps(plan_as_json(made, ["careful"]), indent=1) == json.dumps(expected, indent=1)


def drift_row(symbol: str, *figures: float) -> dict[str, str | float]:
    return {"symbol": symbol, **dict(zip(DRIFT_KEYS, figures, strict=True))}
