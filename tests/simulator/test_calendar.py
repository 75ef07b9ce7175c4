"""Sessions around now, and the real New York calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from src.simulator.scenario.calendar import DAYS_SHOWN, MarketCalendar, MarketMode
from src.simulator.scenario.holidays import is_half_day, is_holiday, new_york_holidays

NEW_YORK = "US/Eastern"
NOW = datetime(2025, 4, 6, 1, 17, 40, tzinfo=timezone.utc)  # a Saturday evening in New York


def _calendar(mode: MarketMode, start: datetime = NOW) -> MarketCalendar:
    return MarketCalendar(mode=mode, start_utc=start)


def _sessions(text: str, zone: str) -> list[tuple[datetime, ...]]:
    tz = ZoneInfo(zone)
    return [
        tuple(_instant(end, tz) for end in part.split("-"))
        for part in text.split(";")
        if not part.endswith("CLOSED")
    ]


def _instant(text: str, tz: ZoneInfo) -> datetime:
    return datetime.strptime(text, "%Y%m%d:%H%M").replace(tzinfo=tz)


def _is_inside(text: str, zone: str, at: datetime) -> bool:
    return any(start <= at < end for start, end in _sessions(text, zone))


@pytest.mark.parametrize("zone", [NEW_YORK, "EST5EDT", "MET", "GB-Eire", "Asia/Tokyo"])
@pytest.mark.parametrize("hour", range(0, 168, 5))
def test_regular_hours_are_open_now_whatever_the_day_or_zone(zone: str, hour: int) -> None:
    start = NOW + timedelta(hours=hour)
    hours = _calendar("open", start).hours(zone, start)
    assert _is_inside(hours.liquid, zone, start)
    assert _is_inside(hours.trading, zone, start)
    assert len(hours.liquid.split(";")) == DAYS_SHOWN


def test_open_market_is_two_hours_into_a_session_with_extended_hours_around() -> None:
    start = NOW.replace(second=0)
    hours = _calendar("open", start).hours(NEW_YORK, start)
    regular = _sessions(hours.liquid, NEW_YORK)[0]
    extended = _sessions(hours.trading, NEW_YORK)[0]
    assert regular == (start - timedelta(hours=2), start + timedelta(hours=4.5))
    assert extended == (start - timedelta(hours=7.5), start + timedelta(hours=8.5))


@pytest.mark.parametrize("passed_hours", [1, 4.9, 23, 100])
def test_open_market_stays_open_in_a_long_run(passed_hours: float) -> None:
    later = NOW + timedelta(hours=passed_hours)
    calendar = _calendar("open")
    assert calendar.is_regular(NEW_YORK, later)
    assert _is_inside(calendar.hours(NEW_YORK, later).liquid, NEW_YORK, later)


@pytest.mark.parametrize(
    ("mode", "regular", "extended"),
    [
        ("open", True, True),
        ("pre", False, True),
        ("closed", False, False),
        ("holiday", False, False),
        ("halfday", False, True),
    ],
)
@pytest.mark.parametrize("hour", [0, 4, 9, 15, 22])
def test_staged_markets(mode: MarketMode, regular: bool, extended: bool, hour: int) -> None:
    now = NOW + timedelta(hours=hour)
    calendar = _calendar(mode, now)
    hours = calendar.hours(NEW_YORK, now)
    assert calendar.is_regular(NEW_YORK, now) is regular
    assert calendar.is_trading(NEW_YORK, now) is extended
    assert _is_inside(hours.liquid, NEW_YORK, now) is regular
    assert _is_inside(hours.trading, NEW_YORK, now) is extended
    following = calendar.next_regular_open(NEW_YORK, now)
    assert following is not None
    assert following > now


def test_holiday_shows_today_as_closed() -> None:
    hours = _calendar("holiday").hours(NEW_YORK, NOW)
    assert hours.liquid.startswith("20250405:CLOSED;20250406:0930-20250406:1600;")


def test_half_day_closed_just_now_at_what_is_usually_regular_time() -> None:
    first, second = _sessions(_calendar("halfday").hours(NEW_YORK, NOW).liquid, NEW_YORK)[:2]
    assert first[1] - first[0] == timedelta(hours=3.5)
    assert second[1] - second[0] == timedelta(hours=6.5)
    assert first[1] < NOW < first[0] + timedelta(hours=6.5)


def test_closed_market_lies_between_two_sessions() -> None:
    sessions = _sessions(_calendar("closed").hours(NEW_YORK, NOW).trading, NEW_YORK)
    assert sessions[0][1] < NOW < sessions[1][0]


def test_real_calendar_shows_holiday_half_day_and_weekend() -> None:
    at = datetime(2025, 7, 3, 15, 0, tzinfo=timezone.utc)
    hours = _calendar("real", at).hours(NEW_YORK, at)
    assert hours.liquid == (
        "20250703:0930-20250703:1300;20250704:CLOSED;20250705:CLOSED;20250706:CLOSED;"
        "20250707:0930-20250707:1600;20250708:0930-20250708:1600"
    )
    assert hours.trading.startswith("20250703:0400-20250703:1700;20250704:CLOSED;")


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2025-03-07T14:29:00+00:00", False),  # winter time: opens 14:30 UTC
        ("2025-03-07T14:30:00+00:00", True),
        ("2025-03-10T13:30:00+00:00", True),  # summer time since the day before
        ("2025-03-10T19:59:00+00:00", True),
        ("2025-03-10T20:00:00+00:00", False),
        ("2025-07-03T17:00:00+00:00", False),  # half day
        ("2025-12-25T16:00:00+00:00", False),
    ],
)
def test_real_calendar_follows_daylight_saving(at: str, is_open: bool) -> None:
    moment = datetime.fromisoformat(at)
    assert _calendar("real", moment).is_regular(NEW_YORK, moment) is is_open


def test_real_london_keeps_its_own_hours() -> None:
    at = datetime(2025, 7, 4, 8, 0, tzinfo=timezone.utc)
    hours = _calendar("real", at).hours("GB-Eire", at)
    assert hours.liquid.startswith("20250704:0800-20250704:1630;20250705:CLOSED")


def test_new_york_holidays_of_2025_and_2026() -> None:
    assert sorted(new_york_holidays(2025)) == [
        date(2025, 1, 1),
        date(2025, 1, 20),
        date(2025, 2, 17),
        date(2025, 4, 18),
        date(2025, 5, 26),
        date(2025, 6, 19),
        date(2025, 7, 4),
        date(2025, 9, 1),
        date(2025, 11, 27),
        date(2025, 12, 25),
    ]
    assert date(2026, 7, 3) in new_york_holidays(2026)  # July 4 is a Saturday
    assert date(2026, 4, 3) in new_york_holidays(2026)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2025, 7, 3), True),
        (date(2026, 7, 3), False),  # the holiday itself
        (date(2025, 11, 28), True),
        (date(2025, 12, 24), True),
        (date(2027, 12, 24), False),  # Christmas observed
        (date(2027, 7, 2), False),  # July 4 is a Sunday
        (date(2024, 7, 3), True),
    ],
)
def test_half_days(day: date, expected: bool) -> None:
    assert is_half_day(day) is expected


def test_new_year_on_a_saturday_is_not_made_up_for() -> None:
    assert not is_holiday(date(2021, 12, 31), is_new_york=True)
    assert is_holiday(date(2025, 1, 9), is_new_york=True)
    assert not is_holiday(date(2025, 7, 4), is_new_york=False)
