"""The same order as a record of ours and as objects of ib_async, for comparing the two codecs."""

import dataclasses
from collections.abc import Callable
from decimal import Decimal

import ib_async
from ib_async.contract import ComboLeg as TheirLeg
from ib_async.objects import SoftDollarTier
from ib_async.order import OrderComboLeg
from ib_async.order import OrderCondition as TheirCondition
from ib_async.util import UNSET_DOUBLE, UNSET_INTEGER

from src.simulator.messages.orders import ComboLeg, ContractKey, Order, OrderCondition, TagValue

# attributes that ib_async keeps elsewhere or not at all; compared one by one below
_ELSEWHERE = {
    "combo_legs",
    "leg_prices",
    "smart_routing_params",
    "shares_allocation",
    "has_underlying",
    "underlying_con_id",
    "underlying_delta",
    "underlying_price",
    "algo_params",
    "misc_options",
    "conditions",
    "soft_dollar_name",
    "soft_dollar_value",
}
_SPELLED = {"rule_80a": "rule80A", "last_trade_date": "lastTradeDateOrContractMonth"}
PLAIN_ORDER_FIELDS = tuple(name for name in Order._fields if name not in _ELSEWHERE)


def camel(name: str) -> str:
    """The name ib_async has for one of our fields."""
    head, *tail = name.split("_")
    return _SPELLED.get(name, head + "".join(part.capitalize() for part in tail))


def same(ours: object, theirs: object) -> bool:
    """Equal values: Decimal and float, None and every mark for "unset"."""
    if ours is None:
        unset = (None, "", 0, False, UNSET_DOUBLE, UNSET_INTEGER, "1.7976931348623157E308")
        return theirs in unset
    if isinstance(ours, Decimal):
        return isinstance(theirs, (int, float, str)) and float(ours) == float(theirs)
    return ours == theirs


def differing(ours: object, theirs: object, names: tuple[str, ...]) -> list[str]:
    """Names of ours whose value is another one over there."""
    return [name for name in names if not same(getattr(ours, name), getattr(theirs, camel(name)))]


def contract_differences(ours: ContractKey, theirs: ib_async.Contract) -> list[str]:
    """Names of contract fields that differ."""
    return differing(ours, theirs, ours._fields)


def order_differences(
    ours: Order, order: ib_async.Order, contract: ib_async.Contract, skipped: set[str]
) -> list[str]:
    """Names of order attributes that differ, also those ib_async keeps in the contract."""
    names = tuple(name for name in PLAIN_ORDER_FIELDS if name not in skipped)
    found = differing(ours, order, names)
    underlying = contract.deltaNeutralContract
    pairs: dict[str, tuple[object, object]] = {
        "soft_dollar_name": (ours.soft_dollar_name, order.softDollarTier.name),
        "soft_dollar_value": (ours.soft_dollar_value, order.softDollarTier.val),
        "has_underlying": (ours.has_underlying, underlying is not None),
        "algo_params": (_pairs(ours.algo_params), _their_pairs(order.algoParams)),
        "combo_legs": (
            [_leg_values(leg) for leg in ours.combo_legs],
            [_leg_values(leg) for leg in contract.comboLegs or []],
        ),
        "conditions": (len(ours.conditions), len(order.conditions)),
        "smart_routing_params": (
            _pairs(ours.smart_routing_params),
            _their_pairs(order.smartComboRoutingParams),
        ),
    }
    if underlying is not None:
        pairs["underlying_con_id"] = (ours.underlying_con_id, underlying.conId)
        pairs["underlying_delta"] = (ours.underlying_delta, underlying.delta)
        pairs["underlying_price"] = (ours.underlying_price, underlying.price)
    return found + [name for name, (one, other) in pairs.items() if not same(one, other)]


def their_contract(ours: ContractKey, order: Order) -> ib_async.Contract:
    """The ib_async contract of a placeOrder of ours."""
    contract = ib_async.Contract(**{camel(name): value for name, value in ours._asdict().items()})
    contract.strike = float(ours.strike)
    contract.comboLegs = [
        TheirLeg(**{camel(name): value for name, value in leg._asdict().items()})
        for leg in order.combo_legs
    ]
    if order.has_underlying:
        contract.deltaNeutralContract = ib_async.DeltaNeutralContract(
            order.underlying_con_id,
            float(order.underlying_delta or 0),
            float(order.underlying_price or 0),
        )
    return contract


def their_order(ours: Order) -> ib_async.Order:
    """The ib_async order of a placeOrder of ours."""
    order = ib_async.Order()
    for name in PLAIN_ORDER_FIELDS:
        value = getattr(ours, name)
        unset = UNSET_INTEGER if isinstance(getattr(order, camel(name)), int) else UNSET_DOUBLE
        if value is None:
            value = unset
        setattr(order, camel(name), float(value) if isinstance(value, Decimal) else value)
    order.softDollarTier = SoftDollarTier(ours.soft_dollar_name, ours.soft_dollar_value, "")
    order.algoParams = [ib_async.TagValue(*pair) for pair in _pairs(ours.algo_params)]
    order.smartComboRoutingParams = [
        ib_async.TagValue(*pair) for pair in _pairs(ours.smart_routing_params)
    ]
    order.orderComboLegs = [
        OrderComboLeg(UNSET_DOUBLE if leg.price is None else float(leg.price))
        for leg in ours.leg_prices
    ]
    order.conditions = [_their_condition(condition) for condition in ours.conditions]
    return order


def _their_condition(ours: OrderCondition) -> TheirCondition:
    create: Callable[[int], type[TheirCondition]] = TheirCondition.createClass
    condition = create(ours.type)()
    values: list[object] = [ours.type, ours.conjunction]
    if ours.type == 5:
        values += [ours.sec_type, ours.exchange, ours.symbol]
    else:
        values += [ours.is_more, ours.value]
    if ours.type in (1, 6, 7):
        values += [ours.con_id, ours.exchange]
    if ours.type == 1:
        values += [ours.trigger_method]
    for field, value in zip(dataclasses.fields(condition), values, strict=True):
        setattr(condition, field.name, value)
    return condition


def _pairs(params: tuple[TagValue, ...]) -> list[tuple[str, str]]:
    return [(param.tag, param.value) for param in params]


def _their_pairs(params: list[ib_async.TagValue]) -> list[tuple[str, str]]:
    return [(param.tag, param.value) for param in params]


def _leg_values(leg: ComboLeg | TheirLeg) -> tuple[object, ...]:
    return leg if isinstance(leg, ComboLeg) else dataclasses.astuple(leg)
