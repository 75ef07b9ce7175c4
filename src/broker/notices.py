"""What the gateway says about no request in particular: which of it is news, and what explains."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

log = logging.getLogger(__name__)

_SWITCHED: Final = 2100
_OWN_SWITCH_SEC: Final = 60.0
_ALL_IS_WELL: Final = frozenset({2104, 2106, 2107, 2108, 2158})
_KEPT: Final = 50
_TOLD: Final = 3


class Notices:
    """The messages of one connection that carry no request's id."""

    def __init__(self) -> None:
        self._unsubscribed_at: deque[float] = deque()
        self._count = 0
        self._texts: deque[str] = deque(maxlen=_KEPT)

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
        return True

    def mark(self) -> int:
        """This moment, for ``since``."""
        return self._count

    def since(self, mark: int) -> tuple[str, ...]:
        """What was said after that moment, each text once, newest last."""
        new = min(self._count - mark, len(self._texts))
        return tuple(dict.fromkeys(list(self._texts)[len(self._texts) - new :]))

    def unsubscribed(self) -> None:
        """We end our account subscription ourselves: one 2100 will answer that."""
        self._unsubscribed_at.append(_now_sec())

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
    return f"it said meanwhile: {'; '.join(texts[-_TOLD:])}" if texts else ""


def _now_sec() -> float:
    return asyncio.get_running_loop().time()
