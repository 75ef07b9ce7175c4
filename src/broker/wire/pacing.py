"""How fast to ask and what to do when the broker says no: pure rules, nobody waits here.

When the next message may leave, how many quotes may be open at once, which refusals are worth
another try and after how long. Source: message codes and pacing limits of the TWS API.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

BURST_MESSAGES: Final = 48
"""What may leave at once after a quiet time; the broker counts 50 a second, of all kinds."""

_WINDOW_SEC: Final = 1.05
_BUSY_SEC: Final = 1.6
_SMOOTH_SHARE: Final = 1.6
"""A busy connection sends at even distances, at this multiple of the limit a second; the window
keeps the average below the limit. A second burst right after the first could meet messages of the
first that the gateway was late to read."""

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


def wait_sec(sent_at: Sequence[float], now: float, limit: int) -> float:
    """Seconds until one more message may leave; 0 or less: now.

    ``sent_at`` are the times of the last ``limit`` messages, oldest first. A message leaves at
    once while fewer than ``limit`` have left lately; then not before the window has room,
    and at even distances.
    """
    busy = [at for at in sent_at if now - at < _BUSY_SEC]
    if len(busy) < limit:
        return 0.0
    room_at = busy[-limit] + _WINDOW_SEC
    return max(room_at, busy[-1] + _spacing_sec(limit)) - now


def drain_sec(sent_at: Sequence[float], now: float, limit: int, messages: int) -> float:
    """At most how long the throttle takes until so many messages have left."""
    free = limit - sum(now - at < _BUSY_SEC for at in sent_at)
    over = messages - free
    pace = max(_spacing_sec(limit), _WINDOW_SEC / limit)
    return 0.0 if over <= 0 else _WINDOW_SEC + over * pace


def calm_sec(sent_at: Sequence[float], now: float, limit: int, messages: int) -> float:
    """Seconds until so many messages can leave at once, without pauses between them."""
    room = max(0, limit - messages)
    busy = [at for at in sent_at if now - at < _BUSY_SEC]
    return busy[-room - 1] + _BUSY_SEC - now if len(busy) > room else 0.0


def _spacing_sec(limit: int) -> float:
    return 1 / (limit * _SMOOTH_SHARE)
