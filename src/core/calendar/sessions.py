"""Trading sessions of a contract: read from the broker's text, asked by the clock.

The broker sends one text per kind of hours, in the contract's own time zone::

    20260405:CLOSED;20260406:0930-20260406:1600
    20090507:0700-1830,1830-2330                    the old form, without closing dates

A day may have several sessions, and one may end on a later day. Everything here is UTC once read,
so daylight saving is settled by the zone's rules at reading time. No clock: the moment is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Final

from src.base.settings import TradingHours
from src.core.calendar.zone_names import find_zone
from src.core.records.market import Listing, Session

_SEGMENT: Final = re.compile(
    r"(?:(?P<open_day>[0-9]{8}):)?(?P<open_time>[0-9]{4})"
    r"-(?:(?P<close_day>[0-9]{8}):)?(?P<close_time>[0-9]{4})",
    re.ASCII,
)
_EXCHANGE_ZONES: Final = {"CST": "America/Chicago", "MST": "America/Denver"}
"""Names of several zones that mean one where a US security is traded."""

_ONE_DAY: Final = timedelta(days=1)


def parse_sessions(hours: str, time_zone: str) -> tuple[Session, ...]:
    """Read the broker's trading or liquid hours as sessions in UTC, sorted, without repeats.

    Raises: ValueError for an unknown time zone or text that is not understood in full: a
    calendar that was read by halves would call a closed market open.
    """
    if not hours.strip():
        return ()
    zone = _zone(time_zone)
    try:
        found = {
            (session.opens_utc, session.closes_utc): session
            for day in hours.split(";")
            if day.strip()
            for session in _sessions_of_day(day.strip(), zone)
        }
    except OverflowError as error:  # the year 1 or 9999, moved over the edge by the zone
        raise ValueError(f"trading hours not understood: {hours[:60]!r}") from error
    return tuple(found[ends] for ends in sorted(found))


def is_open(sessions: Iterable[Session], at_utc: datetime) -> bool:
    """True inside a session; the opening moment belongs to it, the closing moment does not."""
    return any(one.opens_utc <= at_utc < one.closes_utc for one in sessions)


def sessions_of(listing: Listing | None, hours: TradingHours) -> tuple[Session, ...]:
    """The sessions in which a contract's orders may be sent; none for an unknown contract."""
    if listing is None:
        return ()
    return listing.regular_sessions if hours == "rth" else listing.extended_sessions


def closed_text(sessions: Iterable[Session], at_utc: datetime) -> str:
    """Since when and until when nothing trades, as a sentence; empty inside a session."""
    known = tuple(sessions)
    if is_open(known, at_utc):
        return ""
    closed = max((one.closes_utc for one in known if one.closes_utc <= at_utc), default=None)
    opens = next_open(known, at_utc)
    since = "" if closed is None else f" since {closed:%Y-%m-%d %H:%M} UTC"
    until = "no next opening is known" if opens is None else f"it opens {opens:%Y-%m-%d %H:%M} UTC"
    return f"the market is closed{since}; {until}"


def next_open(sessions: Iterable[Session], at_utc: datetime) -> datetime | None:
    """The next opening strictly after ``at_utc``; None when the broker named none."""
    return min((one.opens_utc for one in sessions if one.opens_utc > at_utc), default=None)


def settlement_day(listings: Iterable[Listing], traded_utc: datetime) -> date | None:
    """When sells of these instruments settle: one trading day after that of the trade (T+1).

    By the contracts' own hours and the exchange's clock; None where they do not reach so far.
    """
    days: list[date] = []
    for listing in listings:
        zone = find_zone(listing.time_zone)
        if zone is None:
            return None
        traded = traded_utc.astimezone(zone).date()
        opened = (one.opens_utc.astimezone(zone).date() for one in listing.regular_sessions)
        later = [day for day in opened if day > traded]
        if not later:
            return None
        days.append(min(later))
    return max(days, default=None)


def _zone(name: str) -> tzinfo:
    word = name.partition(" (")[0].strip()
    zone = find_zone(_EXCHANGE_ZONES.get(word, name))
    if zone is None:
        raise ValueError(f"the time zone {name!r} is not known here")
    return zone


def _sessions_of_day(text: str, zone: tzinfo) -> Iterator[Session]:
    day = text[:8]
    for number, part in enumerate(text.split(",")):
        segment = part.strip()
        if segment.upper().endswith("CLOSED"):
            continue
        match = _SEGMENT.fullmatch(segment)
        if match is None or (number == 0 and match["open_day"] is None):
            raise ValueError(f"trading hours not understood: {text[:60]!r}")
        open_day = match["open_day"] or day
        opens = _moment(open_day, match["open_time"], zone)
        closes = _moment(match["close_day"] or open_day, match["close_time"], zone)
        if match["close_day"] is None and closes <= opens:
            closes = _moment(open_day, match["close_time"], zone, plus=_ONE_DAY)
        if closes <= opens:
            raise ValueError(f"trading hours end before they begin: {text[:60]!r}")
        yield Session(opens_utc=opens, closes_utc=closes)


def _moment(day: str, time: str, zone: tzinfo, plus: timedelta = timedelta(0)) -> datetime:
    midnight = datetime(int(day[:4]), int(day[4:6]), int(day[6:]))  # noqa: DTZ001 - zone follows
    hour, minute = int(time[:2]), int(time[2:])
    if (hour, minute) > (24, 0) or minute > 59:  # noqa: PLR2004 - 2400 is the end of the day
        raise ValueError(f"not a time of day: {time}")
    local = midnight + timedelta(hours=hour, minutes=minute) + plus
    return local.replace(tzinfo=zone).astimezone(timezone.utc)
