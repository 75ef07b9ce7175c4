"""What real gateways do to orders and prices, in whole confirmed runs: the reason reaches the user.

The cases are of public bug reports; each is told on the console and stands in the post report.
"""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from src.base.errors import ExitCode
from src.simulator.scenario.records import (
    MarketDataSetup,
    Notice,
    OrderBehaviour,
    OrderRule,
    Rejection,
    Scenario,
    load_scenario,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import Workplace, sample

SIZE_LIMIT = (
    "Order size 10 is greater than maximum order size of 5 (Global Configuration, Presets, Size"
    " Limit)."
)
CLOSING = "Order rejected - reason:Only closing orders are permitted."
CAPPED = "Your order is capped at 99.87 to protect you from trading too far from the market."
REASONS = {  # what happens to the one order of the run, and what the user is told of it
    "O01 a price cap holds it until its limit": (
        OrderBehaviour(never_fills=True, notices=(Notice(code=2161, text=CAPPED),)),
        f"(the broker said 2161: {CAPPED})",
    ),
    "O02 a size limit of the presets": (
        OrderBehaviour(reject=Rejection(code=383, text=SIZE_LIMIT)),
        f"383: {SIZE_LIMIT}",
    ),
    "O03 only closing orders are permitted": (
        OrderBehaviour(reject=Rejection(code=201, text=CLOSING)),
        f"201: {CLOSING}",
    ),
    "O05 it is never acknowledged": (OrderBehaviour(silence="lost"), "never acknowledged"),
    "O07 inactive without a reason": (
        OrderBehaviour(reject=Rejection(told="status_only", text="")),
        "Inactive",
    ),
}


def with_rule(behaviour: OrderBehaviour) -> Scenario:
    return sample(order_rules=(OrderRule(then=behaviour),))


@pytest.mark.parametrize("name", REASONS)
def test_what_became_of_an_order_is_told_with_its_reason(
    place: Workplace, open_gateway: OpenGateway, name: str
) -> None:
    behaviour, words = REASONS[name]
    open_gateway(with_rule(behaviour))
    place.set("rebalance", per_holding_band_bps=900)
    if not behaviour.reject:
        place.set("execution", order_timeout_sec="0.5")
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.UNFILLED
    shown = " ".join(done.out.partition("? [y/N]")[0].split())
    assert words in shown
    (report,) = place.reports_named("rebalance_post_")
    with report.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert words in row["error"]


# --- prices -----------------------------------------------------------------------------------


def with_data(data: MarketDataSetup, symbol: str = "MGK") -> Scenario:
    contracts = load_scenario().contracts
    told = tuple(
        replace(one, market_data=data) if one.symbol == symbol else one for one in contracts
    )
    return sample(contracts=told)


def test_m01_a_close_that_comes_behind_a_partial_refusal_is_taken(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    place.set("pricing", price_source="close", price_timeout_sec=2)
    open_gateway(with_data(MarketDataSetup(access="none", refusal=10090)))
    done = place.run()
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert "MGK" in done.out
