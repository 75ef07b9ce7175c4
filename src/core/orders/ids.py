"""Which number the next order gets, and when there is none left.

An order's number must be above every number that any client of the account was seen to use; the
broker's numbers end at 2³¹ − 1. Messages name an order or a request by the same field, so a range
is kept for requests, and no order is numbered within it.
"""

from __future__ import annotations

from typing import Final

REQUEST_IDS: Final = range(1_000_000_000, 1_001_000_000)
"""Numbers of our requests; one connection asks some thousands of questions at most."""

MAX_ORDER_ID: Final = 2**31 - 2
"""The last number that an order may have."""

USED_UP: Final = (
    "the order ids of this login are used up (they end at 2147483647): choose Reset API order ID "
    "sequence in TWS or IB Gateway (Global Configuration > API > Settings) and start again"
)
_ATTEMPTS: Final = 2


def next_order_id(highest_seen: int, at_least: int) -> int:
    """The number of the next order; above ``MAX_ORDER_ID`` there is none."""
    wanted = max(highest_seen + 1, at_least)
    return REQUEST_IDS.stop if wanted in REQUEST_IDS else wanted


def are_enough(highest_seen: int, tickets: int) -> bool:
    """True when there is a number for every ticket and its second attempt."""
    return next_order_id(highest_seen, 1) + _ATTEMPTS * tickets - 1 <= MAX_ORDER_ID
