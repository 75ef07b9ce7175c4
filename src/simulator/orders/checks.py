"""What TWS refuses before an order exists: one function per rule, the first complaint counts.

Such a refusal is an error with the order's id and nothing else; no order comes into being. What TWS
would accept and is not simulated is refused too: never accepted and ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from src.simulator.accounts.account import ZERO
from src.simulator.market.contracts import NOT_FOUND
from src.simulator.messages.requests import PlaceOrder
from src.simulator.orders.attributes import api_name, unmodelled
from src.simulator.orders.floor import Floor
from src.simulator.orders.queries import READ_ONLY
from src.simulator.orders.state import LiveOrder
from src.simulator.outbox.delivery import INVALID
from src.simulator.scenario.records import ContractSetup

_ORDER_TYPES = ("MKT", "LMT", "MIDPRICE")
# how the names of TWS's other order types begin
_OTHER_TYPES = (
    *("STP", "TRAIL", "PEG", "SNAP", "REL", "VOL", "VWAP", "BOX TOP", "PASSV", "MTL", "MOC"),
    *("LOC", "MIT", "LIT", "MKT PRT", "MKT TO LMT", "LMT + MKT"),
)
_TIMES_IN_FORCE = ("", "DAY", "GTC", "IOC", "FOK")
_ADAPTIVE_PRIORITIES = ("Urgent", "Normal", "Patient")
_ALGOS_FOR = ("MKT", "LMT")
_LARGEST = Decimal(10**9)


class Complaint(NamedTuple):
    """An error code with TWS's text; ``ends`` adds the status Cancelled.

    Some client libraries take 321 for a warning and wait on; that status ends it in all of them.
    """

    code: int
    text: str
    ends: bool = False


_Check: TypeAlias = Callable[[Floor, PlaceOrder], "Complaint | None"]


def check_order(floor: Floor, request: PlaceOrder) -> Complaint | None:
    """The first complaint about a new or changed order, or ``None``."""
    complaints = (check(floor, request) for check in _CHECKS)
    return next((found for found in complaints if found is not None), None)


def order_contract(floor: Floor, request: PlaceOrder) -> ContractSetup:
    """The contract of an order that has passed the checks."""
    return floor.contracts.find(request.contract)[0]


def _api_is_writable(floor: Floor, _request: PlaceOrder) -> Complaint | None:
    return _invalid(READ_ONLY) if floor.scenario.gateway.read_only_api else None


def _id_is_positive(_floor: Floor, request: PlaceOrder) -> Complaint | None:
    if 0 < request.order_id < 2**31 - 1:
        return None
    return _invalid(f"Invalid order id {request.order_id}")


def _contract_is_known(floor: Floor, request: PlaceOrder) -> Complaint | None:
    if not request.contract.exchange:
        return _invalid("Missing order exchange")
    found = [] if request.sec_id else floor.contracts.find(request.contract)
    if len(found) == 1:
        return None
    name = request.contract.symbol or request.contract.con_id
    ambiguous = f"The contract description specified for {name} is ambiguous."
    return Complaint(code=200, text=ambiguous if found else NOT_FOUND)


def _account_is_given(floor: Floor, request: PlaceOrder) -> Complaint | None:
    account = request.order.account
    if account in floor.accounts or (not account and len(floor.accounts) == 1):
        return None
    if not account:
        return Complaint(code=435, text="You must specify an account.")
    return _invalid(f"Invalid account code '{account}'.")


def _side_is_known(_floor: Floor, request: PlaceOrder) -> Complaint | None:
    action = request.order.action
    return None if action in ("BUY", "SELL") else _invalid(f"Invalid side '{action}'")


def _size_is_positive(_floor: Floor, request: PlaceOrder) -> Complaint | None:
    size = request.order.total_quantity
    if size is None or size.is_zero():
        return Complaint(code=434, text="The order size cannot be zero.")
    return None if _is_usable(size) else _invalid(f"Invalid order size {size}")


def _size_is_whole(floor: Floor, request: PlaceOrder) -> Complaint | None:
    size = request.order.total_quantity or ZERO
    contract = order_contract(floor, request)
    if floor.scenario.gateway.fractional_orders and size % contract.size_increment == 0:
        return None
    if size == size.to_integral_value():
        return None
    return Complaint(code=10243, text="Fractional-sized order cannot be placed via API.")


def _type_is_supported(floor: Floor, request: PlaceOrder) -> Complaint | None:
    kind, contract = request.order.order_type, order_contract(floor, request)
    is_midprice_possible = (
        contract.midprice and contract.sec_type == "STK" and request.contract.exchange == "SMART"
    )
    if kind in _ORDER_TYPES and (kind != "MIDPRICE" or is_midprice_possible):
        return None
    if kind not in _ORDER_TYPES and not kind.startswith(_OTHER_TYPES):
        text = "Error validating request.-'bF' : cause - Invalid order type was entered"
        return Complaint(code=321, text=text, ends=True)
    text = "Unsupported order type for this exchange and security type."
    return Complaint(code=387, text=text)


def _attributes_are_simulated(floor: Floor, request: PlaceOrder) -> Complaint | None:
    name = unmodelled(request.order)
    if name is None:
        return None
    parents = {live.order_id for live in floor.book.working()}
    if name == "parent_id" and request.order.parent_id not in parents:
        return Complaint(code=10006, text="Missing parent order.")
    refusal = _invalid(f"{api_name(name)} is not simulated, orders with it are refused")
    return refusal._replace(ends=True)


def _time_in_force_is_known(_floor: Floor, request: PlaceOrder) -> Complaint | None:
    tif = request.order.tif
    return None if tif in _TIMES_IN_FORCE else _invalid(f"Invalid time in force '{tif}'")


def _price_is_usable(floor: Floor, request: PlaceOrder) -> Complaint | None:
    order, limit = request.order, request.order.lmt_price
    if order.order_type == "MKT" and limit:
        return _invalid("lmtPrice: a market order has no limit price")._replace(ends=True)
    if limit and not _is_usable(limit):
        return _invalid(f"Invalid limit price {limit}")
    if order.order_type == "LMT" and not limit:
        return _invalid("A limit order needs a limit price")
    if limit and limit % order_contract(floor, request).min_tick:
        text = "The price does not conform to the minimum price variation for this contract."
        return Complaint(code=110, text=text)
    return None


def _algo_is_usable(floor: Floor, request: PlaceOrder) -> Complaint | None:
    order = request.order
    if not order.algo_strategy:
        return None
    contract = order_contract(floor, request)
    priorities = [p.value for p in order.algo_params if p.tag == "adaptivePriority"]
    is_usable = (
        order.algo_strategy == "Adaptive"
        and contract.algos
        and request.contract.exchange == "SMART"
        and order.order_type in _ALGOS_FOR
        and order.tif in ("", "DAY")
        and len(priorities) == len(order.algo_params) == 1
        and priorities[0] in _ADAPTIVE_PRIORITIES
    )
    if is_usable:
        return None
    return Complaint(code=442, text="Specified algorithm is not allowed for this order.")


def _is_not_too_many(floor: Floor, request: PlaceOrder) -> Complaint | None:
    contract = order_contract(floor, request)
    same = [
        live
        for live in floor.book.working()
        if live.contract is contract
        and live.order.action == request.order.action
        and live.order.account == request.order.account
    ]
    limit = floor.scenario.gateway.working_orders_per_contract
    if len(same) < limit:
        return None
    text = f"Order rejected - reason:There are already {limit} working orders on this side."
    return Complaint(code=201, text=text)


def short_sale_text(floor: Floor, sale: LiveOrder, working: list[LiveOrder]) -> str:
    """Why a sale is refused: more than is held and not on sale already; empty if it is not."""
    if floor.scenario.gateway.short_sales:
        return ""
    account_id = sale.order.account
    on_sale = sum(
        other.remaining
        for other in working
        if other.contract is sale.contract
        and not other.is_buy
        and other.order.account == account_id
    )
    free = floor.accounts[account_id].quantity(sale.contract) - on_sale
    if sale.quantity <= free:
        return ""
    return f"Order rejected - reason:Short sales are not permitted; {free:f} shares can be sold."


def _is_usable(number: Decimal) -> bool:
    return number.is_finite() and 0 < number <= _LARGEST


def _invalid(cause: str) -> Complaint:
    return Complaint(code=321, text=INVALID + cause)


_CHECKS: tuple[_Check, ...] = (
    _api_is_writable,
    _id_is_positive,
    _contract_is_known,
    _account_is_given,
    _side_is_known,
    _size_is_positive,
    _type_is_supported,
    _attributes_are_simulated,
    _size_is_whole,
    _time_in_force_is_known,
    _price_is_usable,
    _algo_is_usable,
    _is_not_too_many,
)
