"""The broker's last bad word about each subject, for whatever fails because of it.

Messages without a request's number are about the line to IBKR, a data farm, the account or all
orders. Each is kept under its subject until the broker takes it back ("farm is OK"), so that a
failure can name its cause even when the cause was told long before, at the login.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Final

log = logging.getLogger(__name__)

_SWITCHED: Final = 2100
_OWN_SWITCH_SEC: Final = 60.0
_KEPT: Final = 50
_TOLD: Final = 3


class Topic(str, Enum):
    """What a bad word is about; one about the line explains every failure."""

    LINE = "the gateway's own line to IBKR"
    QUOTES = "market data"
    HISTORY = "historical data"
    CONTRACTS = "contract details"
    ACCOUNT = "account figures"
    ORDERS = "orders"


_BAD: Final = {
    **dict.fromkeys((504, 1100, 1300, 2110), Topic.LINE),
    **dict.fromkeys((2103, 2119, 10197), Topic.QUOTES),
    2105: Topic.HISTORY,
    2157: Topic.CONTRACTS,
    **dict.fromkeys((2100, 2101), Topic.ACCOUNT),
    **dict.fromkeys((399, 2109, 2139, 2161), Topic.ORDERS),
}
_GOOD: Final = {
    **dict.fromkeys((1101, 1102), Topic.LINE),
    **dict.fromkeys((2104, 2108), Topic.QUOTES),
    **dict.fromkeys((2106, 2107), Topic.HISTORY),
    2158: Topic.CONTRACTS,
}
_FARM_TOPICS: Final = (Topic.QUOTES, Topic.HISTORY, Topic.CONTRACTS)
_ALL_IS_WELL: Final = frozenset(_GOOD) - {1101, 1102}
"""What explains nothing; that the line is back tells that it was away."""


class Notices:
    """The messages of one connection that carry no request's id."""

    def __init__(self) -> None:
        self._unsubscribed_at: deque[float] = deque()
        self._count = 0
        self._texts: deque[str] = deque(maxlen=_KEPT)
        self._bad: dict[tuple[Topic, str], str] = {}

    def hear(self, code: int, text: str) -> bool:
        """Take a message in; False when it only answers what we did ourselves.

        Kept is what may explain why something fails; that all is well explains nothing.
        """
        if self._is_our_own(code):
            log.debug("account subscription ended code=%s", code)
            return False
        if code not in _ALL_IS_WELL:
            self._count += 1
            self._texts.append(f"{code}: {text}")
        self._file(code, text)
        return True

    def mark(self) -> int:
        """This moment, for ``since``."""
        return self._count

    def since(self, mark: int) -> tuple[str, ...]:
        """What was said after that moment, each text once, newest last."""
        new = min(self._count - mark, len(self._texts))
        return tuple(dict.fromkeys(list(self._texts)[len(self._texts) - new :]))

    def about(self, *topics: Topic) -> tuple[str, ...]:
        """The last bad word about each subject of these topics that still stands, newest last."""
        wanted = {Topic.LINE, *topics}
        return tuple(word for (topic, _), word in self._bad.items() if topic in wanted)

    def unsubscribed(self) -> None:
        """We end our account subscription ourselves: one 2100 will answer that."""
        self._unsubscribed_at.append(_now_sec())

    def _file(self, code: int, text: str) -> None:
        if code in _BAD:
            subject = _BAD[code], _farm(_BAD[code], text)
            self._bad.pop(subject, None)
            self._bad[subject] = f"{code}: {text}"
        elif code in _GOOD:
            topic, farm = _GOOD[code], _farm(_GOOD[code], text)
            for subject in [one for one in self._bad if one[0] is topic]:
                if not (farm and subject[1]) or subject[1] == farm:
                    del self._bad[subject]

    def _is_our_own(self, code: int) -> bool:
        """Whether this answers our own unsubscribing.

        A gateway may leave the answer out: it is not expected for ever, so that a later 2100, by
        which something else takes our subscription, is heard.
        """
        if code != _SWITCHED:
            return False
        while self._unsubscribed_at and _now_sec() - self._unsubscribed_at[0] > _OWN_SWITCH_SEC:
            self._unsubscribed_at.popleft()
        if not self._unsubscribed_at:
            return False
        self._unsubscribed_at.popleft()
        return True


def meanwhile(texts: Sequence[str]) -> str:
    """The last few of these messages, for an error about what did not come; empty without any."""
    return f"it said meanwhile: {last_few(texts)}" if texts else ""


def last_few(texts: Sequence[str]) -> str:
    """The newest of these messages as one text; empty without any."""
    return "; ".join(tuple(dict.fromkeys(texts))[-_TOLD:])


def _farm(topic: Topic, text: str) -> str:
    """The data farm that a message names behind its colon, in whatever language; else empty."""
    return text.rpartition(":")[2].strip().lower() if topic in _FARM_TOPICS and ":" in text else ""


def _now_sec() -> float:
    return asyncio.get_running_loop().time()
