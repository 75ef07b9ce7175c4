"""F43: trading hours as the broker writes them, in several zones, over holidays and DST days."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.core.calendar.sessions import is_open, next_open, parse_sessions, settlement_day
from src.core.records.market import Listing, Session
from tests.kits.builders import listing

NEW_YORK = "US/Eastern"


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def _ends(hours: str, zone: str = NEW_YORK) -> list[tuple[str, str]]:
    return [
        (f"{one.opens_utc:%m-%d %H:%M}", f"{one.closes_utc:%m-%d %H:%M}")
        for one in parse_sessions(hours, zone)
    ]


@pytest.mark.parametrize(
    ("hours", "zone", "expected"),
    [
        ("", NEW_YORK, []),
        ("20260405:CLOSED", NEW_YORK, []),
        (
            "20260405:CLOSED;20260406:0930-20260406:1600",
            NEW_YORK,
            [("04-06 13:30", "04-06 20:00")],
        ),
        ("20261127:0930-20261127:1300", "EST5EDT", [("11-27 14:30", "11-27 18:00")]),
        ("20260406:0930-20260406:1600", "EST", [("04-06 13:30", "04-06 20:00")]),
        (
            "20260406:0930-20260406:1600",
            "EST (Eastern Standard Time)",
            [("04-06 13:30", "04-06 20:00")],
        ),
        (
            "20260406:0900-20260406:1130,20260406:1230-20260406:1500",
            "Asia/Tokyo",
            [("04-06 00:00", "04-06 02:30"), ("04-06 03:30", "04-06 06:00")],
        ),
        (
            "20090507:0700-1830,1830-2330",
            "MET",
            [("05-07 05:00", "05-07 16:30"), ("05-07 16:30", "05-07 21:30")],
        ),
        ("20260406:1559-20260406:1600", NEW_YORK, [("04-06 19:59", "04-06 20:00")]),
        ("20260405:CLOSED,20260406:0930-1600", NEW_YORK, [("04-06 13:30", "04-06 20:00")]),
        ("20260406:1800-20260407:1700", NEW_YORK, [("04-06 22:00", "04-07 21:00")]),
        ("20090507:1800-1700", NEW_YORK, [("05-07 22:00", "05-08 21:00")]),
        ("20090507:1700-1700", NEW_YORK, [("05-07 21:00", "05-08 21:00")]),
        ("20260406:0000-20260406:2400", "GB-Eire", [("04-05 23:00", "04-06 23:00")]),
        # the clocks go forward on 2026-03-08 and back on 2026-11-01 in New York
        ("20260306:0930-20260306:1600", NEW_YORK, [("03-06 14:30", "03-06 21:00")]),
        ("20260309:0930-20260309:1600", NEW_YORK, [("03-09 13:30", "03-09 20:00")]),
        ("20261102:0930-20261102:1600", NEW_YORK, [("11-02 14:30", "11-02 21:00")]),
        ("20260307:1800-20260308:1700", NEW_YORK, [("03-07 23:00", "03-08 21:00")]),
    ],
)
def test_hours_become_sessions_in_utc(
    hours: str, zone: str, expected: list[tuple[str, str]]
) -> None:
    assert _ends(hours, zone) == expected


@pytest.mark.parametrize(
    ("zone", "opens"),
    [
        *(("EST", "04-06 13:30"), ("EDT", "04-06 13:30"), ("CST", "04-06 14:30")),
        *(("PST", "04-06 16:30"), ("JST", "04-06 00:30")),
    ],
)
def test_a_short_zone_name_means_the_exchange_s_wall_clock(zone: str, opens: str) -> None:
    ((first, _closes),) = _ends("20260406:0930-20260406:1600", zone)
    assert first == opens


def test_sessions_come_sorted_and_once() -> None:
    day, earlier = "20260407:0930-20260407:1600", "20260406:0930-20260406:1600"
    assert _ends(f"{day};{earlier};{day};") == _ends(f"{earlier};{day}")


@pytest.mark.parametrize(
    "hours",
    [
        "nonsense",
        "20260406",
        "20260406:",
        "20260406:0930",
        "0930-1600",
        "20260406:0930-20260406:1600;later",
        "20260406:1600-20260406:0930",
        "20261306:0930-20261306:1600",
        "20260406:0930-20260406:0930",
        "20260406:2500-20260406:2600",
        "20260406:0930-20260406:2500",
        "20260406:0960-20260406:1600",
        "20260406:0930-20260406:1600,CLOSING",
        "20260405:CLOSED,CLOSING",
        "\uff12\uff10\uff12\uff160406:0930-20260406:1600",
    ],
)
def test_text_that_is_not_understood_in_full_is_no_calendar(hours: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_sessions(hours, NEW_YORK)


SESSION, BACKWARDS = "20260406:0930-20260406:1600", "20260406:1600-20260406:0930"


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        (f"{SESSION},{SESSION},x,{SESSION}", "trading hours not understood: "),
        (f"{SESSION},{SESSION},{BACKWARDS}", "trading hours end before they begin: "),
    ],
)
def test_what_is_wrong_with_the_hours_is_said_with_their_beginning(
    hours: str, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{message}{hours[:60]!r}") + "$"):
        parse_sessions(hours, NEW_YORK)


@pytest.mark.parametrize("time", ["0960", "2401", "2500"])
def test_a_time_beyond_the_day_is_named(time: str) -> None:
    with pytest.raises(ValueError, match=f"^not a time of day: {time}$"):
        parse_sessions(f"20260406:{time}-20260407:1600", NEW_YORK)


def test_sessions_are_in_utc_wherever_the_computer_is() -> None:
    (one,) = parse_sessions(SESSION, NEW_YORK)
    assert one.opens_utc.tzinfo is timezone.utc
    assert one.closes_utc.tzinfo is timezone.utc


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "\0"])
def test_an_unknown_zone_is_no_calendar(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse_sessions("20260406:0930-20260406:1600", zone)


@given(st.text(max_size=80), st.sampled_from([NEW_YORK, "MET", "x"]))
def test_any_text_is_read_or_refused(hours: str, zone: str) -> None:
    try:
        sessions = parse_sessions(hours, zone)
    except ValueError:
        return
    assert all(one.opens_utc < one.closes_utc for one in sessions)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-04-06 13:29:59", False),
        ("2026-04-06 13:30:00", True),
        ("2026-04-06 19:59:59", True),
        ("2026-04-06 20:00:00", False),
        ("2026-04-07 14:00:00", False),
    ],
)
def test_open_from_the_first_moment_and_closed_at_the_last(moment: str, *, expected: bool) -> None:
    sessions = parse_sessions("20260406:0930-20260406:1600;20260407:CLOSED", NEW_YORK)
    assert is_open(sessions, _utc(moment)) is expected


def test_the_next_opening_is_after_the_moment() -> None:
    first = Session(opens_utc=_utc("2026-04-06 13:30"), closes_utc=_utc("2026-04-06 20:00"))
    second = Session(opens_utc=_utc("2026-04-07 13:30"), closes_utc=_utc("2026-04-07 20:00"))
    assert next_open((second, first), first.opens_utc - timedelta(hours=1)) == first.opens_utc
    assert next_open((second, first), first.opens_utc) == second.opens_utc
    assert next_open((first,), first.opens_utc) is None


def new_york(*opens: str) -> Listing:
    """Regular sessions that open at these times of UTC."""
    times = [datetime.fromisoformat(f"{one}+00:00") for one in opens]
    sessions = tuple(
        Session(opens_utc=at, closes_utc=at + timedelta(hours=6, minutes=30)) for at in times
    )
    return replace(listing("SPY"), regular_sessions=sessions, time_zone="US/Eastern")


def test_sells_settle_on_the_next_trading_day_of_the_contract_s_own_hours() -> None:
    friday, monday, tuesday = "2026-11-27T14:30", "2026-11-30T14:30", "2026-12-01T14:30"
    traded = datetime(2026, 11, 27, 15, tzinfo=timezone.utc)
    usual = new_york(friday, monday, tuesday)
    assert settlement_day([usual], traded) == date(2026, 11, 30)
    holiday = new_york(friday, tuesday)
    assert settlement_day([holiday], traded) == date(2026, 12, 1)
    assert settlement_day([usual, holiday], traded) == date(2026, 12, 1)
    late = datetime(2026, 11, 28, 0, 30, tzinfo=timezone.utc)  # Friday evening in New York
    assert settlement_day([usual], late) == date(2026, 11, 30)


def test_a_settlement_day_that_the_hours_do_not_reach_is_unknown() -> None:
    traded = datetime(2026, 11, 27, 15, tzinfo=timezone.utc)
    assert settlement_day([new_york("2026-11-27T14:30")], traded) is None
    assert settlement_day([listing("SPY")], traded) is None
    assert settlement_day([], traded) is None
