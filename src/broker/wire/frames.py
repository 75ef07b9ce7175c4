"""Length-prefixed frames out of a byte stream, with a limit on what a frame may claim.

A frame is a 4-byte big-endian length and that many bytes. A false length would otherwise keep the
reader waiting for ever, or for gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

MAX_FRAME_BYTES: Final = 16 * 1024 * 1024
_PREFIX: Final = 4


class FrameTooLongError(ValueError):
    """The stream claims a frame that no gateway sends: it is damaged from here on."""


class FrameReader:
    """Collects bytes and gives out whole frames, in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes and yield the frames that are complete, without their prefix.

        Raises: FrameTooLongError as soon as a prefix claims more than ``MAX_FRAME_BYTES``.
        """
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= _PREFIX:
                body = start + _PREFIX
                length = int.from_bytes(self._buffer[start:body], "big")
                if length > MAX_FRAME_BYTES:
                    raise FrameTooLongError(f"a message of {length} bytes was announced")
                if len(self._buffer) - body < length:
                    return
                start = body + length
                yield bytes(self._buffer[body:start])
        finally:
            del self._buffer[:start]
