"""321 at an order: the API is in read-only mode, so the rest of the batch is not sent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.base.settings import ExecutionSettings
from tests.kits.execution_kit import Stage, buy, sell, statuses
from tests.kits.fakes import FakeDesk, rejects

ENGLISH = (
    "Error validating request.-'bW' : cause - The API interface is currently in Read-Only mode."
)
GERMAN = "Fehler beim Pr\u00fcfen der Anfrage: Die API ist nur zum Lesen freigegeben."
ONE_BY_ONE = ExecutionSettings(algo_preference="none", batch_orders=False)


@pytest.mark.parametrize(("text", "lists_orders"), [(ENGLISH, True), (GERMAN, False)])
def test_a_read_only_api_found_at_the_order_stops_the_rest_and_is_said_once(
    text: str, *, lists_orders: bool
) -> None:
    desk = FakeDesk(default=rejects(321, text), lists_orders=lists_orders, cash=Decimal(10_000))
    tickets = (sell("AAA"), sell("BBB"), buy("CCC"))
    result = Stage(tickets=tickets, desk=desk, execution=ONE_BY_ONE).play()
    assert statuses(result) == ["Rejected", "Skipped", "Skipped"]
    assert len(desk.placed()) == 1
    (problem,) = result.alarms
    assert problem == (
        "the gateway's API is read-only and refuses every order; untick Read-Only API"
        " (Configure > API > Settings), then run again"
    )
    assert result.outcomes[2].error == "not sent: the gateway's API is read-only"


def test_a_batch_in_read_only_mode_sends_no_buys_after_the_sells() -> None:
    desk = FakeDesk(default=rejects(321, ENGLISH), cash=Decimal(10_000))
    result = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC")), desk=desk).play()
    assert statuses(result) == ["Rejected", "Rejected", "Skipped"]
    assert len(result.alarms) == 1


def test_another_fault_with_the_same_code_leaves_the_others_alone() -> None:
    text = "Error validating request.-'bF' : cause - Invalid order type was entered."
    desk = FakeDesk(cash=Decimal(10_000))
    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk, execution=ONE_BY_ONE)
    result = stage.behave("AAA", rejects(321, text)).play()
    assert statuses(result) == ["Rejected", "Filled"]
    assert result.alarms == ()
