"""The border between the library's objects and our records: floats and their sentinels end here.

A number the broker left out arrives as NaN or as 1.797e308; ``known`` makes it None. Text from the
broker is made printable before it enters a record.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ib_async.contract import Contract, TagValue
from ib_async.order import Order

from src.base.text import printable
from src.broker.client.account_book import HeldRow
from src.core.calendar.sessions import parse_sessions
from src.core.orders.events import CommissionSeen
from src.core.records.market import Listing, Session
from src.core.records.orders import (
    CompletedOrder,
    Fill,
    ForeignAmount,
    OrderRequest,
    OrderStyle,
    Side,
    WorkingOrder,
)
from src.core.showing.spelling import ticker_of

if TYPE_CHECKING:
    from ib_async.contract import ContractDetails
    from ib_async.objects import CommissionReport, Execution
    from ib_async.order import OrderState

_UNSET_NUMBER: Final = Decimal(10) ** 300
_UNSET_INTEGER: Final = 2_147_483_647
_TEXT_LIMIT: Final = 500
_EPOCH_DIGITS: Final = 10
_NO_TIME: Final = "0"
_SHARE_DECIMALS: Final = 8  # the broker's finest step is 0.0001 share
_BREAK: Final = re.compile(r"\s*<br\s*/?>\s*", re.IGNORECASE)
_SIDES: Final = {"BOT": Side.BUY, "SLD": Side.SELL, "BUY": Side.BUY, "SELL": Side.SELL}


# --- numbers and text -----------------------------------------------------------------------


def exact(value: float | Decimal) -> Decimal:
    """The decimal that was on the wire; NaN and infinity stay what they are."""
    number = float(value)
    return Decimal(int(number)) if number.is_integer() else Decimal(repr(number))


def shares(value: float | Decimal) -> Decimal:
    """A quantity without the noise of binary sums: 158.43200000000002 is 158.432."""
    return exact(round(float(value), _SHARE_DECIMALS))


def known(value: float | Decimal) -> Decimal | None:
    """A number the broker really sent; None for NaN, infinity and its "unset" sentinel."""
    number = exact(value)
    return number if number.is_finite() and abs(number) < _UNSET_NUMBER else None


def positive(value: float) -> Decimal | None:
    """A known number above zero, otherwise None: no price is 0 or −1."""
    number = known(value)
    return number if number is not None and number > 0 else None


def clean(text: str) -> str:
    """Text of the broker on one printable line; its line breaks of web pages become spaces."""
    return printable(_BREAK.sub(" ", text).strip(), limit=_TEXT_LIMIT)


def execution_epoch(moment: datetime | None) -> str:
    """An execution's time as the library takes it unchanged; ``_NO_TIME`` when it is in doubt."""
    return str(int(moment.timestamp())) if moment is not None else _NO_TIME


def utc_from_epoch(text: str) -> datetime | None:
    """A tick's time in seconds since 1970; None when absent or absurd."""
    is_time = text.isascii() and text.isdigit() and len(text) <= _EPOCH_DIGITS
    seconds = int(text) if is_time else 0
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds else None


# --- contracts ------------------------------------------------------------------------------


def lookup_contract(symbol: str) -> Contract:
    """The question "what is this symbol as a USD stock or ETF, smart-routed?"."""
    return Contract(symbol=symbol, secType="STK", exchange="SMART", currency="USD")


def contract_of_id(con_id: int, exchange: str = "") -> Contract:
    """The question "what is the instrument of this contract id?", whatever it may be."""
    return Contract(conId=con_id, exchange=exchange)


def known_contract(con_id: int, symbol: str) -> Contract:
    """A qualified instrument, smart-routed in USD."""
    ticker = ticker_of(symbol)
    return Contract(conId=con_id, symbol=ticker, secType="STK", exchange="SMART", currency="USD")


def listing_from(details: ContractDetails) -> Listing:
    """A listing; hours that cannot be read count as no session at all, so nothing trades."""
    contract = details.contract or Contract()
    regular, problem = _sessions(details.liquidHours, details.timeZoneId)
    extended, other_problem = _sessions(details.tradingHours, details.timeZoneId)
    return Listing(
        con_id=contract.conId,
        symbol=clean(contract.symbol),
        long_name=clean(details.longName),
        primary_exchange=clean(contract.primaryExchange),
        stock_type=clean(details.stockType),
        order_types=tuple(clean(word) for word in details.orderTypes.split(",") if word),
        regular_sessions=regular,
        extended_sessions=extended,
        hours_problem=problem or other_problem,
        time_zone=clean(details.timeZoneId),
    )


