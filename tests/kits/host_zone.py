"""The time zone of the computer the program runs on, changed for a while."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

HOST_ZONES: Final = ("Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC")


@contextmanager
def host_zone(name: str) -> Iterator[None]:
    """Let this process live in a time zone; where the system cannot change it, nothing happens."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    _take_over()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        _take_over()


def _take_over() -> None:
    tzset = getattr(time, "tzset", None)  # Windows has none
    if tzset is not None:
        tzset()
