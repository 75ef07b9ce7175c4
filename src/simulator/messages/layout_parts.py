"""Runs of fields that several messages share: contract keys, combo legs, order attributes."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from src.simulator.messages.fields import (
    CONDITION_TYPE,
    DOUBLE,
    EXECUTION_CONDITION,
    FLAG,
    INT,
    NUMBER,
    OFFSET,
    OPTIONAL_DOUBLE,
    OPTIONAL_FLAG,
    OPTIONAL_INT,
    OPTIONAL_NUMBER,
    STRIKE,
    TEXT,
    Codec,
)
from src.simulator.messages.layout import Field, Item, Repeat, When
from src.simulator.messages.orders import ComboLeg, LegPrice, OrderCondition, TagValue

_CONTRACT_HEAD = "con_id symbol sec_type last_trade_date strike right multiplier"

_ORDER_KINDS: Mapping[Codec, str] = {
    NUMBER: "discretionary_amt pegged_change_amount reference_change_amount total_quantity",
    OPTIONAL_DOUBLE: "lmt_price aux_price trail_stop_price",
    OPTIONAL_NUMBER: (
        "percent_offset nbbo_price_cap starting_price stock_ref_price delta"
        " stock_range_lower stock_range_upper volatility delta_neutral_aux_price"
        " trailing_percent scale_price_increment scale_price_adjust_value scale_profit_offset"
        " underlying_delta underlying_price trigger_price lmt_price_offset adjusted_stop_price"
        " adjusted_stop_limit_price adjusted_trailing_amount cash_qty mid_offset_at_whole"
        " mid_offset_at_half"
    ),
    OFFSET: "compete_against_best_offset",
    INT: (
        "origin parent_id trigger_method short_sale_slot exempt_code oca_type auction_strategy"
        " delta_neutral_con_id delta_neutral_short_sale_slot continuous_update"
        " underlying_con_id reference_contract_id adjustable_trailing_unit"
    ),
    OPTIONAL_INT: (
        "display_size min_qty volatility_type reference_price_type scale_init_level_size"
        " scale_subs_level_size scale_price_adjust_interval scale_init_position"
        " scale_init_fill_qty duration post_to_ats min_trade_qty min_compete_size"
    ),
    FLAG: (
        "transmit block_order sweep_to_fill outside_rth hidden all_or_none e_trade_only"
        " firm_quote_only override_percentage_constraints delta_neutral_short_sale"
        " scale_auto_reset scale_random_percent opt_out_smart_routing not_held has_underlying"
        " what_if solicited randomize_size randomize_price is_pegged_change_amount_decrease"
        " conditions_ignore_rth conditions_cancel_order dont_use_auto_price_for_hedge"
        " is_oms_container discretionary_up_to_limit_price auto_cancel_parent"
    ),
    OPTIONAL_FLAG: "use_price_mgmt_algo",
}
_ORDER_CODECS: Mapping[str, Codec] = {
    name: codec for codec, names in _ORDER_KINDS.items() for name in names.split()
}


def contract_fields(tail: str, strike: Codec = STRIKE) -> tuple[Item, ...]:
    """The contract's seven leading fields, then ``tail`` (names separated by spaces)."""
    codecs = {"con_id": INT, "strike": strike}
    return tuple(
        Field(f"contract.{name}", codecs.get(name, TEXT))
        for name in f"{_CONTRACT_HEAD} {tail}".split()
    )


CONTRACT_12 = contract_fields("exchange primary_exchange currency local_symbol trading_class")
CONTRACT_11 = contract_fields("exchange currency local_symbol trading_class")
HELD_CONTRACT = contract_fields("exchange currency local_symbol trading_class", DOUBLE)
"""As in positions and executions, where a stock's strike is ``0.0``."""


def texts(names: str) -> tuple[Item, ...]:
    """Plain text fields of the record itself."""
    return tuple(Field(name, TEXT) for name in names.split())


def order_fields(names: str, since: int = 0) -> tuple[Item, ...]:
    """Order attributes in wire order; text unless listed otherwise."""
    return tuple(
        Field(f"order.{name}", _ORDER_CODECS.get(name, TEXT), since=since) for name in names.split()
    )


def one_of(*wanted: object) -> Callable[[object], bool]:
    """The test that a value is one of ``wanted``."""
    return lambda value: value in wanted


def is_positive(value: object) -> bool:
    """The test that a number is set and above zero."""
    return isinstance(value, Decimal) and value > 0


_TAG_VALUE = texts("tag value")
_TYPE = "order.order_type"

LEGS_4 = (
    Field("con_id", INT),
    Field("ratio", INT),
    Field("action", TEXT),
    Field("exchange", TEXT),
)
_LEGS_8 = (
    *LEGS_4,
    Field("open_close", INT),
    Field("short_sale_slot", INT),
    Field("designated_location", TEXT),
    Field("exempt_code", INT),
)
COMBO_BLOCKS = (
    Repeat("order.combo_legs", ComboLeg, _LEGS_8),
    Repeat("order.leg_prices", LegPrice, (Field("price", OPTIONAL_NUMBER),)),
    Repeat("order.smart_routing_params", TagValue, _TAG_VALUE),
)
SCALE_BLOCK = When(
    "order.scale_price_increment",
    is_positive,
    order_fields(
        "scale_price_adjust_value scale_price_adjust_interval scale_profit_offset"
        " scale_auto_reset scale_init_position scale_init_fill_qty scale_random_percent"
    ),
)
HEDGE = (*order_fields("hedge_type"), When("order.hedge_type", bool, order_fields("hedge_param")))
UNDERLYING = (
    *order_fields("has_underlying"),
    When(
        "order.has_underlying",
        bool,
        order_fields("underlying_con_id underlying_delta underlying_price"),
    ),
)
ALGO = (
    *order_fields("algo_strategy"),
    When("order.algo_strategy", bool, (Repeat("order.algo_params", TagValue, _TAG_VALUE),)),
)
PEG_BENCH = When(
    _TYPE,
    one_of("PEG BENCH", "PEGBENCH"),
    order_fields(
        "reference_contract_id is_pegged_change_amount_decrease pegged_change_amount"
        " reference_change_amount reference_exchange_id"
    ),
)
_CONDITION = (
    Field("type", CONDITION_TYPE),
    Field("conjunction", TEXT),
    When("type", one_of(EXECUTION_CONDITION), texts("sec_type exchange symbol")),
    When(
        "type",
        lambda kind: kind != EXECUTION_CONDITION,
        (Field("is_more", FLAG), Field("value", TEXT)),
    ),
    When("type", one_of(1, 6, 7), (Field("con_id", INT), Field("exchange", TEXT))),
    When("type", one_of(1), (Field("trigger_method", INT),)),
)
CONDITIONS = (
    Repeat("order.conditions", OrderCondition, _CONDITION),
    When("order.conditions", bool, order_fields("conditions_ignore_rth conditions_cancel_order")),
)
