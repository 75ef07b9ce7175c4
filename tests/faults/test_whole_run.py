"""The undisturbed run, so that every fault can be seen against it."""

from __future__ import annotations

from tests.faults.market import PLAN, market
from tests.faults.stage import Stage, reported, reported_usd


def test_a_run_without_faults(stage: Stage) -> None:
    ending = stage.open(market()).confirm()
    print(ending.out, ending.err)
    assert ending.code == 0
    assert ending.statuses == dict.fromkeys(PLAN, "Filled")
    assert reported(ending.rows) == stage.executed() == PLAN
    assert reported_usd(ending.rows) == stage.executed_usd()
    assert stage.open_runs() == ()
    assert ending.last_line == (
        "4 orders sent; 4 of 4 tickets filled; nothing unresolved. Nothing left to do."
    )
