"""When the simulated market is open: sessions per trading day, and the text TWS shows for them.

Two kinds of calendar:

* ``real``: New York Stock Exchange days around the exchange's own clock, with holidays and half
  days computed for any year (other time zones: weekends and the common western holidays).
* the staged ones (``open``, ``closed``, ``pre``, ``holiday``, ``halfday``) are built around *now*,
  whatever the day or hour, and move along with it, so that a long run stays in the chosen state.

Times are UTC inside; only the text is in the contract's time zone, in the form
``yyyymmdd:hhmm-yyyymmdd:hhmm;yyyymmdd:CLOSED`` for about six days. A session may cross midnight.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from src.simulator.scenario.holidays import HALF_DAY_CLOSE, is_half_day, is_holiday

MarketMode = Literal["real", "open", "closed", "pre", "holiday", "halfday"]

DAYS_SHOWN = 6
_DAYS_SEARCHED = 12
_DAY = timedelta(days=1)
_RE_ANCHOR = timedelta(hours=1)
_REGULAR = timedelta(hours=6.5)
_BEFORE_OPEN = timedelta(hours=5.5)
_AFTER_CLOSE = timedelta(hours=4)
_HALF_DAY_BACK = timedelta(hours=3)
# Where "now" lies from the regular open of the session it is staged around.
_NOW_AFTER_OPEN = {
    "open": timedelta(hours=2),
    "pre": timedelta(hours=-1.5),
    "closed": timedelta(hours=-9.5),
    "halfday": timedelta(hours=4),
}


class TradingDay(NamedTuple):
    """One day of a market: regular hours inside extended hours, or closed (``None`` for all)."""

    label: date
    extended_open: datetime | None = None
    regular_open: datetime | None = None
    regular_close: datetime | None = None
    extended_close: datetime | None = None


class Hours(NamedTuple):
    """``tradingHours`` (extended ones included) and ``liquidHours`` (regular) as TWS words them."""

    trading: str
    liquid: str


class LocalHours(NamedTuple):
    """Usual opening times of a market in its own time zone."""

    extended_open: time
    regular_open: time
    regular_close: time
    extended_close: time


_NEW_YORK = LocalHours(
    extended_open=time(4), regular_open=time(9, 30), regular_close=time(16), extended_close=time(20)
)
_EUROPE = LocalHours(
    extended_open=time(8), regular_open=time(9), regular_close=time(17, 30), extended_close=time(20)
)
_LONDON = LocalHours(
    extended_open=time(7, 50),
    regular_open=time(8),
    regular_close=time(16, 30),
    extended_close=time(17, 15),
)
_HOURS_BY_ZONE = {"GB-Eire": _LONDON, "Europe/London": _LONDON, "GB": _LONDON}
_EUROPEAN_ZONES = ("MET", "CET", "Europe/")


class MarketCalendar(NamedTuple):
    """Answers, for a time zone and an instant, whether that market trades."""

    mode: MarketMode
    start_utc: datetime

    def is_regular(self, zone: str, at_utc: datetime) -> bool:
        """True inside regular hours; the close itself is outside."""
        return any(
            day.regular_open <= at_utc < day.regular_close
            for day in self._days(zone, at_utc, -1, 2)
            if day.regular_open is not None and day.regular_close is not None
        )

    def is_trading(self, zone: str, at_utc: datetime) -> bool:
        """True inside extended hours, regular ones included."""
        return any(
            day.extended_open <= at_utc < day.extended_close
            for day in self._days(zone, at_utc, -1, 2)
            if day.extended_open is not None and day.extended_close is not None
        )

    def next_regular_open(self, zone: str, at_utc: datetime) -> datetime | None:
        """Start of the next regular session after ``at_utc``, or ``None`` within twelve days."""
        opens = (day.regular_open for day in self._days(zone, at_utc, 0, _DAYS_SEARCHED))
        return next((start for start in opens if start is not None and start > at_utc), None)

    def session_end(self, zone: str, at_utc: datetime, *, extended: bool) -> datetime | None:
        """When the regular (or extended) session that is on, or else the next one, ends."""
        days = self._days(zone, at_utc, -1, _DAYS_SEARCHED)
        ends = (day.extended_close if extended else day.regular_close for day in days)
        return next((end for end in ends if end is not None and end > at_utc), None)

    def hours(self, zone: str, at_utc: datetime) -> Hours:
        """The two session texts of a contract in ``zone``, starting with the current day."""
        days = list(self._days(zone, at_utc, self._first_shown, DAYS_SHOWN))
        tz = ZoneInfo(zone)
        trading = (_span(day.label, day.extended_open, day.extended_close, tz) for day in days)
        liquid = (_span(day.label, day.regular_open, day.regular_close, tz) for day in days)
        return Hours(trading=";".join(trading), liquid=";".join(liquid))

    @property
    def _first_shown(self) -> int:
        return -1 if self.mode == "closed" else 0

    def _days(self, zone: str, at_utc: datetime, first: int, end: int) -> Iterator[TradingDay]:
        tz = ZoneInfo(zone)
        if self.mode in ("real", "holiday"):
            today = at_utc.astimezone(tz).date()
            for number in range(first, end):
                yield self._local_day(zone, today + number * _DAY, is_today=number == 0)
            return
        anchor = self._anchor(at_utc)
        for number in range(first, end):
            yield self._staged_day(anchor + number * _DAY, tz, is_today=number == 0)

    def _anchor(self, at_utc: datetime) -> datetime:
        """Regular open of the session staged around now; it moves on in whole hours."""
        passed = (at_utc - self.start_utc) // _RE_ANCHOR
        now = (self.start_utc + passed * _RE_ANCHOR).replace(second=0, microsecond=0)
        return now - _NOW_AFTER_OPEN[self.mode]

    def _staged_day(self, regular_open: datetime, tz: ZoneInfo, *, is_today: bool) -> TradingDay:
        close = regular_open + _REGULAR
        if self.mode == "halfday" and is_today:
            close -= _HALF_DAY_BACK
        return TradingDay(
            label=regular_open.astimezone(tz).date(),
            extended_open=regular_open - _BEFORE_OPEN,
            regular_open=regular_open,
            regular_close=close,
            extended_close=close + _AFTER_CLOSE,
        )

    def _local_day(self, zone: str, day: date, *, is_today: bool) -> TradingDay:
        """A day by the wall clock; in ``holiday`` mode every day but today is an ordinary one."""
        usual = _usual_hours(zone)
        is_new_york = usual is _NEW_YORK
        if is_today if self.mode == "holiday" else is_holiday(day, is_new_york=is_new_york):
            return TradingDay(label=day)
        close, late = usual.regular_close, usual.extended_close
        if self.mode == "real" and is_new_york and is_half_day(day):
            close, late = HALF_DAY_CLOSE
        tz = ZoneInfo(zone)
        return TradingDay(
            label=day,
            extended_open=_instant(day, usual.extended_open, tz),
            regular_open=_instant(day, usual.regular_open, tz),
            regular_close=_instant(day, close, tz),
            extended_close=_instant(day, late, tz),
        )


def _usual_hours(zone: str) -> LocalHours:
    if zone in _HOURS_BY_ZONE:
        return _HOURS_BY_ZONE[zone]
    return _EUROPE if zone.startswith(_EUROPEAN_ZONES) else _NEW_YORK


def _instant(day: date, at: time, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=tz).astimezone(timezone.utc)


def _span(label: date, start: datetime | None, end: datetime | None, tz: ZoneInfo) -> str:
    if start is None or end is None:
        return f"{label:%Y%m%d}:CLOSED"
    return f"{start.astimezone(tz):%Y%m%d:%H%M}-{end.astimezone(tz):%Y%m%d:%H%M}"


def check_zone(name: str) -> None:
    """Raises: ValueError for a time zone that is not known here."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"time_zone {name!r} is not known") from error
