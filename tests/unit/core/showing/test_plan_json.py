"""The JSON of a plan is read by programs: every key, every digit, in the order of USAGE.md.

Texts are compared, because ``5 == 5.0`` while a program may tell them apart.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.records.account import AccountSnapshot
from src.core.records.plan import TradePlan
from src.core.settled_buys import wait_for_settlement
from src.core.showing.plan_json import PlanRemarks, plan_as_json
from tests.kits.builders import Number, account, plan, rebalance_settings, snapshot, targets

PRICES: dict[str, Number] = {"SPY": "100.25", "IAU": "41.5", "GLD": 300, "XLE": 50}
DRIFT_KEYS = ("target_wt_pct", "current_wt_pct", "drift_pct", "drift_usd", "after_wt_pct")


def sample_plan() -> TradePlan:
    """3000 USD: SPY is bought, GLD is too small an order, IAU is within its band, XLE is closed."""
    valued = account({"SPY": 10, "IAU": "20.5", "XLE": 6}, PRICES, "846.75")
    wanted = targets({"SPY": 60, "IAU": "28.1", "GLD": "4.9"})
    made = plan(valued, wanted, rebalance_settings(min_order=300))
    return replace(made, notes=("a note",), outside_limits="too much cash")


def held(xle_cost: Decimal | None) -> AccountSnapshot:
    made = snapshot({"SPY": 10, "IAU": "20.5", "XLE": 6})
    costs = {"XLE": xle_cost, "SPY": Decimal(90)}
    positions = (replace(one, avg_cost_usd=costs.get(one.symbol)) for one in made.positions)
    return replace(made, positions=tuple(positions))


def test_the_whole_plan_is_in_the_document() -> None:
    made = sample_plan()
    expected = {
        "schema": "rebalance-plan/2",
        "source": "broker",
        "account_id": "DU1234567",
        "plan_hash": made.plan_hash,
        "tickets": [
            {
                "symbol": "XLE",
                "side": "SELL",
                "qty_shares": 6,
                "est_price_usd": 50,
                "est_value_usd": 300,
                "est_gain_usd": -15.3,
            },
            {
                "symbol": "SPY",
                "side": "BUY",
                "qty_shares": 8,
                "est_price_usd": 100.25,
                "est_value_usd": 802,
                "est_gain_usd": None,
            },
        ],
        "skipped": [
            {
                "symbol": "GLD",
                "code": "minimum",
                "reason": "drift of $147.00 is below the minimum order of $300.00",
            }
        ],
        "wishes": {},
        "what_if": None,
        "drift": [
            drift_row("CASH", 7, 28.225, 21.225, 636.75, 11.4916666667),
            drift_row("GLD", 4.9, 0, -4.9, -147, 0),
            drift_row("IAU", 28.1, 28.3583333333, 0.2583333333, 7.75, 28.3583333333),
            drift_row("SPY", 60, 33.4166666667, -26.5833333333, -797.5, 60.15),
            drift_row("XLE", 0, 10, 10, 300, 0),
        ],
        "before": {
            "net_liq_usd": 3000,
            "cash_usd": 846.75,
            "gross_exposure_usd": 2153.25,
            "leverage": 0.71775,
        },
        "after": {
            "net_liq_usd": 3000,
            "cash_usd": 344.75,
            "gross_exposure_usd": 2655.25,
            "leverage": 0.8850833333,
        },
        "warnings": ["careful", "too much cash", "a note"],
        "obstacles": ["the market is closed"],
        "notices": ["dry run"],
    }
    remarks = PlanRemarks(
        warnings=("careful",), obstacles=("the market is closed",), notices=("dry run",)
    )
    document = plan_as_json(made, held(Decimal("52.55")), "broker", remarks)
    assert json.dumps(document, indent=1) == json.dumps(expected, indent=1)


@pytest.mark.parametrize("cost", [None, Decimal(0)])
def test_a_gain_without_a_cost_is_unknown_and_not_the_whole_value(cost: Decimal | None) -> None:
    document = plan_as_json(sample_plan(), held(cost), "simulated", PlanRemarks())
    first = json.loads(json.dumps(document))["tickets"][0]
    assert (first["side"], first["est_gain_usd"]) == ("SELL", None)


def drift_row(symbol: str, *figures: float) -> dict[str, str | float]:
    return {"symbol": symbol, **dict(zip(DRIFT_KEYS, figures, strict=True))}


def test_buys_that_wait_for_settlement_have_a_code_and_a_notice() -> None:
    rules = rebalance_settings()
    whole = plan(account({"SPY": 100}, {"SPY": 100, "IAU": 50}), targets({"IAU": 98}), rules)
    made = wait_for_settlement(whole, Decimal(0), rules)
    document = json.loads(
        json.dumps(plan_as_json(made, held(None), "broker", PlanRemarks(notices=("dry run",))))
    )
    assert [one["side"] for one in document["tickets"]] == ["SELL"]
    assert [one["code"] for one in document["skipped"]] == ["settlement"]
    assert document["notices"][0] == "dry run"
    assert "waits for the sells' proceeds to settle" in document["notices"][1]
