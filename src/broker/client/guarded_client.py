"""The library's socket client, made safe: what may leave, what may come in, what has left.

- Outgoing messages pass the allow-list of ``outgoing`` twice: before they are queued, and again
  at the socket, so that no caller can reach the wire around it.
- Incoming frames have a length limit, and a broken handshake ends the connection at once instead
  of at the time limit.
- ``left`` tells when a message has passed the library's own queue.
"""

# ruff: noqa: N802, N803 - the library's names

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from ib_async.client import Client
from ib_async.connection import Connection
from ib_async.contract import Contract

from src.base.accounts import unreadable_accounts
from src.base.errors import Refused
from src.base.known_accounts import learn_accounts
from src.broker.client.strict_decoder import StrictDecoder
from src.broker.wire.frames import FrameReader, FrameTooLongError
from src.broker.wire.outgoing import check_outgoing
from src.broker.wire.pacing import BURST_MESSAGES, calm_sec, drain_sec, wait_sec
from src.core.calendar.broker_time import read_gateway_zone

if TYPE_CHECKING:
    from src.broker.client.listener import Listener

_MISREAD_VERSION: Final = 158  # the library expects one field of 159 there
_PREFIX_BYTES: Final = 4
_SLOWEST_REQUESTS: Final = 10

log = logging.getLogger(__name__)


class NeverLeftError(ConnectionError):
    """The connection ended while the message still waited in the queue: it provably stayed."""


class Progress(IntEnum):
    """How far the last attempt to connect came."""

    NOTHING = 0
    CONNECTED = 1
    ANSWERED = 2
    READY = 3


class _GuardedConnection(Connection):
    """The socket; checks every message once more before its bytes are written."""

    def __init__(self, client: GuardedClient) -> None:
        super().__init__()
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002
        """The TCP connection stands."""
        self._client.progress = Progress.CONNECTED

    def sendMsg(self, msg: bytes) -> None:
        if not msg.startswith(b"API\0"):
            text = msg[_PREFIX_BYTES:].decode(errors="replace")
            self._client.check(text)
        super().sendMsg(msg)


