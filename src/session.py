"""Open the session a run talks to: the broker of the settings, or the embedded simulated gateway.

With the simulated gateway the rest of the program cannot tell the difference: it runs in the same
event loop, listens on a free loopback port, and is reached through the same client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from src.errors import ClientIdTaken
from src.options import Rehearsal
from src.settings import Settings

if TYPE_CHECKING:
    from src.broker.ibkr_client import IbkrSession
    from src.broker.ports import HeadStart
    from src.simulator.scenario import Scenario
    from src.simulator.server import SimulatedGateway


SAMPLE: Final = Rehearsal()
_IDS_BESIDE: Final = 9
_HIGHEST_CLIENT_ID: Final = 2**31 - 1


@asynccontextmanager
async def open_session(
    settings: Settings,
    *,
    simulate: bool = False,
    trading: bool = False,
    rehearsal: Rehearsal = SAMPLE,
    head_start: HeadStart | None = None,
) -> AsyncIterator[IbkrSession]:
    """A connected session; ``trading`` says that it may open an order desk later.

    ``rehearsal`` is what the simulated gateway plays. ``head_start`` is done while the gateway
    answers.
    Raises: BrokerLost, Refused; InputError for a scenario that cannot be used.
    """
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
    from src.simulated import load_rehearsal

    scenario = load_rehearsal(rehearsal)
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
    settings: Settings,
    *,
    simulate: bool = False,
    rehearsal: Rehearsal = SAMPLE,
    head_start: HeadStart | None = None,
) -> AsyncIterator[IbkrSession]:
    """A session that never trades, under the next free client id where ours is in use.

    ``client_note`` says so. Another run may be under way, and looking does it no harm.
    Raises: as ``open_session``; ClientIdTaken, for the client id of the settings, when all are.
    """
    async with AsyncExitStack() as stack:
        opened = partial(
            open_session, simulate=simulate, rehearsal=rehearsal, head_start=head_start
        )
        yield await _first_free(stack, settings, opened)


def client_note(settings: Settings, session: IbkrSession, *, simulate: bool) -> tuple[str, ...]:
    """A sentence where this session has another client id than the settings say."""
    ours, taken = session.settings.client_id, settings.ibkr.client_id
    if simulate or ours == taken:
        return ()
    return (f"client id {taken} is in use (a run under way?): this one only looks, as {ours}",)


async def _first_free(
    stack: AsyncExitStack,
    settings: Settings,
    opened: Callable[[Settings], AbstractAsyncContextManager[IbkrSession]],
) -> IbkrSession:
    first = settings.ibkr.client_id
    refusals: list[ClientIdTaken] = []
    for client_id in range(first, min(first + _IDS_BESIDE, _HIGHEST_CLIENT_ID) + 1):
        placed = settings._replace(ibkr=settings.ibkr._replace(client_id=client_id))
        try:
            return await stack.enter_async_context(opened(placed))
        except ClientIdTaken as error:
            refusals.append(error)
    raise refusals[0]


@asynccontextmanager
async def _gateway(scenario: Scenario) -> AsyncIterator[SimulatedGateway]:
    from src.simulator.exchange import Exchange
    from src.simulator.server import SimulatedGateway, utc_now

    async with SimulatedGateway(Exchange(scenario, utc_now())) as gateway:
        yield gateway
