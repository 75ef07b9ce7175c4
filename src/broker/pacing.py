"""How fast to ask and what to do when the broker says no: pure rules, nobody waits here.

The library spreads messages at 45 a second, below the broker's 50. This module adds what it does
not know: how many quotes may be open at once, which refusals are worth another try, and after how
long. Source: message codes and limits of the TWS API.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

MESSAGES_PER_SEC: Final = 45
"""The library's own throttle, per connection, all kinds of message together."""

MAX_OPEN_LINES: Final = 90
"""Quotes open at once; the broker allows 100 and shares them with the windows of TWS."""

MATCHING_SYMBOLS_INTERVAL_SEC: Final = 1.0
"""The broker answers one search for similar symbols per second."""

_FIRST_DELAY_SEC: Final = 0.5
_LONGEST_DELAY_SEC: Final = 8.0


class Reply(str, Enum):
    """What an error message means for the request whose id it carries."""

    NOTICE = "notice"
    REFUSAL = "refusal"
    NO_LINE = "no line"
    TOO_FAST = "too fast"


_REPLIES: Final[dict[int, Reply]] = {
    100: Reply.TOO_FAST,
    101: Reply.NO_LINE,
    300: Reply.NOTICE,  # cancelling what had already ended
    10167: Reply.NOTICE,  # "showing delayed": data follows
    2119: Reply.NOTICE,
}
_FARM_NOTICES: Final = range(2100, 2200)


def read_reply(code: int) -> Reply:
    """Tell a notice from a refusal; an unknown code about a read ends that read."""
    if code in _FARM_NOTICES:
        return Reply.NOTICE
    return _REPLIES.get(code, Reply.REFUSAL)


def backoff_sec(attempt: int, jitter: float) -> float:
    """Seconds to wait before try ``attempt`` (1 is the first repeat): doubling, capped.

    ``jitter`` from 0 to 1 takes up to half of it away, so that programs do not march in step.
    """
    longest = min(_LONGEST_DELAY_SEC, _FIRST_DELAY_SEC * 2.0 ** (max(attempt, 1) - 1))
    return longest * (1 - jitter / 2)


def pacing_allowance_sec(messages: int) -> float:
    """Time the throttle alone needs for so many messages; the first burst is free."""
    return max(0, messages - MESSAGES_PER_SEC) / MESSAGES_PER_SEC
