"""The simulated gateway on a loopback socket: the only module that waits for anything.

It carries bytes to a ``Session`` and requests to the exchange, writes what comes back, and keeps
one timer for what the exchange will do next. The exchange outlives connections and restarts of
the server.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Protocol, TextIO, final

from src.simulator.gateway.connection import Connection
from src.simulator.gateway.faults import FaultScript
from src.simulator.gateway.session import Hello, Incoming
from src.simulator.gateway.wire_log import WireLog, WireRecord
from src.simulator.messages.requests import Request, StartApi
from src.simulator.messages.responses import (
    CommissionReport,
    ErrorMessage,
    ExecDetails,
    OrderStatus,
)
from src.simulator.messages.tables import NO_ID, Refusal, request_id_of
from src.simulator.messages.wire import RemoteProtocolError
from src.simulator.outbox.delivery import Delivery
from src.simulator.scenario.records import Scenario

LOOPBACK_HOSTS = ("127.0.0.1", "::1")
CHUNK_BYTES = 65536
MAX_CONNECTIONS = 64
CLIENT_ID_IN_USE = 326
TOO_FAST = 100
_ORDER_NEWS = (OrderStatus, ExecDetails, CommissionReport)
SCRIPTED = "The simulated gateway answers so by scenario."

log = logging.getLogger(__name__)


class ExchangePort(Protocol):
    """What the server needs of an exchange; times are UTC and never go back."""

    @property
    def scenario(self) -> Scenario:
        """The scenario, for its wire faults."""

    def is_away(self, at_utc: datetime) -> bool:
        """Whether the gateway restarts: nobody stays connected."""

    def connect(self, client_id: int, at_utc: datetime) -> list[Delivery]:
        """A client has started its session."""

    def is_client_id_in_use(self, client_id: int) -> bool:
        """Whether a connected client has this id."""

    def disconnect(self, client_id: int) -> None:
        """A client is gone."""

    def handle(self, client_id: int, request: Request, at_utc: datetime) -> list[Delivery]:
        """Serve one request."""

    def advance(self, to_utc: datetime) -> list[Delivery]:
        """Do everything due until then."""

    def next_due_utc(self) -> datetime | None:
        """When ``advance`` has something to do again."""


def utc_now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(timezone.utc)


@final
class SimulatedGateway:
    """Serves one exchange to any number of clients of the TWS API, on loopback only.

    ``port`` 0 takes a free one; after ``start`` it is the real one and is kept over restarts.
    ``on_order_news`` is called before clients are told what became of an order.
    Raises: ValueError if ``host`` is not a loopback address; OSError from ``start`` if the port
    cannot be had.
    """

    def __init__(
        self,
        exchange: ExchangePort,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = utc_now,
        wire_log_file: TextIO | None = None,
    ) -> None:
        if host not in LOOPBACK_HOSTS:
            raise ValueError(f"host {host!r} is not a loopback address ({LOOPBACK_HOSTS[0]})")
        self.exchange = exchange
        self.host = host
        self.port = port
        self.log = WireLog(wire_log_file)
        self._clock = clock
        self.on_order_news: Callable[[], None] = lambda: None
        self._faults = FaultScript(exchange.scenario.wire)
        self._server: asyncio.AbstractServer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: dict[int, Connection] = {}

    @property
    def wire_log(self) -> list[WireRecord]:
        """Every message received so far, oldest first."""
        return self.log.records

    async def start(self) -> None:
        """Listen; returns when clients can connect."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._set_timer()
        log.info("gateway listening host=%s port=%s", self.host, self.port)

    async def stop(self) -> None:
        """Close the socket and all connections; the exchange keeps its state."""
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        self._server = self._timer = None

    async def __aenter__(self) -> "SimulatedGateway":
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def advance(self) -> None:
        """Let the exchange do what is due by now; the timer does this by itself."""
        try:
            self._deliver(self.exchange.advance(self._clock()))
        finally:
            self._set_timer()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.exchange.is_away(self._clock()):
            writer.transport.abort()
            return
        if len(self._tasks) >= MAX_CONNECTIONS:
            log.warning("connection refused, too many open count=%s", len(self._tasks))
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("connection ended by a bug of the gateway", exc_info=error)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer, self._faults, self.exchange.scenario)
        try:
            while not connection.is_closed and (data := await reader.read(CHUNK_BYTES)):
                if connection.accepts_only != "tcp":
                    connection.session.receive_data(data)
                    await self._read_messages(connection)
        except RemoteProtocolError as error:
            log.warning("connection closed, not the protocol: %s", error)
        except ConnectionError as error:
            log.info("connection lost: %s", error)
        finally:
            self._drop(connection)

    async def _read_messages(self, connection: Connection) -> None:
        while not connection.is_closed and (message := connection.session.next_message()):
            if isinstance(message, Hello):
                connection.greet(message, self._clock())
            elif await self._admit(connection, message):
                self._on_request(connection, message)

    async def _admit(self, connection: Connection, message: Incoming) -> bool:
        at_sec = asyncio.get_running_loop().time()
        self.log.add(
            WireRecord(
                at_utc=self._clock(),
                client_id=connection.client_id,
                message_id=message.message_id,
                name=message.name,
                fields=message.fields,
            )
        )
        self.log.note_rate(connection.rate.count(at_sec))
        admission = connection.pacing.admit(at_sec)
        if admission.wait_sec:
            await asyncio.sleep(admission.wait_sec)
        if admission.verdict == "serve":
            return True
        log.warning("message dropped, too many per second client_id=%s", connection.client_id)
        error = ErrorMessage(id=NO_ID, code=TOO_FAST, text=admission.text)
        connection.send([error], closes=admission.verdict == "close")
        return False

    def _on_request(self, connection: Connection, message: Incoming) -> None:
        if message.content is None or connection.accepts_only or connection.is_ending:
            return
        fate = self._faults.request_fate(message.name)
        if fate.handled:
            connection.is_stalled |= fate.stalls or fate.closes
            code = self._faults.error_instead(message.name)
            if code:
                about = request_id_of(message.fields)
                connection.send([ErrorMessage(id=about, code=code, text=SCRIPTED)])
            else:
                self._handle(connection, message.content)
        if fate.closes:
            connection.close()
        self._set_timer()

    def _handle(self, connection: Connection, content: Request | Refusal) -> None:
        now = self._clock()
        if isinstance(content, Refusal):
            connection.send(content.replies)
        elif isinstance(content, StartApi):
            self._start_session(connection, content.client_id, now)
        else:
            self.log.note_request(connection.client_id, content)
            self._deliver(self.exchange.handle(connection.client_id, content, now))

    def _start_session(self, connection: Connection, client_id: int, now: datetime) -> None:
        if self.exchange.is_client_id_in_use(client_id):
            text = "Unable to connect as the client id is already in use. Retry with a unique id."
            error = ErrorMessage(id=NO_ID, code=CLIENT_ID_IN_USE, text=text)
            connection.send([error], closes=True)
            return
        connection.client_id = client_id
        self._clients[client_id] = connection
        log.info("client started client_id=%s version=%s", client_id, connection.session.version)
        self._deliver(self.exchange.connect(client_id, now))

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        if any(isinstance(delivery.message, _ORDER_NEWS) for delivery in deliveries):
            self._tell_order_news()
        for client_id in dict.fromkeys(delivery.client_id for delivery in deliveries):
            messages = [item.message for item in deliveries if item.client_id == client_id]
            for message in messages:
                self.log.note_response(client_id, message)
            if client_id in self._clients:
                self._clients[client_id].send(messages)

    def _tell_order_news(self) -> None:
        try:
            self.on_order_news()
        except OSError as error:
            log.warning("what became of an order could not be kept: %s", error.strerror or error)

    def _drop(self, connection: Connection) -> None:
        connection.close()
        if self._clients.get(connection.client_id) is connection:
            del self._clients[connection.client_id]
            self.exchange.disconnect(connection.client_id)
            self.log.note_disconnect(connection.client_id)
            log.info("client gone client_id=%s", connection.client_id)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.exchange.is_away(self._clock()):
            for client in list(self._clients.values()):
                client.close()
        due = self.exchange.next_due_utc()
        if due is not None and self._server is not None:
            wait = max(due - self._clock(), timedelta(0)).total_seconds()
            self._timer = asyncio.get_running_loop().call_later(wait, self.advance)
