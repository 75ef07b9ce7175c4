from __future__ import annotations

from datetime import timedelta

from src.core.running.pace import leaves_at, slow_down, take_turn
from src.core.running.parts import Run
from tests.kits.execution_kit import Stage, at, run_of, sell


def resting(sec: float = 0) -> Run:
    return run_of(Stage(tickets=(sell("AAA"),)))._replace(moment=at(sec))


def wait(run: Run) -> timedelta:
    return max(timedelta(0), leaves_at(run) - run.moment.elapsed)


def test_twenty_at_once_then_one_every_twentieth_of_a_second() -> None:
    run = resting()
    for _ in range(20):
        assert not wait(run)
        run = take_turn(run)
    assert wait(run) == timedelta(milliseconds=50)
    assert not wait(run._replace(moment=at(0.05)))


def test_waiting_as_long_as_told_is_enough() -> None:
    run = resting()
    for _ in range(200):
        now = run.moment.elapsed + wait(run)
        run = take_turn(run._replace(moment=at(now.total_seconds())))
    assert run.moment.elapsed == timedelta(seconds=9)


def test_a_complaint_pauses_and_halves_the_rate() -> None:
    run = slow_down(resting())
    assert wait(run) == timedelta(seconds=1)
    run = take_turn(run._replace(moment=at(1)))
    assert wait(run) == timedelta(milliseconds=100)
    for _ in range(10):
        run = slow_down(run)
    assert wait(take_turn(run._replace(moment=at(2)))) == timedelta(seconds=1)
