"""Days on which a stock exchange stays closed or closes early, computed for any year.

Rules of the New York Stock Exchange: a holiday on a Sunday moves to Monday; on a Saturday it moves
to Friday, but New Year's Day on a Saturday is not made up for. Other markets get the few western
holidays they nearly all share.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from functools import lru_cache

# Early close at 13:00, late trading until 17:00, New York time.
HALF_DAY_CLOSE = (time(13), time(17))
# Days of national mourning, which no rule gives.
_ONE_OFF_CLOSURES = frozenset({date(2018, 12, 5), date(2025, 1, 9)})
_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_JUNETEENTH_SINCE = 2022


def is_holiday(day: date, *, is_new_york: bool) -> bool:
    """True when the exchange does not open at all on ``day`` (weekends included)."""
    if day.weekday() >= _SATURDAY:
        return True
    if is_new_york:
        return day in _ONE_OFF_CLOSURES or day in new_york_holidays(day.year)
    return day in _common_holidays(day.year)


def is_half_day(day: date) -> bool:
    """True when New York closes at 13:00: before July 4, after Thanksgiving, on Christmas Eve."""
    if is_holiday(day, is_new_york=True):
        return False
    after_thanksgiving = _nth_weekday(day.year, 11, _THURSDAY, 4) + timedelta(days=1)
    eves = (date(day.year, 7, 3), date(day.year, 12, 24))
    return day == after_thanksgiving or (
        day in eves and (day + timedelta(days=1)).weekday() < _SATURDAY
    )


@lru_cache(maxsize=64)
def new_york_holidays(year: int) -> frozenset[date]:
    """The full-day closings of the New York Stock Exchange that the rules give for ``year``."""
    days = {
        _nth_weekday(year, 1, _MONDAY, 3),
        _nth_weekday(year, 2, _MONDAY, 3),
        easter_sunday(year) - timedelta(days=2),
        _last_monday_of_may(year),
        _observed(date(year, 7, 4)),
        _nth_weekday(year, 9, _MONDAY, 1),
        _nth_weekday(year, 11, _THURSDAY, 4),
        _observed(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    if new_year.weekday() != _SATURDAY:
        days.add(_observed(new_year))
    if year >= _JUNETEENTH_SINCE:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days)


def easter_sunday(year: int) -> date:
    """Western Easter by the anonymous Gregorian computus."""
    golden, century, in_century = year % 19, year // 100, year % 100
    leap_shift, moon_shift = century // 4, (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_shift - moon_shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (in_century // 4) - epact - in_century % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def _common_holidays(year: int) -> frozenset[date]:
    easter = easter_sunday(year)
    return frozenset(
        {
            date(year, 1, 1),
            easter - timedelta(days=2),
            easter + timedelta(days=1),
            date(year, 12, 25),
            date(year, 12, 26),
        }
    )


def _observed(day: date) -> date:
    if day.weekday() == _SATURDAY:
        return day - timedelta(days=1)
    if day.weekday() == _SUNDAY:
        return day + timedelta(days=1)
    return day


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