class GuardedClient(Client):
    """One connection. ``fault`` says in plain words why it broke, ``progress`` how far it came.

    ``unusable`` says why an account that is to be read cannot be, by its id. ``desk_account`` is
    the one whose orders may leave; empty while no order desk is open.
    """

    MaxRequests = BURST_MESSAGES

    def __init__(self, wrapper: Listener, accounts: Sequence[str]) -> None:
        self._queued = 0
        self._leaving: list[tuple[int, asyncio.Future[None]]] = []
        self._frames = FrameReader()
        self._timer: asyncio.TimerHandle | None = None
        self._broken: asyncio.Future[None] | None = None
        self.accounts = tuple(accounts)
        self.unusable: dict[str, str] = {}
        self.desk_account = ""
        self.may_cancel: frozenset[int] = frozenset()
        self.what_if_violation: Callable[[str], str] | None = None
        self.fault = ""
        self.progress = Progress.NOTHING
        self.logged_in = asyncio.Event()
        super().__init__(wrapper)
        wrapper.client = self
        self.decoder = self.strict_decoder = StrictDecoder(wrapper)
        self.conn = _GuardedConnection(self)
        self.conn.hasData += self._onSocketHasData
        self.conn.disconnected += self._onSocketDisconnected

    # --- connecting -------------------------------------------------------------------------

    async def connectAsync(
        self, host: str, port: int, clientId: int, timeout: float | None = 2.0
    ) -> None:
        """Connect and log in; ends as soon as the handshake is known to have failed.

        Raises: ConnectionError when the gateway ends it; Refused when each configured account is a
        master or not one of the login's, before anything is asked about any account.
        """
        broken = self._broken = asyncio.get_running_loop().create_future()
        starting = asyncio.ensure_future(super().connectAsync(host, port, clientId, timeout))
        try:
            await asyncio.wait({starting, broken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not starting.done():
                starting.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await starting
        if broken.done():
            if starting.done() and not starting.cancelled():
                starting.exception()
            raise ConnectionError(self.fault)
        await starting
        self._check_accounts()
        self.logged_in.set()

    def break_off(self, reason: str) -> None:
        """End the connection because of what the gateway sent."""
        self.fault = self.fault or reason
        self.conn.disconnect()
        self._onSocketDisconnected(reason)

    def _check_accounts(self) -> None:
        login = [account.strip() for account in self.getAccounts()]
        self.unusable = unreadable_accounts(self.accounts, login)
        if len(self.unusable) == len(self.accounts):
            raise Refused("; ".join(self.unusable.values()))

    # --- sending ----------------------------------------------------------------------------

    def send(self, *fields: Any, makeEmpty: bool = True) -> None:  # noqa: ANN401
        """Send one message. Raises: Refused for text that would shift the fields of the wire."""
        if any("\0" in text for text in _texts(fields)):
            raise Refused("blocked a message: a text in it contains NUL")
        super().send(*fields, makeEmpty=makeEmpty)

    def check(self, message: str) -> None:
        """Raises: Refused for a message that may not leave now."""
        check_outgoing(
            message,
            desk_account=self.desk_account,
            may_cancel=self.may_cancel,
            what_if_violation=self.what_if_violation,
        )

    def sendMsg(self, msg: str | None) -> None:
        """Queue one message; without one, send what the throttle lets go.

        Raises: Refused for a message that is not on the allow-list.
        """
        if msg:
            self.check(msg)
            self._queued += 1
            self._msgQ.append(msg)
        self._pump()

    def _pump(self) -> None:
        """Send what may leave now, and come back for the rest."""
        loop = asyncio.get_running_loop()
        while self._msgQ and (wait := wait_sec(self._timeQ, loop.time(), self.MaxRequests)) <= 0:
            self._timeQ.append(loop.time())
            self.conn.sendMsg(self._prefix(self._msgQ.popleft().encode()))
        while len(self._timeQ) > self.MaxRequests:
            self._timeQ.popleft()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(wait, self._pump) if self._msgQ else None
        self._note_left()

    async def left(self) -> None:
        """Wait until all that was sent so far has left the library's queue.

        Raises: ConnectionError when the connection ends first, NeverLeftError if what was sent
        last was still queued then.
        """
        if not self.isConnected():
            raise ConnectionError(self.fault or "not connected")
        if not self._msgQ:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._leaving.append((self._queued, waiting))
        await waiting

    async def calm(self, messages: int) -> None:
        """Wait until so many messages can leave at once; seconds at most."""
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(calm_sec(self._timeQ, now, self.MaxRequests, messages))

    def queue_sec(self, messages: int) -> float:
        """The time the throttle may take until so many further messages have left."""
        now = asyncio.get_running_loop().time()
        return drain_sec(self._timeQ, now, self.MaxRequests, len(self._msgQ) + messages)

    def _note_left(self) -> None:
        sent = self._queued - len(self._msgQ)
        while self._leaving and self._leaving[0][0] <= sent:
            _, waiting = self._leaving.pop(0)
            if not waiting.done():
                waiting.set_result(None)

    def reset(self) -> None:
        """Forget everything about the connection; who waits for the queue learns of the loss."""
        super().reset()
        self._frames = FrameReader()
        self._queued = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lost, self._leaving = self._leaving, []
        for _, waiting in lost:
            if not waiting.done():
                waiting.set_exception(NeverLeftError(self.fault or "connection closed"))

    def slow_down(self) -> None:
        """The broker says we are too fast: a third less from now on."""
        self.MaxRequests = max(_SLOWEST_REQUESTS, self.MaxRequests * 2 // 3)
        log.warning("pacing reduced messages_per_sec=%d", self.MaxRequests)

    # --- receiving --------------------------------------------------------------------------

    def _onSocketHasData(self, data: bytes) -> None:
        self._numBytesRecv += len(data)
        try:
            for frame in self._frames.feed(data):
                if self.connState == Client.DISCONNECTED:
                    return
                self._numMsgRecv += 1
                self._on_fields(frame.decode(errors="backslashreplace").split("\0")[:-1])
        except FrameTooLongError as error:
            self.break_off(f"sent a damaged message ({error})")

    def _on_fields(self, fields: list[str]) -> None:
        if not self._serverVersion:
            self._on_handshake(fields)
            return
        if not self._apiReady:
            self._on_login(fields)
        self.decoder.interpret(fields)

    def _on_handshake(self, fields: list[str]) -> None:
        version = int(fields[0]) if fields and fields[0].isdecimal() else 0
        if not version or len(fields[0]) > _PREFIX_BYTES:
            self.break_off("answered the handshake with something that is not a server version")
        elif version < self.MinClientVersion or version == _MISREAD_VERSION:
            self.break_off(
                f"speaks server version {version}; this program needs"
                f" {self.MinClientVersion + 2} or newer: update TWS or IB Gateway"
            )
        elif version > self.MaxClientVersion:
            self.break_off(
                f"speaks server version {version}; this program knows none above"
                f" {self.MaxClientVersion}: update this program"
            )
        else:
            self._serverVersion = self.decoder.serverVersion = version
            self.strict_decoder.gateway_zone = read_gateway_zone("".join(fields[1:2]))
            self.connState = Client.CONNECTED
            self.progress = Progress.ANSWERED
            self.startApi()

    def _on_login(self, fields: list[str]) -> None:
        """Wait for both the accounts and the next order id; only then is the client ready."""
        kind, value = (fields[0], fields[2]) if len(fields) > 2 else ("", "")  # noqa: PLR2004
        if kind == "9" and value.isdecimal():
            self.updateReqId(int(value))
            self._hasReqId = True
        elif kind == "15":
            self._accounts = [account for account in value.split(",") if account.strip()]
            learn_accounts(self._accounts)
        if self._hasReqId and self._accounts:
            self._apiReady = True
            self.progress = Progress.READY
            self.apiStart.emit()

    def _onSocketDisconnected(self, msg: str) -> None:
        self.fault = self.fault or msg or "closed the connection"
        super()._onSocketDisconnected(msg)
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(None)


def _texts(fields: tuple[Any, ...]) -> list[str]:
    """Every text of a message, also inside contracts and tag lists."""
    found = [field for field in fields if isinstance(field, str)]
    for field in fields:
        if isinstance(field, Contract):
            found += [text for text in vars(field).values() if isinstance(text, str)]
        elif isinstance(field, list):
            found += [str(text) for tag in field for text in vars(tag).values()]
    return found
