"""``--recover --cancel``: only what an open run sent itself, after a yes, and never an order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.simulator.scenario.records import CancelSetup, OrderBehaviour, ScheduledEvent
from tests.faults.market import CLIENT_ID, market, rule
from tests.faults.stage import Ending, Stage

ORDER_MESSAGES = {"PlaceOrder", "CancelOrder", "ReqGlobalCancel"}
SHORT_LIMIT = {"execution": {"order_timeout_sec": "0.3"}}
RESTING = OrderBehaviour(never_fills=True)
PART = Decimal(7)


def left_working(stage: Stage, behaviour: OrderBehaviour = RESTING) -> str:
    """A run that died when its first sell rested at the broker; somebody else's order rests too."""
    foreign = ScheduledEvent(what="order", after_orders=1, symbol="CCC", value=Decimal(3))
    stage.open(market(rule(behaviour, "AAA"), events=(foreign,)))
    assert stage.run_mortal(("wire", 1, "after")).was_killed
    (run,) = stage.open_runs()
    return run.run_id


def order_messages(ending: Ending) -> list[tuple[str, int, str]]:
    """Name, client and order id of everything that could touch an order."""
    return [
        (one.name, one.client_id, one.fields[2])
        for one in ending.records
        if one.name in ORDER_MESSAGES
    ]


def test_after_a_yes_only_the_runs_own_working_order_is_cancelled(stage: Stage) -> None:
    run_id = left_working(stage)
    ours = stage.exchange._floor.book.orders
    (order_id,) = [one.order_id for one in ours if run_id in one.order.order_ref]
    ending = stage.recover("--cancel")
    assert order_messages(ending) == [("CancelOrder", CLIENT_ID, str(order_id))]
    assert (ending.code, stage.open_runs()) == (0, ())
    assert ending.statuses["AAA"] == "Cancelled"
    assert ending.rows[0]["error"] == "cancelled on your word (--recover --cancel)"
    assert "These orders of earlier runs still work:" in ending.out
    assert "Cancel this order? [y/N]: " in ending.err
    working = [
        one for one in stage.exchange._floor.book.working() if run_id not in one.order.order_ref
    ]
    assert len(working) == 1, "somebody else's order works on"


@pytest.mark.parametrize(
    ("flags", "answer", "said"),
    [
        ((), "n\n", "Nothing was cancelled."),
        ((), "", "Nothing was cancelled."),
        (("--read-only",), "y\n", "read-only: nothing was sent"),
    ],
)
def test_without_a_yes_or_leave_the_table_is_shown_and_nothing_is_sent(
    stage: Stage, flags: tuple[str, ...], answer: str, said: str
) -> None:
    run_id = left_working(stage)
    ending = stage.run("--recover", "--cancel", *flags, answer=answer)
    assert order_messages(ending) == []
    assert (ending.code, [one.run_id for one in stage.open_runs()]) == (5, [run_id])
    assert said in ending.out
    row, still = [line for line in ending.out.splitlines() if line.startswith("AAA ")]
    assert still.split() == row.split()
    assert row.split()[:5] == ["AAA", "SELL", "50", "0", "Submitted"]
    assert ("[y/N]" in ending.err) == (not flags)


def test_an_order_is_cancelled_by_the_client_that_placed_it(stage: Stage) -> None:
    left_working(stage)
    stage.changes = {"ibkr": {"client_id": CLIENT_ID + 7}}
    ending = stage.recover("--cancel")
    assert [(name, client) for name, client, _ in order_messages(ending)] == [
        ("CancelOrder", CLIENT_ID)
    ]
    assert (ending.code, ending.statuses["AAA"]) == (0, "Cancelled")


def test_a_cancel_that_is_ignored_leaves_the_run_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.app.books.cancelling.WAIT_SEC", 0.2)
    deaf = OrderBehaviour(never_fills=True, cancel=CancelSetup(answer="ignored"))
    run_id = left_working(stage, deaf)
    ending = stage.recover("--cancel")
    assert [name for name, _, _ in order_messages(ending)] == ["CancelOrder"]
    assert (ending.code, [one.run_id for one in stage.open_runs()]) == (5, [run_id])
    assert f"Still open: run {run_id} (AAA)." in ending.out
    *_, row = [line for line in ending.out.splitlines() if line.startswith("AAA ")]
    assert row.split()[:5] == ["AAA", "SELL", "50", "0", "Submitted"]


def test_with_nothing_at_work_nothing_is_asked(stage: Stage) -> None:
    stage.open(market(rule(OrderBehaviour(silence="lost"), "AAA"))).confirm()
    ending = stage.recover("--cancel")
    assert (ending.code, order_messages(ending)) == (5, [])
    assert "there is nothing to cancel" in ending.out
    assert "[y/N]" not in ending.err
