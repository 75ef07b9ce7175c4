"""The nouns that several messages share: contract, combo leg, order, order state.

Field names are those of the TWS documentation in snake case; quantities, prices and money are
``Decimal``, and ``None`` means "unset" (an empty field, or the largest double / int on the wire).
Defaults are what a client sends that does not touch the field. Source: TWS API "Order" and
"Contract" class pages.
"""

from decimal import Decimal
from typing import NamedTuple

ZERO = Decimal(0)


class TagValue(NamedTuple):
    """One name and value, as in algo parameters and security ids."""

    tag: str
    value: str


class ContractKey(NamedTuple):
    """What identifies an instrument; 0 or an empty text means "not given"."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    last_trade_date: str = ""
    strike: Decimal = ZERO
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""


class ComboLeg(NamedTuple):
    """One leg of a BAG; market data requests carry only the first four fields."""

    con_id: int = 0
    ratio: int = 0
    action: str = ""
    exchange: str = ""
    open_close: int = 0
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1


class LegPrice(NamedTuple):
    """The price of one leg of a BAG order."""

    price: Decimal | None = None


class OrderCondition(NamedTuple):
    """One condition of a conditional order; which fields count depends on ``type``.

    1 price, 3 time, 4 margin, 5 execution, 6 volume, 7 percent change.
    """

    type: int
    conjunction: str = "a"
    is_more: bool = True
    value: str = ""
    sec_type: str = ""
    con_id: int = 0
    exchange: str = ""
    symbol: str = ""
    trigger_method: int = 0


class Order(NamedTuple):
    """Every order attribute of placeOrder, openOrder and completedOrder."""

    action: str = ""
    total_quantity: Decimal | None = ZERO
    order_type: str = ""
    lmt_price: Decimal | None = None
    aux_price: Decimal | None = None
    tif: str = ""
    oca_group: str = ""
    account: str = ""
    open_close: str = ""
    origin: int = 0
    order_ref: str = ""
    transmit: bool = True
    parent_id: int = 0
    block_order: bool = False
    sweep_to_fill: bool = False
    display_size: int | None = None
    trigger_method: int = 0
    outside_rth: bool = False
    hidden: bool = False
    combo_legs: tuple[ComboLeg, ...] = ()
    leg_prices: tuple[LegPrice, ...] = ()
    smart_routing_params: tuple[TagValue, ...] = ()
    shares_allocation: str = ""
    discretionary_amt: Decimal | None = ZERO
    good_after_time: str = ""
    good_till_date: str = ""
    fa_group: str = ""
    fa_method: str = ""
    fa_percentage: str = ""
    fa_profile: str = ""
    model_code: str = ""
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1
    oca_type: int = 0
    rule_80a: str = ""
    settling_firm: str = ""
    all_or_none: bool = False
    min_qty: int | None = None
    percent_offset: Decimal | None = None
    e_trade_only: bool = False
    firm_quote_only: bool = False
    nbbo_price_cap: Decimal | None = None
    auction_strategy: int = 0
    starting_price: Decimal | None = None
    stock_ref_price: Decimal | None = None
    delta: Decimal | None = None
    stock_range_lower: Decimal | None = None
    stock_range_upper: Decimal | None = None
    override_percentage_constraints: bool = False
    volatility: Decimal | None = None
    volatility_type: int | None = None
    delta_neutral_order_type: str = ""
    delta_neutral_aux_price: Decimal | None = None
    delta_neutral_con_id: int = 0
    delta_neutral_settling_firm: str = ""
    delta_neutral_clearing_account: str = ""
    delta_neutral_clearing_intent: str = ""
    delta_neutral_open_close: str = ""
    delta_neutral_short_sale: bool = False
    delta_neutral_short_sale_slot: int = 0
    delta_neutral_designated_location: str = ""
    continuous_update: int = 0
    reference_price_type: int | None = None
    trail_stop_price: Decimal | None = None
    trailing_percent: Decimal | None = None
    scale_init_level_size: int | None = None
    scale_subs_level_size: int | None = None
    scale_price_increment: Decimal | None = None
    scale_price_adjust_value: Decimal | None = None
    scale_price_adjust_interval: int | None = None
    scale_profit_offset: Decimal | None = None
    scale_auto_reset: bool = False
    scale_init_position: int | None = None
    scale_init_fill_qty: int | None = None
    scale_random_percent: bool = False
    scale_table: str = ""
    active_start_time: str = ""
    active_stop_time: str = ""
    hedge_type: str = ""
    hedge_param: str = ""
    opt_out_smart_routing: bool = False
    clearing_account: str = ""
    clearing_intent: str = ""
    not_held: bool = False
    has_underlying: bool = False
    underlying_con_id: int = 0
    underlying_delta: Decimal | None = None
    underlying_price: Decimal | None = None
    algo_strategy: str = ""
    algo_params: tuple[TagValue, ...] = ()
    algo_id: str = ""
    what_if: bool = False
    misc_options: str = ""
    solicited: bool = False
    randomize_size: bool = False
    randomize_price: bool = False
    reference_contract_id: int = 0
    is_pegged_change_amount_decrease: bool = False
    pegged_change_amount: Decimal | None = ZERO
    reference_change_amount: Decimal | None = ZERO
    reference_exchange_id: str = ""
    conditions: tuple[OrderCondition, ...] = ()
    conditions_ignore_rth: bool = False
    conditions_cancel_order: bool = False
    adjusted_order_type: str = ""
    trigger_price: Decimal | None = None
    lmt_price_offset: Decimal | None = None
    adjusted_stop_price: Decimal | None = None
    adjusted_stop_limit_price: Decimal | None = None
    adjusted_trailing_amount: Decimal | None = None
    adjustable_trailing_unit: int = 0
    ext_operator: str = ""
    soft_dollar_name: str = ""
    soft_dollar_value: str = ""
    cash_qty: Decimal | None = None
    mifid2_decision_maker: str = ""
    mifid2_decision_algo: str = ""
    mifid2_execution_trader: str = ""
    mifid2_execution_algo: str = ""
    dont_use_auto_price_for_hedge: bool = False
    is_oms_container: bool = False
    discretionary_up_to_limit_price: bool = False
    use_price_mgmt_algo: bool | None = None
    duration: int | None = None
    post_to_ats: int | None = None
    auto_cancel_parent: bool = False
    advanced_error_override: str = ""
    manual_order_time: str = ""
    min_trade_qty: int | None = None
    min_compete_size: int | None = None
    compete_against_best_offset: Decimal | None = None
    mid_offset_at_whole: Decimal | None = None
    mid_offset_at_half: Decimal | None = None


class OrderState(NamedTuple):
    """Status of an open order and, for a what-if, its margin and commission preview (money)."""

    status: str = ""
    init_margin_before: Decimal | None = None
    maint_margin_before: Decimal | None = None
    equity_with_loan_before: Decimal | None = None
    init_margin_change: Decimal | None = None
    maint_margin_change: Decimal | None = None
    equity_with_loan_change: Decimal | None = None
    init_margin_after: Decimal | None = None
    maint_margin_after: Decimal | None = None
    equity_with_loan_after: Decimal | None = None
    commission: Decimal | None = None
    min_commission: Decimal | None = None
    max_commission: Decimal | None = None
    commission_currency: str = ""
    warning_text: str = ""


def as_reported(order: Order) -> Order:
    """The order as the gateway reports it back: its own values where the client left a blank.

    A limit order comes back with a stop price of its limit plus 1.

    Source: recorded openOrder messages of plain stock orders.
    """
    return order._replace(
        lmt_price=order.lmt_price or ZERO,
        aux_price=order.aux_price or ZERO,
        display_size=order.display_size or None,
        oca_type=order.oca_type or 3,
        volatility_type=order.volatility_type or 0,
        reference_price_type=order.reference_price_type or 0,
        delta_neutral_order_type=order.delta_neutral_order_type or "None",
        delta_neutral_open_close=order.delta_neutral_open_close or "?",
        clearing_intent=order.clearing_intent or "IB",
        adjusted_order_type=order.adjusted_order_type or "None",
        cash_qty=order.cash_qty or ZERO,
        trail_stop_price=order.trail_stop_price or _stop_price(order),
        dont_use_auto_price_for_hedge=True,
        use_price_mgmt_algo=order.use_price_mgmt_algo or False,
        min_compete_size=order.min_compete_size or 100,
        compete_against_best_offset=order.compete_against_best_offset or Decimal("0.02"),
    )


def _stop_price(order: Order) -> Decimal | None:
    if order.order_type != "LMT" or order.lmt_price is None:
        return None
    return order.lmt_price + 1
