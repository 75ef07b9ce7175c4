"""Kill the process at every journal commit and around every order message, then start again.

A real process is ended without a chance to clean up; the next start recovers, and the one after
it plans the rest. Orders are counted on the gateway's own record. A sample runs by default, every
point of every story with ``pytest -m sweep``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from src.simulator.scenario.records import (
    CommissionSetup,
    FillStep,
    OrderBehaviour,
    OrderRule,
    Rejection,
)
from tests.faults.market import PLAN, market, rule
from tests.faults.stage import Ending, Stage, read_rows, reported

Point = tuple[str, int, str]
_MANY: Final = 200
_RUNS_UNTIL_DONE: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How the broker behaves towards the first run's orders, and with which settings."""

    rules: tuple[OrderRule, ...] = ()
    changes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


_REFUSED = OrderBehaviour(reject=Rejection(code=442, text="bad algo"))
_PARTS = OrderBehaviour(
    fills=tuple(FillStep(after_sec=0.01, quantity=Decimal(qty)) for qty in (5, 6, 7)),
    commission=CommissionSetup(delay_sec=0.05),
)
STORIES: Final = {
    "sells and buys": Story(),
    "fallback": Story(
        rules=(rule(_REFUSED, algos=("Adaptive",)),),
        changes={"execution": {"algo_preference": "adaptive", "order_timeout_sec": 1}},
    ),
    "partial fills": Story(
        rules=(rule(_PARTS, numbers=(1, 2, 3, 4)),),
        changes={"execution": {"order_timeout_sec": "0.2"}},
    ),
}


class Theatre:
    """A fresh stage, state directory included, for each kill."""

    def __init__(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._path = tmp_path
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def kill_at(self, story: Story, point: Point) -> bool:
        """Play the story up to the point and all that must follow; False: the run went by it."""
        stage = self._set_up(story, point)
        first = stage.run_mortal(point)
        if first.was_killed:
            _start_again(stage, first)
            return True
        assert first.code in (0, 4), first.err
        assert len(first.rows) == len(PLAN)
        return False

    def kill_recovery_at(self, story: Story, point: Point) -> bool:
        """A run dies between its sells and its buys, then the recovery of it, at the point."""
        stage = self._set_up(story, point)
        first = stage.run_mortal(("wire", 2, "after"))
        assert first.was_killed
        ending = stage.run_mortal(point, "--recover")
        _start_again(stage, first)
        return ending.was_killed

    def _set_up(self, story: Story, point: Point) -> Stage:
        home = self._path / "-".join(map(str, point))
        home.mkdir()
        for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
            self._monkeypatch.setenv(name, str(home / "state"))
        stage = Stage(home, self._monkeypatch, self._capsys).open(market(*story.rules))
        stage.changes = story.changes
        return stage


@pytest.fixture
def theatre(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Theatre:
    return Theatre(tmp_path, monkeypatch, capsys)


def _start_again(stage: Stage, first: Ending) -> None:
    """Recovery sends nothing and reports what was executed; then the rest is traded, once."""
    _recover(stage)
    if first.orders:
        assert reported(read_rows(stage.posts()[-1])) == stage.executed()
    for _ in range(_RUNS_UNTIL_DONE):
        again = stage.confirm()
        if not again.orders:
            break
        assert again.code in (0, 4), again.err
        assert "alarm" not in again.err
    assert (again.code, again.orders) == (0, [])
    for symbol, shares in stage.executed().items():
        assert abs(shares) <= abs(PLAN[symbol])


def _recover(stage: Stage) -> None:
    """Look; cancel by hand what still works; look again; take over what cannot be proven."""
    ending = stage.recover()
    if stage.open_runs():
        assert ending.code == 5
        stage.cancel_by_hand()
        ending = stage.recover()
    for state in stage.open_runs():
        assert f"--recover --accept {state.run_id}" in ending.out
        ending = stage.recover("--accept", state.run_id)
    assert (ending.code, stage.open_runs()) == (0, ())


@pytest.mark.parametrize(
    "point",
    [
        ("IntentRecorded", 1, "after"),
        ("wire", 2, "before"),
        ("wire", 3, "after"),
    ],
)
def test_some_deaths_of_a_run_that_sells_and_buys(theatre: Theatre, point: Point) -> None:
    assert theatre.kill_at(STORIES["sells and buys"], point)


def test_a_report_that_was_never_written_is_written_at_the_next_start(
    stage: Stage,
) -> None:
    first = stage.open(market()).run_mortal(("RunClosed", 1, "after"))
    assert (first.was_killed, first.new_posts) == (True, [])
    second = stage.confirm()
    assert (second.code, second.orders) == (0, [])
    assert reported(second.rows) == stage.executed() == PLAN
    assert "the missing report of run" in second.out
    third = stage.confirm()
    assert (third.new_posts, "missing report" in third.out) == ([], False)


@pytest.mark.sweep
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("what", ["journal", "wire", "RunClosed", "TicketEnded"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_every_death(theatre: Theatre, name: str, what: str, moment: str) -> None:
    deaths = 0
    for number in count(1):
        if not theatre.kill_at(STORIES[name], (what, number, moment)):
            break
        deaths += 1
    assert 1 <= deaths < _MANY


@pytest.mark.sweep
@pytest.mark.parametrize("moment", ["before", "after"])
def test_every_death_of_a_recovery(theatre: Theatre, moment: str) -> None:
    deaths = 0
    story = STORIES["sells and buys"]
    while theatre.kill_recovery_at(story, ("journal", deaths + 1, moment)):
        deaths += 1
    assert 1 <= deaths < _MANY
