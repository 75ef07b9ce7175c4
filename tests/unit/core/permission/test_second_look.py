"""Positions that come or go between the preview and the answer; the rest is in test_permit.py."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from src.core.permission.market_state import MarketState
from src.core.permission.second_look import compare_after_answer
from tests.kits.builders import Number, cash_terms, snapshot
from tests.kits.guard_kit import held, state
from tests.kits.journal_kit import PLAN

ONE_PERCENT = Decimal("0.01")


def holding(**shares: Number) -> MarketState:
    return state(snapshot=replace(held(), positions=snapshot(shares).positions))


def test_a_position_that_came_or_went_in_a_planned_symbol_is_a_change() -> None:
    before, now = holding(AAA=100, BBB=150), holding(AAA=100, CCC=3)
    assert compare_after_answer(PLAN, before, now, ONE_PERCENT) == (
        "BBB: 150 shares held before, 0 now",
        "CCC: 0 shares held before, 3 now",
    )


def test_a_position_elsewhere_does_not_count() -> None:
    before, now = holding(AAA=100, BBB=150), holding(AAA=100, BBB=150, ZZZ=3)
    assert compare_after_answer(PLAN, before, now, ONE_PERCENT) == ()


def test_settled_money_that_is_gone_is_a_change() -> None:
    """F-108: what a cash account's buys were planned with is looked at again."""
    before, after = (state(snapshot=replace(held(), terms=cash_terms(usd))) for usd in (2500, 1000))
    (change,) = compare_after_answer(PLAN, before, after, ONE_PERCENT)
    assert change == "can be spent before anything settles: $2,500.00 before, $1,000.00 now"
    assert compare_after_answer(PLAN, after, before, ONE_PERCENT) == ()
    turned = compare_after_answer(PLAN, state(), after, ONE_PERCENT)
    assert len(turned) == 1
