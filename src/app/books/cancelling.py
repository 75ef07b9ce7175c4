"""``--recover --cancel``: end what orders of earlier runs still work, after a yes, one by one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from src.app.proposing.inputs import READ_ONLY_END, now_utc
from src.core.journal.events import CancelRequested
from src.core.orders.ref import parse_order_ref
from src.core.orders.state import Patience
from src.core.permission.cancel_permit import CancelPermit, cancellable, grant_cancels
from src.core.records.orders import OVER_WORDS, WorkingOrder
from src.core.run.open_orders import table_lines, working_row
from src.terminal.console import emit
from src.terminal.prompt import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src.app.books.account_books import AccountBooks
    from src.app.books.recovery import Recovery
    from src.base.settings import Settings
    from src.broker.ibkr_client import IbkrSession
    from src.terminal.options import Options

log = logging.getLogger(__name__)

REASON: Final = "cancelled on your word (--recover --cancel)"
WAIT_SEC: Final = float(Patience().cancel_sec)
"""As long as a live run waits for the end of what it cancelled."""
_PAUSE_SEC: Final = 0.25


async def cancel_working(
    options: Options, settings: Settings, books: AccountBooks, recovery: Recovery
) -> bool:
    """Show what works, ask, and cancel it; True when a cancel was sent.

    Raises: Refused, BrokerLost, JournalError.
    """
    orders = cancellable(recovery.still_open, recovery.working)
    if not orders:
        emit("No order of an earlier run is listed as working: there is nothing to cancel.")
        return False
    _show(orders, recovery)
    if settings.ibkr.read_only:
        emit(READ_ONLY_END)
        return False
    permits = grant_cancels(await ask(_question(len(orders), settings)), orders, settings)
    if not permits:
        emit("Nothing was cancelled.")
    for permit in permits:
        await _carry_out(permit, options, settings, books)
    return bool(permits)


def _show(orders: Sequence[WorkingOrder], recovery: Recovery) -> None:
    emit("These orders of earlier runs still work:")
    for line in table_lines(working_row(one, recovery.still_open) for one in orders):
        emit(line)


def _question(number: int, settings: Settings) -> str:
    if settings.ibkr.allow_live:
        return "Live trading is allowed. Type the full account id to cancel, Enter to stop: "
    return f"Cancel {'this order' if number == 1 else f'these {number} orders'}? [y/N]: "


async def _carry_out(
    permit: CancelPermit, options: Options, settings: Settings, books: AccountBooks
) -> None:
    """In a session of the client that placed the orders; on record before the request leaves."""
    from src.app.proposing.session import open_session

    placed_by = settings._replace(ibkr=settings.ibkr._replace(client_id=permit.client_id))
    async with open_session(
        placed_by, simulate=options.simulate, rehearsal=options.rehearsal, trading=True
    ) as session:
        desk = session.open_cancel_desk(permit)
        for order in await _still_working(session, permit):
            ref = parse_order_ref(order.order_ref)
            if ref is None:
                continue
            asked = CancelRequested(
                run_id=ref.run_id, at_utc=now_utc(), order_ref=order.order_ref, reason=REASON
            )
            books.journal.append(asked)
            await desk.cancel(order)
        await _await_end(session, permit)


async def _still_working(session: IbkrSession, permit: CancelPermit) -> list[WorkingOrder]:
    """The orders of the permit that did not end while the user was thinking."""
    listed = {
        (one.order_ref, one.order_id): one for one in await session.fetch_working_orders() or ()
    }
    found = [listed.get((one.order_ref, one.order_id)) for one in permit.orders]
    return [
        order
        for order, now in zip(permit.orders, found, strict=True)
        if now is not None and now.client_id == permit.client_id and now.status not in OVER_WORDS
    ]


async def _await_end(session: IbkrSession, permit: CancelPermit) -> None:
    """Until nothing of it is listed any more, or time is up."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + WAIT_SEC
    with session.waits.on("the end of what was cancelled", WAIT_SEC):
        while await _still_working(session, permit):
            if loop.time() >= ends_at:
                log.warning("the broker still lists what it was asked to cancel")
                return
            await asyncio.sleep(_PAUSE_SEC)
