"""Open the session a run talks to: the broker of the settings, or the embedded simulated gateway.

With the simulated gateway the rest of the program cannot tell the difference: it runs in the same
event loop, listens on a free loopback port, and is reached through the same client.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from src.base.errors import ClientIdTaken
from src.base.settings import IbkrSettings, Settings
from src.terminal.options import Rehearsal
from src.terminal.screen import is_terminal

if TYPE_CHECKING:
    from src.base.waits import Waits
    from src.broker.ibkr_client import IbkrSession
    from src.broker.ports import HeadStart
    from src.broker.reading.market_reader import MarketReader

_S = TypeVar("_S")
SAMPLE: Final = Rehearsal()
_IDS_BESIDE: Final = 9
_HIGHEST_CLIENT_ID: Final = 2**31 - 1


@asynccontextmanager
async def open_session(
    settings: Settings,
    *others: Settings,
    simulate: bool = False,
    trading: bool = False,
    rehearsal: Rehearsal = SAMPLE,
    head_start: HeadStart | None = None,
) -> AsyncIterator[IbkrSession]:
    """A connected session; ``trading`` says that it may open an order desk later.

    ``rehearsal`` is what the simulated gateway plays. ``head_start`` is done while the gateway
    answers. The accounts of ``others`` are read over the same connection.
    Raises: BrokerLost, Refused; InputError for a scenario that cannot be used.
    """
    from src.broker.ibkr_client import connect

    async with reach_broker(
        settings, simulate=simulate, rehearsal=rehearsal, trading=trading
    ) as ibkr:
        with _waits() as waits:
            opening = connect(
                ibkr,
                *_ids(settings, *others),
                contracts=settings.contracts,
                trading=trading,
                head_start=head_start,
                waits=waits,
            )
            async with opening as session:
                yield session


@asynccontextmanager
async def reach_broker(
    settings: Settings, *, simulate: bool, rehearsal: Rehearsal = SAMPLE, trading: bool = False
) -> AsyncIterator[IbkrSettings]:
    """Where the broker is: as the settings say, or the embedded gateway while the block runs."""
    if not simulate:
        yield settings.ibkr
        return
    from src.app.proposing.simulated import rehearsing

    async with rehearsing(rehearsal, trading=trading) as gateway:
        known = [one.account_id for one in gateway.exchange.scenario.accounts]
        account = settings.ibkr.account_id
        yield settings.ibkr._replace(
            host=gateway.host,
            port=gateway.port,
            account_id=account if account in known else known[0],
            allow_live=False,
        )


@asynccontextmanager
async def open_session_to_look(
    settings: Settings,
    *others: Settings,
    simulate: bool = False,
    rehearsal: Rehearsal = SAMPLE,
    head_start: HeadStart | None = None,
) -> AsyncIterator[IbkrSession]:
    """A session that never trades, under the next free client id where ours is in use.

    ``client_note`` says so. Another run may be under way, and looking does it no harm.
    Raises: as ``open_session``; ClientIdTaken, for the client id of the settings, when all are.
    """
    ids = client_ids_beside(settings.ibkr.client_id)
    opened = partial(open_session, simulate=simulate, rehearsal=rehearsal, head_start=head_start)
    async with AsyncExitStack() as stack:
        yield await _first_free(stack, (settings, *others), ids, opened)


def client_ids_beside(first: int) -> range:
    """The client id of the settings and those that follow, for what only looks."""
    return range(first, min(first + _IDS_BESIDE, _HIGHEST_CLIENT_ID) + 1)


@asynccontextmanager
async def open_session_to_check(
    settings: Settings,
    *others: Settings,
    simulate: bool = False,
    rehearsal: Rehearsal = SAMPLE,
) -> AsyncIterator[MarketReader]:
    """A session for ``--check``: it can only read, and disturbs no run beside it.

    Its client id is the first free of the nine that follow that of the settings, which stays free
    for a run (the nine before it where there are none above).
    Raises: as ``open_session_to_look``.
    """
    first = settings.ibkr.client_id
    step = 1 if first + _IDS_BESIDE <= _HIGHEST_CLIENT_ID else -1
    ids = range(first + step, first + step * (_IDS_BESIDE + 1), step)
    opened = partial(_reader, simulate=simulate, rehearsal=rehearsal)
    async with AsyncExitStack() as stack:
        yield await _first_free(stack, (settings, *others), ids, opened)


@asynccontextmanager
async def _reader(
    settings: Settings, *others: Settings, simulate: bool, rehearsal: Rehearsal
) -> AsyncIterator[MarketReader]:
    from src.broker.ibkr_client import connect_to_look

    async with reach_broker(settings, simulate=simulate, rehearsal=rehearsal) as ibkr:
        with _waits() as waits:
            ids = _ids(settings, *others)
            opening = connect_to_look(ibkr, *ids, contracts=settings.contracts, waits=waits)
            async with opening as reader:
                yield reader


def client_note(settings: Settings, session: IbkrSession, *, simulate: bool) -> tuple[str, ...]:
    """A sentence where this session has another client id than the settings say."""
    ours, taken = session.settings.client_id, settings.ibkr.client_id
    if simulate or ours == taken:
        return ()
    return (f"client id {taken} is in use (a run under way?): this one only looks, as {ours}",)


async def _first_free(
    stack: AsyncExitStack,
    accounts: Sequence[Settings],
    client_ids: Iterable[int],
    opened: Callable[..., AbstractAsyncContextManager[_S]],
) -> _S:
    settings, *others = accounts
    refusals: list[ClientIdTaken] = []
    for client_id in client_ids:
        placed = settings._replace(ibkr=settings.ibkr._replace(client_id=client_id))
        try:
            return await stack.enter_async_context(opened(placed, *others))
        except ClientIdTaken as error:
            refusals.append(error)
    raise refusals[0]


def _ids(*accounts: Settings) -> tuple[str, ...]:
    """The accounts to read; none stands for the one that is connected for."""
    return tuple(one.ibkr.account_id for one in accounts) if len(accounts) > 1 else ()


@contextmanager
def _waits() -> Iterator[Waits]:
    """What is waited for, shown where stderr is a terminal; elsewhere nobody looks."""
    from src.base.waits import Waits

    waits = Waits()
    if not is_terminal(sys.stderr):
        yield waits
        return
    from src.terminal.waiting import waits_shown

    with waits_shown(waits):
        yield waits
