"""The pace of messages without a clock: never 50 in a second, never slower than needed."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.broker.wire.pacing import (
    BURST_MESSAGES,
    Reply,
    backoff_sec,
    calm_sec,
    drain_sec,
    read_reply,
    wait_sec,
)


def _send_all(arrivals: list[float], limit: int = BURST_MESSAGES) -> list[float]:
    """The times at which messages that are ready at these times leave."""
    last: deque[float] = deque(maxlen=limit)
    now, sent = 0.0, []
    for arrival in sorted(arrivals):
        now = max(now, arrival)
        while (wait := wait_sec(last, now, limit)) > 0:
            now += wait + 1e-9
        last.append(now)
        sent.append(now)
    return sent


def _most_in_a_second(times: list[float]) -> int:
    return max(sum(start <= at < start + 1 for at in times) for start in times)


@pytest.mark.parametrize("count", [1, 45, 48, 49, 165, 665])
def test_no_second_is_overfull_and_no_time_is_wasted(count: int) -> None:
    times = _send_all([0.0] * count)
    assert _most_in_a_second(times) <= 50
    assert times[-1] <= (0 if count <= BURST_MESSAGES else 1.1 + (count - BURST_MESSAGES) / 45)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_whatever_the_arrivals_no_second_is_overfull(arrivals: list[float]) -> None:
    times = _send_all(arrivals)
    assert _most_in_a_second(times) <= BURST_MESSAGES + 2
    assert times == sorted(times)


def test_a_second_burst_does_not_follow_right_after_the_first() -> None:
    times = _send_all([0.0] * 96)
    assert times[48] - times[47] > 1
    assert times[60] - times[48] > 0.15


@given(st.integers(0, 200), st.floats(0, 3))
def test_the_estimate_covers_what_the_queue_takes(count: int, later: float) -> None:
    history = _send_all([0.0] * 30)
    estimate = drain_sec(history, later, BURST_MESSAGES, count)
    times = _send_all([0.0] * 30 + [max(later, 0.0)] * count)
    assert times[-1] - later <= estimate + 1e-6


@given(st.integers(1, BURST_MESSAGES))
def test_after_the_calm_a_batch_leaves_at_once(messages: int) -> None:
    history = _send_all([0.0] * 60)
    start = history[-1] + calm_sec(history[-48:], history[-1], BURST_MESSAGES, messages)
    last = deque(history, maxlen=BURST_MESSAGES)
    for _ in range(messages):
        assert wait_sec(last, start + 1e-6, BURST_MESSAGES) <= 0
        last.append(start + 1e-6)


def test_backoff_doubles_and_is_capped() -> None:
    assert [backoff_sec(attempt, 0) for attempt in (1, 2, 3, 9)] == [0.5, 1, 2, 8]
    assert backoff_sec(1, 1) == 0.25


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (101, Reply.NO_LINE),
        (100, Reply.TOO_FAST),
        (10167, Reply.NOTICE),
        (2104, Reply.NOTICE),
        (300, Reply.NOTICE),
        *[(code, Reply.REFUSAL) for code in (200, 354, 10089, 10090, 10168, 10197, 99999)],
    ],
)
def test_codes_about_reads(code: int, expected: Reply) -> None:
    assert read_reply(code) is expected
