"""Execution in a cash account: the broker refuses a buy that settled cash does not cover (F-108).

It reserves 105% of every buy that has not filled, and sells bring nothing before they settle.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.builders import dec
from tests.kits.execution_kit import Stage, buy, sell, statuses
from tests.kits.fakes import fills, rejects, rests


def cash_account(stage: Stage, settled: int, cash: int | None = None) -> Stage:
    stage.desk.settled = dec(settled)
    stage.desk.cash = dec(settled if cash is None else cash)
    return stage


def bought(stage: Stage) -> dict[str, int]:
    placed = (one for one in stage.desk.placed() if one.side.value == "BUY")
    return {one.symbol: int(one.qty_shares) for one in placed}


def test_buys_go_by_rank_as_the_reserve_allows_and_none_is_refused() -> None:
    stage = cash_account(Stage((buy("AAA"), buy("BBB"), buy("CCC", 5))), 2560)
    assert statuses(stage.play()) == ["Filled", "Filled", "Filled"]
    assert bought(stage) == {"AAA": 10, "BBB": 10, "CCC": 5}
    first, second, third = stage.desk.placed_at()
    assert first == second < third


def test_proceeds_of_the_sells_are_not_spent_before_they_settle() -> None:
    stage = cash_account(Stage((sell("XXX", 30), buy("AAA", 10))), 1100)
    stage.desk.prices = {"AAA": 100, "XXX": 100}
    assert statuses(stage.play()) == ["Filled", "Filled"]
    stage = cash_account(Stage((sell("XXX", 30), buy("AAA", 10))), 300)
    result = stage.play()
    assert bought(stage) == {"AAA": 2}
    assert statuses(result) == ["Filled", "Filled"]
    assert "refitted from 10" in result.outcomes[1].notes


def test_the_lower_of_available_funds_and_cash_counts() -> None:
    stage = cash_account(Stage((buy("AAA", 10),)), 5000, cash=500)
    stage.play()
    assert bought(stage) == {"AAA": 4}


def test_what_settled_cash_does_not_reach_is_skipped_with_the_reason() -> None:
    stage = cash_account(Stage((sell("XXX", 30), buy("AAA", 10), buy("BBB", 10))), 1100)
    result = stage.play()
    assert statuses(result) == ["Filled", "Filled", "Skipped"]
    assert "no settled cash is left for it" in result.outcomes[2].error


def test_a_silent_broker_after_the_sells_leaves_what_was_there_before() -> None:
    stage = cash_account(Stage((sell("XXX", 30), buy("AAA", 10))), 600)
    stage.desk.can_read_account = False
    stage.play()
    assert bought(stage) == {"AAA": 5}


def test_a_buy_that_was_refused_frees_its_reserve_for_the_next() -> None:
    stage = cash_account(Stage((buy("AAA"), buy("BBB"))), 2060)
    stage.behave("AAA", rejects(201, "no"))
    assert statuses(stage.play()) == ["Rejected", "Filled"]


@pytest.mark.parametrize("batch", [True, False])
def test_a_buy_that_rests_keeps_its_reserve_until_it_is_cancelled(
    batch: bool,
) -> None:
    stage = cash_account(Stage((buy("AAA"), buy("BBB"))), 2060)
    stage.execution = stage.execution._replace(batch_orders=batch)
    stage.behave("AAA", rests)
    assert statuses(stage.play()) == ["Cancelled", "Filled"]


@settings(max_examples=40)
@given(
    settled=st.integers(0, 6000),
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=5),
    data=st.data(),
)
def test_no_buy_is_ever_refused_for_lack_of_settled_cash(
    settled: int, sizes: list[int], data: st.DataObject
) -> None:
    buys = tuple(buy(f"S{number}", qty) for number, qty in enumerate(sizes))
    stage = cash_account(Stage((sell("XXX", 40), *buys)), settled)
    for one in buys:
        part = data.draw(st.integers(0, int(one.qty_shares)))
        stage.behave(one.symbol, data.draw(st.sampled_from([fills(), fills(parts=(part,)), rests])))
    result = stage.play()
    assert "Rejected" not in statuses(result)
    spent = sum(
        (fill.qty_shares * fill.price_usd for one in result.outcomes[1:] for fill in one.fills),
        Decimal(0),
    )
    assert spent <= settled
