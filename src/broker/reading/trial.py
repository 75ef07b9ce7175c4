"""One attempt to connect, told step by step: for a doctor, who has to know how far it came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import tzinfo

from src.base.errors import BrokerLost, Refused
from src.base.settings import ContractChoices, IbkrSettings
from src.broker.client.guarded_client import Progress
from src.broker.reading.connection import BrokerConnection
from src.broker.reading.market_reader import MarketReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How far it came, and what ended it: without an ``error`` there is a ``view``."""

    progress: Progress
    server_version: int
    gateway_zone: tzinfo | None
    view: MarketReader | None = None
    error: BrokerLost | Refused | None = None


@asynccontextmanager
async def try_to_connect(
    settings: IbkrSettings, contracts: ContractChoices
) -> AsyncIterator[Trial]:
    """Connect and download the account as a run does; nothing is raised for what goes wrong."""
    connection = BrokerConnection(settings, contracts)
    error: BrokerLost | Refused | None = None
    try:
        try:
            await connection.open()
        except (BrokerLost, Refused) as found:
            error = found
        client = connection.link.client
        yield Trial(
            progress=client.progress,
            server_version=client.strict_decoder.serverVersion,
            gateway_zone=client.strict_decoder.gateway_zone,
            view=None if error else MarketReader(connection),
            error=error,
        )
    finally:
        connection.close()
