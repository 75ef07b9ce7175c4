"""What a doctor concludes from figures and times, and how a finding is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from src.base.errors import BrokerLost, ExitCode
from src.base.settings import IbkrSettings
from src.core.health import checkup
from src.core.health.findings import Level, bad, doubtful, failed, good, worst_code
from src.core.records.market import Listing, Session
from tests.kits.builders import listing

MONDAY = datetime(2026, 11, 30, 15, 0, tzinfo=timezone.utc)
REGULAR = tuple(
    Session(
        opens_utc=MONDAY.replace(hour=14, minute=30) + timedelta(days=day),
        closes_utc=MONDAY.replace(hour=21, minute=0) + timedelta(days=day),
    )
    for day in range(3)
)
SPY: Listing = replace(listing("SPY"), regular_sessions=REGULAR, time_zone="US/Eastern")
PAPER = IbkrSettings(account_id="DU1234567")


def test_a_finding_fits_and_its_fix_stands_below_it() -> None:
    found = bad("market data", "none for " + "ABCD, " * 20, "subscribe " * 12, ExitCode.REFUSED)
    lines = found.lines()
    assert lines[0].startswith("FAIL  market data     none for ABCD,")
    assert max(map(len, lines)) <= 80
    assert sum("fix: " in line for line in lines) == 1
    assert good("clock", "x\x1b[1m").lines() == ["ok    clock           x\\x1b[1m"]


def test_the_exit_code_is_that_of_the_first_failure() -> None:
    warned, fine = doubtful("clock", "off"), good("port", "there")
    lost = bad("port", "gone", "start it", ExitCode.LOST)
    refused = bad("login", "no", "log in", ExitCode.REFUSED)
    assert worst_code([fine, warned]) == ExitCode.OK
    assert worst_code([fine, lost, refused]) == ExitCode.LOST
    assert worst_code([refused, warned, lost]) == ExitCode.REFUSED


def test_an_error_is_what_was_found_and_what_follows_it_is_the_fix() -> None:
    found = failed("port", BrokerLost("nothing listens; start it; or not"), "set port = 1")
    assert (found.text, found.fix) == ("nothing listens", "set port = 1; start it; or not")
    assert found.exit_code == ExitCode.LOST


@pytest.mark.parametrize(
    ("accounts", "allow_live", "level", "words"),
    [
        (["DU1234567", "DF1000000"], False, Level.OK, "a paper login"),
        (["DU1234567", "U7654321"], False, Level.WARN, "(U7654321) and allow_live is false"),
        (["U7654321"], True, Level.WARN, "orders use real money"),
    ],
)
def test_a_login_is_told_by_its_accounts(
    accounts: list[str], level: Level, words: str, *, allow_live: bool
) -> None:
    found = checkup.login(PAPER._replace(allow_live=allow_live), accounts)
    assert found.level is level
    assert words in found.text


@pytest.mark.parametrize(
    ("zone", "level"),
    [
        ("America/New_York", Level.OK),
        ("Europe/Berlin", Level.OK),
        ("Asia/Tokyo", Level.WARN),  # 23:45 there is 09:45 in New York
        ("Asia/Hong_Kong", Level.WARN),
    ],
)
def test_a_nightly_restart_within_trading_hours_is_told(zone: str, level: Level) -> None:
    found = checkup.nightly_restart({"SPY": SPY}, "rth", ZoneInfo(zone), MONDAY)
    assert found.level is level
    assert bool(found.fix) is (level is Level.WARN)


def test_a_zone_that_is_not_told_leaves_the_restart_open() -> None:
    found = checkup.nightly_restart({"SPY": SPY}, "rth", None, MONDAY)
    assert (found.level, "not told" in found.text) == (Level.WARN, True)


def test_hours_are_told_until_when_or_from_when() -> None:
    listings = {"SPY": SPY, "BND": SPY, "XXX": replace(SPY, regular_sessions=(), hours_problem="?")}
    open_now, unknown = checkup.hours(listings, "rth", MONDAY, datetime.astimezone)
    assert open_now.level is Level.OK
    assert "open for 2 symbols (BND, SPY) until Mon 30 Nov 16:00 New York" in open_now.text
    assert (unknown.level, "XXX" in unknown.text) == (Level.WARN, True)
    night = MONDAY.replace(hour=23)
    (closed,) = checkup.hours({"SPY": SPY}, "rth", night, datetime.astimezone)
    assert "closed for 1 symbol (SPY); it opens Tue 1 Dec 09:30 New York" in closed.text


@pytest.mark.parametrize(("seconds", "level"), [(60, Level.OK), (-61, Level.WARN)])
def test_a_clock_may_be_a_minute_off(seconds: int, level: Level) -> None:
    found = checkup.clock(timedelta(seconds=seconds))
    assert found.level is level
    assert str(abs(Decimal(seconds))) in found.text
