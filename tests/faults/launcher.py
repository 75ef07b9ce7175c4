"""Start the command in a process that dies at a given point of its run; for the kill sweep alone.

``python -m tests.faults.launcher WHAT N WHEN [flags of rebalance.py]``: WHAT is ``journal`` (the
n-th commit), the name of an event (the n-th commit that holds one) or ``wire`` (the n-th order
message at the socket), WHEN ``before`` or ``after``. The program itself has no such hook: this
module wraps two methods of its own process and ends it the hardest way there is.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any, Final, TypeVar

from src.broker.client.guarded_client import _GuardedConnection
from src.core.journal.events import JournalEvent
from src.core.running.parts import Terms
from src.io.journal.db import JournalDb
from src.terminal.cli import run_main
from tests.faults.patience import QUICK, SHORT

_PREFIX_BYTES: Final = 4
_ORDER_IDS: Final = (b"3", b"4")
T = TypeVar("T")


class Mortality:
    """Counts what it wraps and ends the process before or after the n-th time."""

    def __init__(self, number: int, moment: str) -> None:
        self._number = number
        self._moment = moment
        self._count = 0

    def wrap(self, method: Callable[..., T], counts: Callable[..., bool]) -> Callable[..., T]:
        def mortal(*arguments: Any) -> T:  # noqa: ANN401 - whatever the method takes
            if not counts(*arguments):
                return method(*arguments)
            self._count += 1
            self._die("before")
            result = method(*arguments)
            self._die("after")
            return result

        return mortal

    def _die(self, moment: str) -> None:
        if self._count == self._number and moment == self._moment:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def is_order_message(_connection: object, message: bytes) -> bool:
    return message[_PREFIX_BYTES:].split(b"\0", 1)[0] in _ORDER_IDS


def is_commit_of(what: str, _journal: object, events: Collection[JournalEvent]) -> bool:
    return what in {"journal", *(type(event).__name__ for event in events)}


def main(what: str, number: str, moment: str, *flags: str) -> int:
    mortality = Mortality(int(number), moment)
    if what != "wire":
        append = mortality.wrap(JournalDb.append_all, functools.partial(is_commit_of, what))
        JournalDb.append_all = append  # type: ignore[method-assign]
    else:
        send = mortality.wrap(_GuardedConnection.sendMsg, is_order_message)
        _GuardedConnection.sendMsg = send  # type: ignore[method-assign]
    for name, seconds in SHORT.items():
        module, _, attribute = name.rpartition(".")
        setattr(import_module(module), attribute, seconds)
    impatient = functools.partial(Terms, patience=QUICK)
    import_module("src.app.trading").Terms = impatient  # type: ignore[attr-defined]
    import rebalance

    return run_main(lambda: rebalance.main(flags))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
