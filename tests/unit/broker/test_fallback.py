"""The algo's fallback is decided by codes: in any language, once, and never without proof."""

from __future__ import annotations

import pytest

from src.core.records.orders import OrderStyle, TicketStatus
from tests.kits.execution_kit import Stage, sell, statuses, with_settings
from tests.kits.fakes import Behaviour, FakeOrder, fills, rejects

GERMAN = "Auftrag abgelehnt - Grund: Dieser Algorithmus ist hier nicht zulässig"


def algo_run(*behaviours: list[Behaviour], batch: bool = True) -> Stage:
    names = [f"T{number}" for number in range(len(behaviours))]
    stage = Stage(tickets=tuple(sell(name) for name in names))
    for name, wanted in zip(names, behaviours, strict=True):
        stage.behave(name, *wanted)
    return with_settings(stage, algo_preference="adaptive", batch_orders=batch)


def styles(stage: Stage, symbol: str) -> list[OrderStyle]:
    return [one.style for one in stage.desk.placed() if one.symbol == symbol]


@pytest.mark.parametrize("code", [201, 387, 439, 442])
@pytest.mark.parametrize("text", [GERMAN, "", "insufficient margin"])
def test_an_algo_refused_in_any_language_is_tried_plain_once(code: int, text: str) -> None:
    stage = algo_run([rejects(code, text), fills()])
    assert statuses(stage.play()) == ["Filled"]
    assert styles(stage, "T0") == [OrderStyle.ADAPTIVE, OrderStyle.PLAIN]


def test_a_plain_order_that_is_refused_too_is_the_last_word_for_the_whole_run() -> None:
    again = [rejects(201, "Kein Guthaben"), rejects(201, "Kein Guthaben")]
    stage = algo_run(again, list(again), list(again), batch=False)
    result = stage.play()
    assert statuses(result) == ["Rejected"] * 3
    assert [len(styles(stage, one)) for one in ("T0", "T1", "T2")] == [2, 1, 1]
    assert {one.error for one in result.outcomes[1:]} == {"201: Kein Guthaben"}


def test_in_one_batch_each_ticket_is_tried_plain_at_most_once() -> None:
    again = [rejects(201, GERMAN), rejects(201, GERMAN)]
    stage = algo_run(*[list(again) for _ in range(5)])
    assert statuses(stage.play()) == ["Rejected"] * 5
    assert max(len(styles(stage, f"T{number}")) for number in range(5)) <= 2


def test_a_code_that_names_the_algo_is_tried_plain_whatever_became_of_others() -> None:
    refused = [rejects(201), rejects(201)]
    stage = algo_run(refused, [rejects(442, GERMAN), fills()], batch=False)
    assert statuses(stage.play()) == ["Rejected", "Filled"]


def refused_and_still_listed(order: FakeOrder) -> None:
    """The refusal is not proven: the order is listed as working all the while."""
    order.later(0, order.acknowledge, "Submitted")
    order.later(0.1, order.error, 201, GERMAN)


def test_an_order_of_unknown_fate_is_not_replaced() -> None:
    stage = algo_run([refused_and_still_listed, fills()])
    stage.desk.answers_cancel = False
    result = stage.play()
    assert result.outcomes[0].status is TicketStatus.UNRESOLVED
    assert len(stage.desk.placed()) == 1
