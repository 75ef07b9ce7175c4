"""Times as text, in the form that the gateway's settings ask for.

``time_form`` is what TWS calls "send instrument-specific attributes for dual-mode API client in":
the instrument's zone, the operator's (the gateway's own), or UTC, which has a form of its own;
``bare`` leaves the zone out, as older gateways do.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from src.simulator.scenario.faults import GatewaySettings

HOME_ZONE = "US/Eastern"
"""Where the broker's day ends, and what a filter's time without a zone is in."""


_MONTHS = 12


class GatewayTimes:
    """Writes and reads times of one gateway."""

    def __init__(self, settings: GatewaySettings | None = None) -> None:
        self._settings = settings or GatewaySettings()
        self._zone = ZoneInfo(self._settings.time_zone)
        name = self._settings.time_zone_name
        self._name = self._settings.time_zone if name is None else name

    def text(self, at: datetime, instrument_zone: str) -> str:
        """``20250703 10:15:30 US/Eastern``, or another form of it."""
        match self._settings.time_form:
            case "utc":
                return f"{at.astimezone(timezone.utc):%Y%m%d-%H:%M:%S}"
            case "bare":
                return self._local(at)
            case "operator":
                return self.greeting(at)
        return f"{at.astimezone(ZoneInfo(instrument_zone)):%Y%m%d %H:%M:%S} {instrument_zone}"

    def greeting(self, at: datetime) -> str:
        """The gateway's own time and what it calls its zone, as in the handshake."""
        return f"{self._local(at)} {self._name}".strip()

    def quarter_after(self, at: datetime) -> str:
        """When an order that is good till cancelled ends: at the close of the next quarter."""
        local = at.astimezone(ZoneInfo(HOME_ZONE))
        month = (local.month + 2) // 3 * 3 + 4  # the first one behind the next quarter
        year, month = local.year + (month > _MONTHS), (month - 1) % _MONTHS + 1
        end = local.replace(year=year, month=month, day=1) - timedelta(days=1)
        return self.greeting(end.replace(hour=16, minute=0, second=0))

    def _local(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y%m%d %H:%M:%S}"


def broker_day(at: datetime) -> str:
    """``20250703``: what was traded or ended on another day is listed no more."""
    return f"{at.astimezone(ZoneInfo(HOME_ZONE)):%Y%m%d}"


def read_filter_time(text: str) -> datetime | None:
    """``yyyymmdd-hh:mm:ss`` is UTC; ``yyyymmdd hh:mm:ss [zone]`` is in that zone or at home."""
    if len(text) > len("yyyymmdd") and text[8] == "-":
        return _read_local(text.replace("-", " ", 1), "UTC")
    stamp, _, zone = text.rpartition(" ")
    if stamp.count(" ") == 1:
        return _read_local(stamp, zone)
    return _read_local(text, HOME_ZONE)


def _read_local(text: str, zone: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, "%Y%m%d %H:%M:%S").replace(tzinfo=ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        return None
    return moment.astimezone(timezone.utc)
