"""Open the session a run talks to: the broker of the settings, or the embedded simulated gateway.

With the simulated gateway the rest of the program cannot tell the difference: it runs in the same
event loop, listens on a free loopback port, and is reached through the same client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from src.errors import ClientIdTaken, Refused
from src.settings import Settings

if TYPE_CHECKING:
    from src.broker.ibkr_client import IbkrSession
    from src.broker.ports import HeadStart
    from src.simulator.scenario import Scenario
    from src.simulator.server import SimulatedGateway


_IDS_BESIDE: Final = 9
_HIGHEST_CLIENT_ID: Final = 2**31 - 1


@asynccontextmanager
async def open_session(
    settings: Settings,
    *,
    simulate: bool = False,
    trading: bool = False,
    scenario: Scenario | None = None,
    head_start: HeadStart | None = None,
) -> AsyncIterator[IbkrSession]:
    """A connected session; ``trading`` says that it may open an order desk later.

    ``scenario`` replaces the sample account of the simulated gateway. ``head_start`` is done
    while the gateway answers.
    Raises: BrokerLost, Refused.
    """
    from functools import partial

    from src.broker import ibkr_client

    connect = partial(
        ibkr_client.connect,
        contracts=settings.contracts,
        trading=trading,
        head_start=head_start,
    )
    if not simulate:
        async with connect(settings.ibkr) as session:
            yield session
        return
    scenario = scenario or _sample_scenario()
    async with _gateway(scenario) as gateway:
        ibkr = settings.ibkr._replace(
            host=gateway.host,
            port=gateway.port,
            account_id=scenario.accounts[0].account_id,
            allow_live=False,
        )
        async with connect(ibkr) as session:
            yield session


@asynccontextmanager
async def open_session_to_look(
    settings: Settings, *, simulate: bool = False, head_start: HeadStart | None = None
) -> AsyncIterator[IbkrSession]:
    """A session that never trades, under the next free client id where ours is in use.

    ``client_note`` says so. Another run may be under way, and looking does it no harm.
    Raises: as ``open_session``; ClientIdTaken, for the client id of the settings, when all are.
    """
    async with AsyncExitStack() as stack:
        yield await _first_free(stack, settings, simulate=simulate, head_start=head_start)


def client_note(settings: Settings, session: IbkrSession, *, simulate: bool) -> tuple[str, ...]:
    """A sentence where this session has another client id than the settings say."""
    ours, taken = session.settings.client_id, settings.ibkr.client_id
    if simulate or ours == taken:
        return ()
    return (f"client id {taken} is in use (a run under way?): this one only looks, as {ours}",)


async def _first_free(
    stack: AsyncExitStack, settings: Settings, *, simulate: bool, head_start: HeadStart | None
) -> IbkrSession:
    first = settings.ibkr.client_id
    refusals: list[ClientIdTaken] = []
    for client_id in range(first, min(first + _IDS_BESIDE, _HIGHEST_CLIENT_ID) + 1):
        placed = settings._replace(ibkr=settings.ibkr._replace(client_id=client_id))
        opening = open_session(placed, simulate=simulate, head_start=head_start)
        try:
            return await stack.enter_async_context(opening)
        except ClientIdTaken as error:
            refusals.append(error)
    raise refusals[0]


@asynccontextmanager
async def _gateway(scenario: Scenario) -> AsyncIterator[SimulatedGateway]:
    from src.simulator.exchange import Exchange
    from src.simulator.server import SimulatedGateway, utc_now

    async with SimulatedGateway(Exchange(scenario, utc_now())) as gateway:
        yield gateway


def _sample_scenario() -> Scenario:
    from src.simulator.scenario import ScenarioError, load_scenario

    try:
        return load_scenario()
    except ScenarioError as error:
        raise Refused(f"the simulated account cannot be used: {error}") from error
