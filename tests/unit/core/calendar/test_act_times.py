"""Times that a person acts on: by the exchange's clock, by the one on the wall, and in UTC."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from src.core.calendar.act_times import LocalTime, act_time_text
from tests.kits.host_zone import host_zone

MONDAY = datetime(2026, 11, 30, 14, 30, tzinfo=timezone.utc)
UTC_TEXT = "2026-11-30 14:30 UTC"


def wall_clock(zone: str) -> LocalTime:
    return lambda at_utc: at_utc.astimezone(ZoneInfo(zone))


@pytest.mark.parametrize(
    ("exchange", "here", "shown"),
    [
        ("US/Eastern", "Europe/Berlin", "Mon 30 Nov 09:30 New York, 15:30 here"),
        ("America/New_York", "America/Chicago", "Mon 30 Nov 09:30 New York, 08:30 here"),
        ("EST (Eastern Standard Time)", "Europe/London", "Mon 30 Nov 09:30 New York, 14:30 here"),
        ("EST5EDT", "Asia/Tokyo", "Mon 30 Nov 09:30 New York, 23:30 here"),
        ("US/Eastern", "Australia/Sydney", "Mon 30 Nov 09:30 New York, Tue 1 Dec 01:30 here"),
        ("America/New_York", "America/Toronto", "Mon 30 Nov 09:30 New York"),
        ("Europe/London", "UTC", "Mon 30 Nov 14:30 London"),
        ("MET", "Europe/London", "Mon 30 Nov 15:30 MET, 14:30 here"),
        ("UTC+2", "UTC", "Mon 30 Nov 16:30 UTC+2, 14:30 here"),
    ],
)
def test_both_clocks_are_told_and_equal_ones_once(exchange: str, here: str, shown: str) -> None:
    assert act_time_text(MONDAY, exchange, wall_clock(here)) == f"{shown} ({UTC_TEXT})"


@pytest.mark.parametrize("zone", ["", "  ", "CST", "Mars/Olympus", "\x1b[2J"])
def test_an_unknown_exchange_zone_leaves_utc(zone: str) -> None:
    assert act_time_text(MONDAY, zone, wall_clock("Europe/Berlin")) == UTC_TEXT


def test_daylight_saving_is_that_of_the_day_meant() -> None:
    """Told on the Friday before the clocks of the United States go back."""
    after = datetime(2026, 11, 2, 14, 30, tzinfo=timezone.utc)
    before = datetime(2026, 10, 30, 13, 30, tzinfo=timezone.utc)
    assert "09:30 New York, 15:30 here" in act_time_text(
        after, "US/Eastern", wall_clock("Europe/Berlin")
    )
    assert "09:30 New York, 14:30 here" in act_time_text(
        before, "US/Eastern", wall_clock("Europe/Berlin")
    )


def test_a_day_beyond_the_calendar_is_told_in_utc() -> None:
    edge = datetime(9999, 12, 31, 23, 0, tzinfo=timezone.utc)
    assert act_time_text(edge, "Asia/Tokyo", None) == "9999-12-31 23:00 UTC"


def test_this_computer_s_clock_is_the_local_one() -> None:
    with host_zone("Asia/Tokyo"):
        here = datetime.astimezone(MONDAY)
        expected = f", {here:%H:%M} here"
        assert expected in act_time_text(MONDAY, "US/Eastern", datetime.astimezone)
