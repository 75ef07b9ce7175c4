"""An event loop whose time costs nothing and whose network is memory.

The clock jumps from one timer to the next. ``create_connection`` and ``create_server`` connect
two protocols of the same loop by queues of bytes, so the real client and the real gateway talk to
each other without a socket. Whatever a *process* starts (tasks, timers, connections) carries its
number in a context variable; killing the process drops all of that where it stands, as the kernel
would: nothing of it runs again, not even a ``finally``.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
import selectors
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

PROCESS: contextvars.ContextVar[int] = contextvars.ContextVar("PROCESS", default=0)
"""Which simulated process the running code belongs to; 0 is the world outside."""

TURN_SEC: Final = 1e-6
"""What one turn of the loop costs, as on a real machine: time never quite stands still."""
MAX_TURNS: Final = 20_000
"""Turns of the loop without a pause, far more than any honest work takes."""


class StuckError(RuntimeError):
    """Nothing moves any more, or time does not."""


class KilledError(BaseException):
    """Unwinds the code of a process that was just killed; nobody can catch it and go on."""


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for a timer, it jumps there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError("everything waits, and for nothing that could ever come")
        self._turns = 0 if timeout > 10 * TURN_SEC else self._turns + 1
        if self._turns > MAX_TURNS:
            raise StuckError("the program spins: it wakes and wakes and never waits")
        self.now += max(TURN_SEC, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module. ``delay_sec`` is how long bytes travel."""

    def __init__(self, *, delay_sec: float = 0.0) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.delay_sec = delay_sec
        self.dead: set[int] = set()
        self.on_client_write: Callable[[int, bytes], bytes] = lambda _process, data: data
        self._listeners: dict[int, _Listener] = {}
        self._pipes: list[_Pipe] = []
        self._next_port = 40_000
        self.tasks: list[tuple[int, asyncio.Task[Any]]] = []
        self.set_task_factory(self._make_task)

    def time(self) -> float:
        return self._jumping.now

    # --- processes ----------------------------------------------------------------------------

    def kill(self, process: int) -> None:
        """Nothing of this process runs any more; its sockets are closed by the kernel."""
        self.dead.add(process)
        for pipe in self._pipes:
            if pipe.process == process:
                pipe.die()
        self._pipes = [pipe for pipe in self._pipes if not pipe.is_gone]

    def _make_task(self, _loop: Any, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Remember whose task it is, and keep it: the garbage collector is nobody's clock."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **options)
        if PROCESS.get():
            self.tasks.append((PROCESS.get(), task))
        return task

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        return super().call_soon(self._run, callback, args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return super().call_at(when, self._run, callback, args, context=context)

    def _run(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        if PROCESS.get() not in self.dead:
            callback(*args)

    # --- network ------------------------------------------------------------------------------

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], host: str, port: int, **_options: Any
    ) -> tuple[Any, Any]:
        await asyncio.sleep(self.delay_sec)
        listener = self._listeners.get(port)
        if listener is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        protocol = protocol_factory()
        ours = _Pipe(self, protocol, contextvars.copy_context(), PROCESS.get())
        theirs = _Pipe(self, listener.factory(), listener.context.copy(), 0)
        ours.peer, theirs.peer = theirs, ours
        self._pipes.append(ours)
        theirs.context.run(theirs.protocol.connection_made, theirs)
        protocol.connection_made(ours)
        return ours, protocol

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], host: str, port: int, **_options: Any
    ) -> Any:
        if not port:
            port = self._next_port
            self._next_port += 1
        if port in self._listeners:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        self._listeners[port] = _Listener(
            factory=protocol_factory, context=contextvars.copy_context()
        )
        return _Server(self, port)

    def stop_listening(self, port: int) -> None:
        """Refuse connections on this port from now on."""
        self._listeners.pop(port, None)


@dataclass(slots=True)
class _Listener:
    factory: Callable[[], Any]
    context: contextvars.Context


@dataclass(slots=True)
class _Server:
    """What ``asyncio.start_server`` returns, as far as the gateway uses it."""

    loop: VirtualLoop
    port: int

    @property
    def sockets(self) -> list[_Server]:
        return [self]

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def close(self) -> None:
        self.loop.stop_listening(self.port)

    async def wait_closed(self) -> None:
        """There is nothing to wait for."""


@dataclass(eq=False)
class _Pipe(asyncio.Transport):
    """One end of a connection. What is written arrives at the other end, in order."""

    loop: VirtualLoop
    protocol: Any
    context: contextvars.Context
    process: int
    peer: Any = None
    is_gone: bool = False
    _inbox: list[bytes] = field(default_factory=list)
    _is_due: bool = False
    _is_paused: bool = False

    # --- the transport's side -----------------------------------------------------------------

    def write(self, data: Any) -> None:
        if self.is_gone or self.peer.is_gone:
            return
        if self.process:
            data = self.loop.on_client_write(self.process, bytes(data))
        if data:
            self.peer._receive(bytes(data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Half close: the other end reads the end, and may still write."""
        if not self.is_gone and not self.peer.is_gone:
            self.peer._receive(b"")

    def close(self) -> None:
        self._leave()

    def abort(self) -> None:
        self._leave()

    def is_closing(self) -> bool:
        return self.is_gone

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False
        self._schedule()

    def die(self) -> None:
        """The process is gone; the other end reads what was sent, then the end."""
        if not self.is_gone:
            self.is_gone = True
            self.peer._receive(b"")

    # --- the network's side -------------------------------------------------------------------

    def _leave(self) -> None:
        if self.is_gone:
            return
        self.is_gone = True
        if not self.peer.is_gone:
            self.peer._receive(b"")
        self.loop.call_soon(self.protocol.connection_lost, None, context=self.context)

    def _receive(self, data: bytes) -> None:
        self._inbox.append(data)
        self._schedule()

    def _schedule(self) -> None:
        if self._inbox and not self._is_due and not self._is_paused:
            self._is_due = True
            when = self.loop.time() + self.loop.delay_sec
            self.loop.call_at(when, self._hand_over, context=self.context)

    def _hand_over(self) -> None:
        self._is_due = False
        while self._inbox and not self._is_paused and not self.is_gone:
            if not self._inbox[0]:
                self._end()
                return
            size = self._inbox.index(b"") if b"" in self._inbox else len(self._inbox)
            data = b"".join(self._inbox[:size])
            del self._inbox[:size]
            self.protocol.data_received(data)

    def _end(self) -> None:
        """The other end will write no more."""
        self._inbox.clear()
        if not self.protocol.eof_received():
            self._leave()
