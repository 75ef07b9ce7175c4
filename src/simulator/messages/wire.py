r"""Frames of the TWS socket protocol: bytes on one side, tuples of text fields on the other.

A frame is a 4-byte big-endian length and a payload; every field of the payload ends with a NUL.
What the gateway writes is ASCII: any other character goes out as ``\uXXXX`` (UTF-16 units).
No I/O here. Two error kinds, as in h11: ``RemoteProtocolError`` is the peer's mistake and ends
the connection, ``LocalProtocolError`` is a bug of ours.
"""

import re
import struct

MAX_FRAME_BYTES = 1024 * 1024
_LENGTH = struct.Struct(">I")
_NOT_PLAIN = re.compile(r"[^\x00-\x7f]")


class RemoteProtocolError(Exception):
    """The peer sent what is not the protocol; the connection cannot go on."""


class LocalProtocolError(Exception):
    """We were about to send what is not the protocol: a bug on this side."""


class FrameBuffer:
    """Collects received bytes and hands them out frame by frame, whatever the splits."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        self._data += data

    def take(self, count: int) -> bytes | None:
        """Remove and return exactly ``count`` bytes, or None while fewer have arrived."""
        if len(self._data) < count:
            return None
        taken = bytes(self._data[:count])
        del self._data[:count]
        return taken

    def peek(self, count: int) -> bytes:
        """Up to ``count`` of the next bytes, left in place."""
        return bytes(self._data[:count])

    def next_payload(self, limit: int = MAX_FRAME_BYTES) -> bytes | None:
        """The payload of the next whole frame, or None while it is incomplete.

        Raises: RemoteProtocolError if the length is 0 or above ``limit`` bytes.
        """
        if len(self._data) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._data)
        if not 0 < length <= limit:
            raise RemoteProtocolError(f"frame length {length} is not in 1..{limit}")
        if len(self._data) < _LENGTH.size + length:
            return None
        del self._data[: _LENGTH.size]
        return self.take(length)


def frame(payload: bytes) -> bytes:
    """Put the length in front of a payload."""
    return _LENGTH.pack(len(payload)) + payload


def encode_fields(fields: tuple[str, ...]) -> bytes:
    """Fields to one whole frame.

    Raises: LocalProtocolError if a field holds a NUL, or there is nothing to send.
    """
    if not fields or any("\0" in field for field in fields):
        raise LocalProtocolError(f"fields cannot be framed: {fields!r}")
    text = "".join(f"{field}\0" for field in fields)
    return frame(_NOT_PLAIN.sub(_escape, text).encode("ascii"))


def decode_fields(payload: bytes) -> tuple[str, ...]:
    r"""Payload to fields; bytes that are not UTF-8 become ``\xNN`` text."""
    text = payload.decode("utf-8", errors="backslashreplace")
    return tuple(text.removesuffix("\0").split("\0"))


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", errors="surrogatepass")
    return "".join(f"\\u{unit:04x}" for (unit,) in struct.iter_unpack(">H", units))
