"""An event loop whose time costs nothing, and that can kill a process.

The clock jumps from one timer to the next. Whatever a *process* starts (tasks, timers,
connections) carries its number in a context variable; killing the process drops all of that where
it stands, as the kernel would: nothing of it runs again, not even a ``finally``.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable
from typing import Any, Final

PROCESS: contextvars.ContextVar[int] = contextvars.ContextVar("PROCESS", default=0)
"""Which simulated process the running code belongs to; 0 is the world outside."""

TURN_SEC: Final = 1e-6
"""What one turn of the loop costs, as on a real machine: time never quite stands still."""
MAX_TURNS: Final = 20_000
"""Turns of the loop without a pause, far more than any honest work takes."""

Ready = list[tuple[selectors.SelectorKey, int]]


class StuckError(RuntimeError):
    """Nothing moves any more, or time does not."""


class KilledError(BaseException):
    """Unwinds the code of a process that was just killed; nobody can catch it and go on."""


class JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for a timer, it jumps there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> Ready:
        ready = self.arrived(timeout)
        if ready:
            return ready
        if timeout is None:
            raise StuckError("everything waits, and for nothing that could ever come")
        self._turns = 0 if timeout > 10 * TURN_SEC else self._turns + 1
        if self._turns > MAX_TURNS:
            raise StuckError("the program spins: it wakes and wakes and never waits")
        self.now += max(TURN_SEC, timeout)
        return []

    def arrived(self, timeout: float | None) -> Ready:
        """What has come in over real sockets; here there are none."""
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """See the module. ``on_client_write`` sees what processes write to their sockets."""

    def __init__(self, selector: JumpingSelector) -> None:
        self._jumping = selector
        super().__init__(selector)
        self.dead: set[int] = set()
        self.on_client_write: Callable[[int, bytes], bytes] = lambda _process, data: data
        self.tasks: list[tuple[int, asyncio.Task[Any]]] = []
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self._jumping.now

    def kill(self, process: int) -> None:
        """Nothing of this process runs any more; its sockets are closed by the kernel."""
        self.dead.add(process)
        self.close_sockets(process)

    def close_sockets(self, process: int) -> None:
        """The kernel closes what the process had open; the loop with a network knows how."""
        raise NotImplementedError

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        if self.is_closed():  # the garbage collector unwinds a dead process: nothing happens
            return asyncio.Handle(callback, args, self, context)
        return super().call_soon(self._run, callback, args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        return super().call_at(when, self._run, callback, args, context=context)

    def _run(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        if PROCESS.get() not in self.dead:
            callback(*args)

    def _make_task(self, _loop: Any, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Remember whose task it is, and keep it: the garbage collector is nobody's clock."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **options)
        if PROCESS.get():
            self.tasks.append((PROCESS.get(), task))
        return task
