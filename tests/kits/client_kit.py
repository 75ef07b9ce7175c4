"""The real client against the simulated gateway in one event loop: a scenario in, a result out."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar
from weakref import WeakKeyDictionary

from src.app.proposing.session import open_session
from src.base.settings import IbkrSettings, PricingSettings, Settings
from src.broker.ibkr_client import IbkrSession
from src.simulator.exchange import Exchange
from src.simulator.gateway.server import SimulatedGateway, utc_now
from src.simulator.scenario.records import Scenario, WireFaults
from tests.kits.exchange_kit import ACCOUNT, scenario

T = TypeVar("T")
TEST_LIMIT_SEC = 20
ORDER_MESSAGES = {"PlaceOrder", "CancelOrder", "ReqGlobalCancel", "ReqAutoOpenOrders"}
_GATEWAYS: WeakKeyDictionary[IbkrSession, SimulatedGateway] = WeakKeyDictionary()
QUICK = PricingSettings(price_timeout_sec=Decimal("0.6"))


def settings_for(
    port: int, *, timeout: str = "5", account_id: str = ACCOUNT, client_id: int = 42
) -> Settings:
    """Settings for a gateway on a loopback port."""
    ibkr = IbkrSettings(
        port=port,
        client_id=client_id,
        account_id=account_id,
        read_only=False,
        connect_timeout_sec=Decimal(timeout),
    )
    return Settings(ibkr=ibkr, models={})


@asynccontextmanager
async def gateway(setting: Scenario | None = None) -> AsyncIterator[SimulatedGateway]:
    """A simulated gateway on a free port."""
    async with SimulatedGateway(Exchange(setting or scenario(), utc_now())) as server:
        yield server


def talk(
    setting: Scenario, work: Callable[[IbkrSession], Awaitable[T]], *, timeout: str = "5"
) -> T:
    """Connect to a gateway with this scenario, do some work, and return its result."""

    async def main() -> T:
        async with gateway(setting) as server:
            settings = settings_for(server.port, timeout=timeout)
            async with open_session(settings, trading=True) as session:
                _GATEWAYS[session] = server
                return await work(session)

    return limited(main())


def limited(work: Awaitable[T]) -> T:
    """Run to the end, but not for ever."""

    async def main() -> T:
        return await asyncio.wait_for(work, TEST_LIMIT_SEC)

    return asyncio.run(main())


def with_wire(setting: Scenario, **faults: object) -> Scenario:
    """The same scenario with trouble on the wire."""
    return replace(setting, wire=replace(WireFaults(), **faults))  # type: ignore[arg-type]


class SendTimes(deque[float]):
    """When a client's messages left, by its own clock: a busy machine reads them late."""

    def __init__(self, session: IbkrSession) -> None:
        client = session._connection.link.client
        super().__init__(client._timeQ)
        self.times = list(self)
        client._timeQ = self

    def append(self, at_sec: float) -> None:
        self.times.append(at_sec)
        super().append(at_sec)

    def busiest_second(self) -> int:
        """The most messages that left within any second."""
        ends = (bisect_left(self.times, at + 1) for at in self.times)
        return max(end - index for index, end in enumerate(ends))


def gateway_of(session: IbkrSession) -> SimulatedGateway:
    """The gateway that a session of ``talk`` is connected to."""
    return _GATEWAYS[session]


def sent(server: SimulatedGateway) -> list[str]:
    """The names of all messages the gateway received."""
    return [record.name for record in server.wire_log]
