"""Virtual time over real sockets: the clock jumps only when nothing is on its way.

Bytes on loopback arrive within microseconds, so a pause of a few real milliseconds tells that all
of them have. The same script can then be played over a real socket and compared.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable
from typing import Any, Final

from tests.simulation.virtual_time import PROCESS, JumpingLoop, JumpingSelector, Ready

_GRACE_SEC: Final = 0.001


class _ListeningSelector(JumpingSelector):
    """Looks at the sockets before it jumps."""

    def arrived(self, timeout: float | None) -> Ready:
        """On loopback what was sent is there; the grace is for a machine that is busy."""
        is_idle = timeout is None or timeout > 0
        return selectors.SelectSelector.select(self, _GRACE_SEC if is_idle else 0)


class SocketLoop(JumpingLoop):
    """A loop for one world, with the operating system's own network."""

    def __init__(self) -> None:
        super().__init__(_ListeningSelector())
        self._process_transports: list[tuple[int, Any]] = []

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        transport: Any
        transport, protocol = await super().create_connection(*args, **options)
        process = PROCESS.get()
        self._process_transports.append((process, transport))
        transport.write = self._watched(process, transport.write)
        return transport, protocol

    def close_sockets(self, process: int) -> None:
        for owner, transport in self._process_transports:
            if owner == process and not transport.is_closing():
                transport.pause_reading()
                with contextlib.suppress(OSError):
                    transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._process_transports = [one for one in self._process_transports if one[0] != process]

    def _watched(self, process: int, write: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def watched(data: bytes) -> None:
            left = self.on_client_write(process, data)
            if left:
                write(left)

        return watched
