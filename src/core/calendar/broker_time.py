"""Times as the broker writes them, in every form a gateway may be set to, read in one place.

::

    20261127 10:30:00 US/Eastern                       one or two spaces, any known zone
    20261127 10:30:00 Central European Standard Time   a zone as Windows names it
    20261127 10:30:00                                  the gateway's own zone
    20261127-15:30:00                                  UTC

A time whose zone is not known for certain is in doubt and comes back as None: it is never taken
for the time of this computer, and never a reason to drop what it belongs to.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone, tzinfo
from typing import Final

from src.core.calendar.zone_names import find_zone

_FORM: Final = re.compile(
    r"(?P<day>[0-9]{8})(?P<mark>-| {1,2})(?P<time>[0-9]{1,2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?"
    r"(?: +(?P<zone>\S.*))?",
    re.ASCII,
)
_UTC_NAMES: Final = frozenset({"UTC", "GMT", "Z"})
_YEARS: Final = range(1990, 2200)
"""What no broker can mean is in doubt, too."""


def read_broker_time(text: str, gateway_zone: tzinfo | None) -> datetime | None:
    """The moment in UTC, to the second; None when it is in doubt.

    ``gateway_zone`` is what a time without a zone is in; None: nobody knows.
    """
    match = _FORM.fullmatch(text.strip())
    zone = _zone_of(match, gateway_zone) if match is not None else None
    if match is None or zone is None:
        return None
    try:
        stamp = f"{match['day']} {match['time']}"
        local = datetime.strptime(stamp, "%Y%m%d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        return None
    if local.year not in _YEARS or _is_ambiguous(local):
        return None
    return local.astimezone(timezone.utc)


def read_gateway_zone(greeting: str) -> tzinfo | None:
    """The gateway's own zone, from the time in its answer to the handshake; None: not told."""
    match = _FORM.fullmatch(greeting.strip())
    return _zone_of(match, None) if match is not None else None


def _zone_of(match: re.Match[str], gateway_zone: tzinfo | None) -> tzinfo | None:
    name: str | None = match["zone"]
    if match["mark"] == "-":
        return timezone.utc if name is None or name.strip() in _UTC_NAMES else None
    return gateway_zone if name is None else find_zone(name)


def _is_ambiguous(local: datetime) -> bool:
    """In the hour that clocks repeat or leave out there are two readings, and no telling."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
