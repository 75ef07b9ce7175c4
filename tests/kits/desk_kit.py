"""An order desk over the real client: a permit for two lines, and events until one fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal

from src.broker.ibkr_client import IbkrSession
from src.broker.sending.order_desk import IbkrOrderDesk
from src.core.orders.events import BrokerEvent, FillSeen, StatusSeen
from src.core.orders.ref import make_order_ref
from src.core.permission.permit import TradePermit
from src.core.records.orders import OrderRequest, OrderStyle, Side
from src.core.records.plan import OrderTicket
from tests.kits.exchange_kit import ACCOUNT

RUN_ID = "20250131T143000Z"
PREFIX = "IBRSIM"


def permit(lines: int = 2, account_id: str = ACCOUNT) -> TradePermit:
    """Sell 10 SPY, then buy 10 IAU as often as there are further lines."""
    sell = OrderTicket(
        con_id=1,
        symbol="SPY",
        side=Side.SELL,
        qty_shares=Decimal(10),
        est_price_usd=Decimal(600),
        est_value_usd=Decimal(6000),
    )
    buy = OrderTicket(
        con_id=2,
        symbol="IAU",
        side=Side.BUY,
        qty_shares=Decimal(10),
        est_price_usd=Decimal(60),
        est_value_usd=Decimal(600),
    )
    return TradePermit(
        account_id=account_id,
        allow_live=False,
        run_id=RUN_ID,
        order_prefix=PREFIX,
        plan_hash="00" * 32,
        tickets=(sell, *[buy] * (lines - 1)),
        held_shares={1: Decimal(20)},
        max_order_usd=Decimal(0),
        max_run_usd=Decimal(0),
        max_orders=1000,
        granted_at_utc=datetime.now(timezone.utc),
        first_order_within_sec=Decimal(100),
        lifetime_sec=Decimal(1000),
    )


def order(desk: IbkrOrderDesk, line: int = 1, **changes: object) -> OrderRequest:
    """The order of one line of the permit, with a fresh id."""
    is_sell = line == 1
    values: dict[str, object] = {
        "order_ref": make_order_ref(PREFIX, RUN_ID, line, 1),
        "order_id": desk.claim_order_id(1),
        "account_id": ACCOUNT,
        "con_id": 1 if is_sell else 2,
        "symbol": "SPY" if is_sell else "IAU",
        "side": Side.SELL if is_sell else Side.BUY,
        "qty_shares": Decimal(10),
        "style": OrderStyle.PLAIN,
    }
    return OrderRequest(**{**values, **changes})  # type: ignore[arg-type]


def desk_of(session: IbkrSession, lines: int = 2) -> IbkrOrderDesk:
    """The desk of the two-line permit."""
    return session.open_order_desk(permit(lines))


async def events_until(
    desk: IbkrOrderDesk, is_last: Callable[[BrokerEvent], bool]
) -> list[BrokerEvent]:
    """Everything the desk reports up to the event that fits."""
    events: list[BrokerEvent] = []
    while not events or not is_last(events[-1]):
        events.append(await asyncio.wait_for(desk.next_event(), 5))
    return events


def has_status(word: str) -> Callable[[BrokerEvent], bool]:
    """Fits a status message of that word."""
    return lambda event: isinstance(event, StatusSeen) and event.status == word


def filled(events: list[BrokerEvent]) -> Decimal:
    """Shares over all executions, each counted once."""
    seen = {
        event.fill.exec_id: event.fill.qty_shares for event in events if isinstance(event, FillSeen)
    }
    return sum(seen.values(), Decimal(0))
