r"""One client's side of the protocol, without I/O: handshake, start, then requests.

    AWAITING_SIGN --API\0--> AWAITING_VERSIONS --v157..178--> AWAITING_START --startApi--> STARTED

``receive_data`` takes bytes as they come, ``next_message`` hands out what is complete, ``send``
turns a response into bytes. ``RemoteProtocolError`` from ``next_message`` ends the connection.
"""

import enum
import re
from datetime import datetime
from typing import NamedTuple

from src.simulator.messages.requests import Request, StartApi
from src.simulator.messages.responses import Response
from src.simulator.messages.tables import (
    HIGHEST_VERSION,
    LOWEST_VERSION,
    Refusal,
    format_message,
    message_id_of,
    parse_request,
    request_name,
)
from src.simulator.messages.wire import (
    MAX_FRAME_BYTES,
    FrameBuffer,
    RemoteProtocolError,
    decode_fields,
    encode_fields,
)
from src.simulator.outbox.gateway_times import GatewayTimes

SIGN = b"API\0"
MAX_HELLO_BYTES = 4096
START_API_ID = 71
_VERSIONS = re.compile(r"v([0-9]{1,6})(?:\.\.([0-9]{1,6}))?(?: (.*))?", re.DOTALL)


class State(enum.Enum):
    """How far a session has come."""

    AWAITING_SIGN = enum.auto()
    AWAITING_VERSIONS = enum.auto()
    AWAITING_START = enum.auto()
    STARTED = enum.auto()


class Hello(NamedTuple):
    """The handshake is complete: answer with ``Session.hello``."""

    version: int
    connect_options: str


class Incoming(NamedTuple):
    """One whole frame after the handshake.

    ``content`` is None when the frame is to be ignored: a request before startApi, or a second
    startApi.
    """

    message_id: int
    name: str
    fields: tuple[str, ...]
    content: Request | Refusal | None


class Session:
    """Protocol state of one connection."""

    def __init__(
        self, server_version: int = HIGHEST_VERSION, times: GatewayTimes | None = None
    ) -> None:
        self._server_version = min(server_version, HIGHEST_VERSION)
        self._times = times or GatewayTimes()
        self._buffer = FrameBuffer()
        self.state = State.AWAITING_SIGN
        self.version = 0

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the socket, in any split."""
        self._buffer.feed(data)

    def next_message(self) -> Hello | Incoming | None:
        """The next complete message, or None until more bytes arrive.

        Raises: RemoteProtocolError if the peer does not speak the protocol.
        """
        if self.state is State.AWAITING_SIGN:
            self._read_sign()
        if self.state is State.AWAITING_SIGN:
            return None
        in_handshake = self.state is State.AWAITING_VERSIONS
        payload = self._buffer.next_payload(MAX_HELLO_BYTES if in_handshake else MAX_FRAME_BYTES)
        if payload is None:
            return None
        if in_handshake:
            return self._read_versions(payload)
        return self._read_request(decode_fields(payload))

    def hello(self, at_utc: datetime) -> bytes:
        """The answer to the handshake: version and connection time."""
        return encode_fields((str(self.version), self._times.greeting(at_utc)))

    def send(self, message: Response) -> bytes:
        """One response as bytes of the negotiated version.

        Raises: LocalProtocolError if it cannot be written: a bug on this side.
        """
        return encode_fields(format_message(message, self.version))

    def _read_sign(self) -> None:
        start = self._buffer.peek(len(SIGN))
        if not SIGN.startswith(start):
            raise RemoteProtocolError(f"expected {SIGN!r}, received {start!r}")
        if self._buffer.take(len(SIGN)) is not None:
            self.state = State.AWAITING_VERSIONS

    def _read_versions(self, payload: bytes) -> Hello:
        text = payload.decode("utf-8", errors="backslashreplace").removesuffix("\0")
        match = _VERSIONS.fullmatch(text)
        if match is None:
            raise RemoteProtocolError(f"expected versions such as v157..178, received {text!r}")
        lowest, highest = int(match[1]), int(match[2] or match[1])
        if lowest > highest:
            raise RemoteProtocolError(f"client versions {lowest}..{highest} are upside down")
        version = min(highest, self._server_version)
        if version < max(lowest, LOWEST_VERSION):
            raise RemoteProtocolError(
                f"client speaks versions {lowest}..{highest},"
                f" server {LOWEST_VERSION}..{self._server_version}: no overlap"
            )
        self.version = version
        self.state = State.AWAITING_START
        return Hello(version=version, connect_options=match[3] or "")

    def _read_request(self, fields: tuple[str, ...]) -> Incoming:
        message_id = message_id_of(fields)
        content: Request | Refusal | None = parse_request(fields, self.version)
        is_start = message_id == START_API_ID
        if is_start == (self.state is State.STARTED):
            content = None
        elif isinstance(content, StartApi):
            self.state = State.STARTED
        return Incoming(
            message_id=message_id, name=request_name(message_id), fields=fields, content=content
        )