def described(contract: Contract, long_name: str = "") -> str:
    """A contract in words, for lists of candidates."""
    place = contract.primaryExchange or contract.exchange
    words = (contract.symbol, contract.secType, contract.currency, place)
    text = " ".join(word for word in words if word)
    return clean(f"{text} ({long_name})" if long_name else text)


def _sessions(hours: str, time_zone: str) -> tuple[tuple[Session, ...], str]:
    """The sessions, or none and what could not be read."""
    try:
        return parse_sessions(hours, time_zone), ""
    except ValueError as error:
        return (), clean(str(error))


# --- orders ---------------------------------------------------------------------------------


def order_from(request: OrderRequest) -> Order:
    """The order as the broker wants it: market or MIDPRICE, DAY, with account and our ref."""
    is_midprice = request.style is OrderStyle.MIDPRICE
    order = Order(
        orderId=request.order_id,
        action=request.side.value,
        totalQuantity=float(request.qty_shares),
        orderType="MIDPRICE" if is_midprice else "MKT",
        tif="DAY",
        account=request.account_id,
        orderRef=request.order_ref,
        outsideRth=request.outside_rth,
        transmit=True,
    )
    if request.style is OrderStyle.ADAPTIVE:
        order.algoStrategy = "Adaptive"
        order.algoParams = [
            TagValue("adaptivePriority", request.adaptive_priority.capitalize()),
        ]
    if request.qty_shares == request.qty_shares.to_integral_value():
        order.totalQuantity = int(request.qty_shares)
    return order


def working_order(contract: Contract, order: Order, state: OrderState) -> WorkingOrder:
    """An open order as the broker reports it; a quantity it left out is 0."""
    return WorkingOrder(
        account_id=clean(order.account),
        order_id=order.orderId,
        client_id=order.clientId,
        perm_id=order.permId,
        order_ref=clean(order.orderRef),
        con_id=contract.conId,
        symbol=clean(contract.symbol),
        side=clean(order.action),
        qty_shares=known(shares(order.totalQuantity)) or Decimal(0),
        status=clean(state.status),
    )


def completed_order(contract: Contract, order: Order, state: OrderState) -> CompletedOrder:
    """A finished order; what it filled stands in ``filledQuantity``, not in the quantity."""
    return CompletedOrder(
        account_id=clean(order.account),
        perm_id=order.permId,
        order_ref=clean(order.orderRef),
        con_id=contract.conId,
        symbol=clean(contract.symbol),
        side=clean(order.action),
        filled_shares=known(shares(order.filledQuantity)) or Decimal(0),
        status=clean(state.status),
        completed_status=clean(state.completedStatus),
    )


def fill_from(contract: Contract, execution: Execution) -> Fill:
    """One execution without its commission, which comes in a message of its own.

    A quantity of 0 is a correction that takes the execution back.
    Raises: ValueError when side, quantity or price is not a figure to book.
    """
    qty, price = known(shares(execution.shares)), known(execution.price)
    side = _SIDES.get(execution.side)
    if side is None or qty is None or price is None or qty < 0 or (qty and price <= 0):
        raise ValueError("execution without side, quantity or price")
    return Fill(
        account_id=clean(execution.acctNumber),
        order_ref=clean(execution.orderRef),
        exec_id=clean(execution.execId),
        order_id=0 if execution.orderId == _UNSET_INTEGER else execution.orderId,
        client_id=execution.clientId,
        perm_id=execution.permId,
        con_id=contract.conId,
        symbol=clean(contract.symbol),
        side=side,
        qty_shares=qty,
        price_usd=price,
        at_utc=execution.time.astimezone(timezone.utc) if execution.time.timestamp() else None,
    )


def commission_from(report: CommissionReport) -> CommissionSeen:
    """What one execution cost, in the currency named; None when the broker left the amount out."""
    exec_id, amount = clean(report.execId), known(report.commission)
    currency = clean(report.currency).upper()
    if amount is None or currency in {"", "USD"}:
        return CommissionSeen(exec_id=exec_id, commission_usd=amount)
    foreign = ForeignAmount(amount=amount, currency=currency)
    return CommissionSeen(exec_id=exec_id, commission_usd=None, foreign_commission=foreign)


def held_row(
    contract: Contract,
    quantity: float,
    *,
    avg_cost: Decimal | None,
    price: Decimal | None = None,
    value: Decimal | None = None,
) -> HeldRow:
    """One row of a positions or portfolio message, as it came."""
    return HeldRow(
        con_id=contract.conId,
        symbol=clean(contract.symbol).upper(),
        sec_type=clean(contract.secType),
        currency=clean(contract.currency),
        qty=shares(quantity),
        avg_cost=avg_cost,
        price=price,
        value=value,
    )
