"""Questions on their way: what was asked, the rows that came, and the end, refusal or loss.

The library keys several questions by name, so the first of two concurrent ones never ends, and
answers errors with empty lists. Here every question has its own entry and ends exactly once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from src.core.orders.ids import REQUEST_IDS

MAX_ROWS: Final = 100_000
"""No honest list is longer; a flood ends as a failure instead of as a full memory."""

MAX_NOTICES: Final = 20

Key = int | str
"""A request id, or the name of a question that the protocol lets be asked one at a time."""


class AnswerRefused(Exception):
    """The broker declined one question; the caller knows what that means."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class AnswerLate(Exception):
    """The whole answer did not come in time; the text says what did, or is empty."""


class AnswerDamaged(Exception):
    """Part of an answer could not be read, so the list may be silently short."""


@dataclass(slots=True)
class Reply:
    """The rows of one answer so far; ``done`` ends it, well or with an exception.

    ``notices`` are messages about the question that do not end it.
    """

    done: asyncio.Future[None]
    rows: list[Any] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def progress(self) -> str:
        """How far the answer has come, in words; empty when nothing has."""
        count = len(self.rows)
        rows = "1 row" if count == 1 else f"{count} rows"
        return f"{rows} came, but not the end" if count else ""


class Replies:
    """All open questions of one connection."""

    def __init__(self) -> None:
        self._open: dict[Key, Reply] = {}
        self._made = 0

    def new_request_id(self) -> int:
        """A request id that was not used on this connection, and is none of an order."""
        self._made += 1
        return REQUEST_IDS[self._made]

    def is_request_id(self, number: int) -> bool:
        """Whether a question of this connection had this id."""
        return number in REQUEST_IDS[: self._made + 1]

    def open(self, key: Key) -> Reply:
        """Start to collect the answer to a question; ``close`` must follow."""
        reply = Reply(asyncio.get_running_loop().create_future())
        self._open[key] = reply
        return reply

    def close(self, key: Key) -> None:
        """Forget a question; what still arrives for it is ignored."""
        self._open.pop(key, None)

    def is_open(self, key: Key) -> bool:
        """Whether an answer to this question is awaited."""
        return key in self._open

    def add(self, key: Key, row: object) -> None:
        """One row of an answer; rows nobody asked for are ignored."""
        reply = self._open.get(key)
        if reply is None or reply.done.done():
            return
        reply.rows.append(row)
        if len(reply.rows) > MAX_ROWS:
            reply.done.set_exception(AnswerDamaged(f"more than {MAX_ROWS} rows"))

    def note(self, key: Key, text: str) -> None:
        """A message about an open question that does not end it."""
        reply = self._open.get(key)
        if reply is not None and len(reply.notices) < MAX_NOTICES:
            reply.notices.append(text)

    def finish(self, key: Key) -> None:
        """The End message of an answer."""
        reply = self._open.get(key)
        if reply is not None and not reply.done.done():
            reply.done.set_result(None)

    def fail(self, key: Key, error: Exception) -> bool:
        """End one question with an exception; False when no such question is open."""
        reply = self._open.get(key)
        if reply is None:
            return False
        if not reply.done.done():
            reply.done.set_exception(error)
        return True

    def fail_all(self, error: Exception) -> None:
        """End every open question, for example because the socket closed."""
        for key in tuple(self._open):
            self.fail(key, error)
