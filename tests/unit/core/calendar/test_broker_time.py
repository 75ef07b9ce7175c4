"""F87: times as brokers write them mean the same moment on every computer, or are in doubt."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.core.calendar.broker_time import read_broker_time, read_gateway_zone
from src.core.calendar.zone_names import _ALIASES, WINDOWS_ZONES, find_zone
from tests.kits.host_zone import HOST_ZONES, host_zone

MOMENT = datetime(2026, 11, 27, 15, 30, tzinfo=timezone.utc)
FORMS = {
    "20261127 10:30:00 US/Eastern": MOMENT,
    "20261127  10:30:00 US/Eastern": MOMENT,
    "20261127 10:30:00 America/New_York": MOMENT,
    "20261127 10:30:00 EST": MOMENT,
    "20261127 10:30:00 EST (Eastern Standard Time)": MOMENT,
    "20261127 10:30:00 EST5EDT": MOMENT,
    "20261127 10:30:00 Eastern Standard Time": MOMENT,
    "20261127 16:30:00 MET": MOMENT,
    "20261127 16:30:00 Central European Standard Time": MOMENT,
    "20261127 16:30:00 W. Europe Standard Time": MOMENT,
    "20261127 23:30:00 Asia/Singapore": MOMENT,
    "20261127 23:30:00 China Standard Time": MOMENT,
    "20261127 23:30:00 GMT+08:00": MOMENT,
    "20261127 13:30:00 UTC-2": MOMENT,
    "20261127 15:30:00 Universal": MOMENT,
    "20261127 15:30:00 UTC": MOMENT,
    "20261127-15:30:00": MOMENT,
    "20261127-15:30:00 UTC": MOMENT,
    "20261127 15:30:00.125 UTC": MOMENT,
    # in doubt
    "20261127 10:30:00": None,
    "20261127  10:30:00": None,
    "20261127 10:30:00 Mars/Olympus": None,
    "20261127 10:30:00 CST": None,
    "20261127 10:30:00 localtime": None,
    "20261127 10:30:00 ../../etc/localtime": None,
    "20261127 10:30:00 \u4e2d\u56fd\u6807\u51c6\u65f6\u95f4": None,
    "20261127-10:30:00 US/Eastern": None,
    "20261127 25:30:00 UTC": None,
    "20261327 10:30:00 UTC": None,
    "20261127 10:30:00 GMT+99": None,
    "99991231 23:30:00 UTC-2": None,
    "20261101 01:30:00 US/Eastern": None,  # comes twice that night
    "20260308 02:30:00 US/Eastern": None,  # never comes
    "20261127": None,
    "1795793400": None,
    "": None,
}


@pytest.mark.parametrize("host", HOST_ZONES)
@pytest.mark.parametrize("text", FORMS)
def test_every_form_means_one_moment_on_every_computer(text: str, host: str) -> None:
    with host_zone(host):
        assert read_broker_time(text, None) == FORMS[text]


@pytest.mark.parametrize("host", HOST_ZONES)
@pytest.mark.parametrize("greeting", ["20260415 18:18:59 Central European Standard Time", "x MET"])
def test_a_time_without_a_zone_is_the_gateway_s_or_in_doubt(greeting: str, host: str) -> None:
    with host_zone(host):
        read = read_broker_time("20261127 16:30:00", read_gateway_zone(greeting))
        assert read == (MOMENT if greeting.startswith("2026") else None)


@pytest.mark.parametrize(
    ("greeting", "offset_hours"),
    [
        ("20260415 18:18:59 Central European Standard Time", 2),
        ("20260415 18:18:59 CEST", 2),
        ("20260415 12:18:59 EDT", -4),
        ("20260415 16:18:59 UTC", 0),
        ("20260415 18:18:59", None),
        ("20260415 18:18:59 Nowhere Standard Time", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_gateway_s_zone_is_read_from_its_greeting(
    greeting: str, offset_hours: int | None
) -> None:
    zone = read_gateway_zone(greeting)
    offset = zone.utcoffset(datetime(2026, 4, 15)) if zone is not None else None  # noqa: DTZ001
    assert offset == (None if offset_hours is None else timedelta(hours=offset_hours))


def test_every_known_name_leads_to_a_zone() -> None:
    for name in (*WINDOWS_ZONES, *_ALIASES):
        assert find_zone(name) is not None, name


@given(st.text(max_size=40), st.sampled_from(["", "20261127 10:30:00 ", "20261127-10:30:00"]))
def test_any_text_is_read_or_in_doubt(text: str, start: str) -> None:
    moment = read_broker_time(start + text, ZoneInfo("Europe/Berlin"))
    assert moment is None or moment.tzinfo is timezone.utc
    read_gateway_zone(start + text)
