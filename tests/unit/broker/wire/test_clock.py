"""F80: the age of a plan counts the computer's sleep, and no clock set back makes it younger."""

from __future__ import annotations

import asyncio
import sys
import time
from decimal import Decimal

import pytest

from src.broker.wire import clock
from src.broker.wire.clock import Stopwatch, sec_with_sleep


@pytest.mark.parametrize(
    ("with_sleep", "expected"),
    [
        ((1000.0, 1000.0), "0.000"),
        ((1000.0, 1300.25), "300.250"),
        ((1000.0, 400.0), "0.000"),  # set back: the loop's own time holds
    ],
)
def test_sleep_counts_and_a_clock_set_back_does_not(
    with_sleep: tuple[float, float], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = iter(with_sleep)
    monkeypatch.setattr(clock, "sec_with_sleep", lambda: next(readings))

    async def main() -> Decimal:
        loop_sec = asyncio.get_running_loop().time()
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: loop_sec)
        return Stopwatch().elapsed_sec()

    assert asyncio.run(main()) == Decimal(expected)


def test_without_sleep_the_event_loop_s_time_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sec_with_sleep", lambda: 5.0)

    async def main() -> Decimal:
        watch = Stopwatch()
        await asyncio.sleep(0.02)
        return watch.elapsed_sec()

    assert asyncio.run(main()) >= Decimal("0.015")


def test_the_clock_that_counts_sleep_is_the_system_s() -> None:
    before = sec_with_sleep()
    assert sec_with_sleep() >= before
    if sys.platform == "linux":
        assert abs(before - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5
