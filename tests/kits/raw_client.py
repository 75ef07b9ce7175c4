"""A client of scripted bytes, and a tiny exchange, for tests of the server alone."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TextIO

from src.simulator.gateway.server import SimulatedGateway
from src.simulator.messages.account import ManagedAccounts, PositionEnd
from src.simulator.messages.requests import ReqCurrentTime, ReqPositions, Request
from src.simulator.messages.responses import CurrentTime, NextValidId, Response
from src.simulator.messages.tables import parse_response
from src.simulator.messages.wire import decode_fields, encode_fields, frame
from src.simulator.outbox.delivery import Delivery, deliver
from src.simulator.scenario.faults import WireFaults
from src.simulator.scenario.records import AccountSetup, Scenario

HELLO = b"API\0" + frame(b"v157..178")
TIMEOUT_SEC = 5.0
ASK_TIME = encode_fields(("49", "1"))
ASK_POSITIONS = encode_fields(("61", "1"))
THE_TIME = CurrentTime(epoch_sec=7)


def start_api(client_id: int = 1) -> bytes:
    return encode_fields(("71", "2", str(client_id), ""))


class TinyExchange:
    """Answers the time and an empty list of positions; remembers what it was asked."""

    def __init__(self, wire: WireFaults | None = None) -> None:
        account = AccountSetup(account_id="DU1234567")
        self.scenario = Scenario(accounts=(account,), wire=wire or WireFaults())
        self.requests: list[Request] = []
        self.clients: set[int] = set()
        self.on_handle: Callable[[], None] = lambda: None
        self.due: list[tuple[datetime, Delivery]] = []
        self.gone = asyncio.Event()
        self.away = False

    def is_away(self, at_utc: datetime) -> bool:
        return self.away

    def connect(self, client_id: int, at_utc: datetime) -> list[Delivery]:
        self.clients.add(client_id)
        return deliver(client_id, ManagedAccounts(accounts="DU1"), NextValidId(order_id=1))

    def is_client_id_in_use(self, client_id: int) -> bool:
        return client_id in self.clients

    def disconnect(self, client_id: int) -> None:
        self.clients.discard(client_id)
        self.gone.set()

    def handle(self, client_id: int, request: Request, at_utc: datetime) -> list[Delivery]:
        self.on_handle()
        self.requests.append(request)
        if isinstance(request, ReqCurrentTime):
            return deliver(client_id, THE_TIME)
        if isinstance(request, ReqPositions):
            return deliver(client_id, PositionEnd())
        return []

    def advance(self, to_utc: datetime) -> list[Delivery]:
        ready = [delivery for due, delivery in self.due if due <= to_utc]
        self.due = [entry for entry in self.due if entry[0] > to_utc]
        return ready

    def next_due_utc(self) -> datetime | None:
        return min((due for due, _ in self.due), default=None)


class RawClient:
    """Writes bytes as told, reads frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def fields(self) -> tuple[str, ...]:
        """The next frame."""
        length = await self._read(4)
        return decode_fields(await self._read(int.from_bytes(length, "big")))

    async def response(self, version: int = 178) -> Response:
        """The next message."""
        return parse_response(await self.fields(), version)

    async def start(self, client_id: int = 1) -> None:
        """Handshake and start in one packet, up to the next valid id."""
        await self.send(HELLO + start_api(client_id))
        await self.fields()
        assert await self.response() == ManagedAccounts(accounts="DU1")
        assert await self.response() == NextValidId(order_id=1)

    async def rest(self) -> bytes:
        """Everything until the server closes; a reset connection has nothing more to say."""
        try:
            return await asyncio.wait_for(self._reader.read(), TIMEOUT_SEC)
        except ConnectionError:
            return b""

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _read(self, count: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(count), TIMEOUT_SEC)


class Stage:
    """A gateway with a tiny exchange, and the clients that connect to it."""

    def __init__(self, wire: WireFaults | None = None, wire_log_file: TextIO | None = None) -> None:
        self.exchange = TinyExchange(wire)
        self.gateway = SimulatedGateway(self.exchange, wire_log_file=wire_log_file)
        self._clients: list[RawClient] = []

    async def connect(self) -> RawClient:
        """A new client, not greeted yet."""
        streams = await asyncio.open_connection(self.gateway.host, self.gateway.port)
        self._clients.append(RawClient(*streams))
        return self._clients[-1]

    async def play(self, scene: "Callable[[Stage], Awaitable[None]]") -> None:
        """Run a scene, then close everything."""
        async with self.gateway:
            await scene(self)
            await asyncio.gather(*(client.close() for client in self._clients))


def play(scene: Callable[[Stage], Awaitable[None]], wire: WireFaults | None = None) -> None:
    """Run one scene on a stage of its own."""

    async def run() -> None:
        await Stage(wire).play(scene)

    asyncio.run(run())
