"""A network in memory: client and gateway of one loop are connected by queues of bytes.

``create_connection`` and ``create_server`` do what asyncio's own do, so the real client and the
real gateway talk to each other without a socket.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.virtual_time import PROCESS, JumpingLoop, JumpingSelector

_FIRST_PORT = 40_000


class VirtualLoop(JumpingLoop):
    """A loop for one world. ``delay_sec`` is how long bytes travel."""

    def __init__(self, delay_sec: float = 0.0) -> None:
        super().__init__(JumpingSelector())
        self.delay_sec = delay_sec
        self.on_server_write: Callable[[bytes], bytes] = lambda data: data
        self._listeners: dict[int, _Listener] = {}
        self._pipes: list[_Pipe] = []
        self._next_port = _FIRST_PORT

    def close_sockets(self, process: int) -> None:
        for pipe in self._pipes:
            if pipe.process == process:
                pipe.die()
        self._pipes = [pipe for pipe in self._pipes if not pipe.is_gone]

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
        else:
            data = self.loop.on_server_write(bytes(data))
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
