"""A time that a person acts on: by the exchange's clock, by the clock on the wall here, and in UTC.

Pure functions: the moment, the exchange's zone and this computer's zone are all given.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from src.base.text import printable
from src.core.calendar.zone_names import find_zone

LocalTime = Callable[[datetime], datetime]
"""The same moment by the clock of this computer, daylight saving of that day included."""

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_CITIES: Final = {
    "US/Eastern": "New York",
    "EST5EDT": "New York",
    "US/Central": "Chicago",
    "CST6CDT": "Chicago",
    "US/Mountain": "Denver",
    "US/Pacific": "Los Angeles",
}
"""Zones whose names are no city's."""


def act_time_text(at_utc: datetime, zone_name: str, local_time: LocalTime | None) -> str:
    """``Mon 30 Nov 09:30 New York, 15:30 here (2026-11-30 14:30 UTC)``.

    The local time is left out where both clocks show the same; its day is named where it is
    another one. Only UTC where the exchange's zone is not known.
    """
    utc = f"{at_utc:%Y-%m-%d %H:%M} UTC"
    zone = find_zone(zone_name) if zone_name.strip() else None
    if zone is None:
        return utc
    try:
        there = at_utc.astimezone(zone)
        here = local_time(at_utc) if local_time is not None else there
    except (OverflowError, OSError, ValueError):  # a day that this computer's calendar lacks
        return utc
    city = _city(zone.key if isinstance(zone, ZoneInfo) else zone_name)
    return f"{day_text(there)} {there:%H:%M} {city}{_here_text(there, here)} ({utc})"


def _here_text(there: datetime, here: datetime) -> str:
    if here.replace(tzinfo=None) == there.replace(tzinfo=None):
        return ""
    day = "" if here.date() == there.date() else f"{day_text(here)} "
    return f", {day}{here:%H:%M} here"


def day_text(at: date) -> str:
    """``Mon 30 Nov``; not by ``strftime``, whose names follow the language of the computer."""
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}"


def _city(zone_name: str) -> str:
    known = _CITIES.get(zone_name)
    return known or printable(zone_name.rpartition("/")[2].replace("_", " "), limit=40)
