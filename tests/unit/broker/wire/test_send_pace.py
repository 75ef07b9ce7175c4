from __future__ import annotations

from src.broker.wire.send_pace import SendPace


def test_twenty_at_once_then_one_every_twentieth_of_a_second() -> None:
    pace = SendPace(0.0)
    for _ in range(20):
        assert pace.wait_sec(0.0) == 0
        pace.take(0.0)
    assert 0.04 < pace.wait_sec(0.0) <= 0.06
    assert pace.wait_sec(0.06) == 0


def test_waiting_as_long_as_told_is_enough() -> None:
    pace, now = SendPace(0.0), 0.0
    for _ in range(200):
        now += pace.wait_sec(now)
        assert pace.wait_sec(now) == 0
        pace.take(now)
    assert 8.9 < now < 9.1


def test_a_complaint_pauses_and_halves_the_rate() -> None:
    pace = SendPace(0.0)
    pace.slow_down(0.0)
    assert 0.9 < pace.wait_sec(0.0) < 1.2
    pace.take(2.0)
    for _ in range(10):
        pace.slow_down(2.0)
    assert pace.wait_sec(2.0) <= 3
