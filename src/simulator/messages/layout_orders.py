"""Wire order of the three long messages: placeOrder (3), openOrder (5), completedOrder (101).

Sources: TWS API order decoder and client, and recorded openOrder messages. ``trail_stop_price``
appears twice in openOrder; the second one counts.
"""

from src.simulator.messages.fields import (
    FLAG,
    ID,
    INFINITE,
    INT,
    LONG,
    OPTIONAL_DOUBLE,
    OPTIONAL_DOUBLE_MAX,
    OPTIONAL_INT,
    OPTIONAL_INT_MAX,
    OPTIONAL_NUMBER,
    TEXT,
)
from src.simulator.messages.layout import Field, Item, Layout, When
from src.simulator.messages.layout_parts import (
    ALGO,
    COMBO_BLOCKS,
    CONDITIONS,
    CONTRACT_11,
    CONTRACT_12,
    HEDGE,
    PEG_BENCH,
    SCALE_BLOCK,
    UNDERLYING,
    one_of,
    order_fields,
    texts,
)
from src.simulator.messages.requests import PlaceOrder
from src.simulator.messages.responses import CompletedOrder, OpenOrder

DURATION = 158
POST_TO_ATS = 160
AUTO_CANCEL_PARENT = 162
ADVANCED_ORDER_REJECT = 166
MANUAL_ORDER_TIME = 169
PEG_BEST_OFFSETS = 170
LAST_WITH_FA_PROFILE = 176

_MID_OFFSETS = order_fields("mid_offset_at_whole mid_offset_at_half")
_FA_PROFILE = Field("order.fa_profile", TEXT, until=LAST_WITH_FA_PROFILE)
_PEG_BEST = order_fields(
    "min_trade_qty min_compete_size compete_against_best_offset"
    " mid_offset_at_whole mid_offset_at_half",
    since=PEG_BEST_OFFSETS,
)
_SCALE_SIZES = (
    Field("order.scale_init_level_size", OPTIONAL_INT_MAX),
    Field("order.scale_subs_level_size", OPTIONAL_INT_MAX),
    *order_fields("scale_price_increment"),
    SCALE_BLOCK,
)


def _maxed(names: str) -> tuple[Item, ...]:
    return tuple(Field(name, OPTIONAL_DOUBLE_MAX) for name in names.split())


_PLACE_ORDER = (
    Field("order_id", ID),
    *CONTRACT_12,
    *texts("sec_id_type sec_id"),
    *order_fields(
        "action total_quantity order_type lmt_price aux_price tif oca_group account open_close"
        " origin order_ref transmit parent_id block_order sweep_to_fill display_size"
        " trigger_method outside_rth hidden"
    ),
    When("contract.sec_type", one_of("BAG"), COMBO_BLOCKS),
    *order_fields(
        "shares_allocation discretionary_amt good_after_time good_till_date"
        " fa_group fa_method fa_percentage"
    ),
    _FA_PROFILE,
    *order_fields(
        "model_code short_sale_slot designated_location exempt_code oca_type rule_80a"
        " settling_firm all_or_none min_qty percent_offset e_trade_only firm_quote_only"
        " nbbo_price_cap auction_strategy starting_price stock_ref_price delta"
        " stock_range_lower stock_range_upper override_percentage_constraints volatility"
        " volatility_type delta_neutral_order_type delta_neutral_aux_price"
    ),
    When(
        "order.delta_neutral_order_type",
        bool,
        order_fields(
            "delta_neutral_con_id delta_neutral_settling_firm delta_neutral_clearing_account"
            " delta_neutral_clearing_intent delta_neutral_open_close delta_neutral_short_sale"
            " delta_neutral_short_sale_slot delta_neutral_designated_location"
        ),
    ),
    *order_fields(
        "continuous_update reference_price_type trail_stop_price trailing_percent"
        " scale_init_level_size scale_subs_level_size scale_price_increment"
    ),
    SCALE_BLOCK,
    *order_fields("scale_table active_start_time active_stop_time"),
    *HEDGE,
    *order_fields("opt_out_smart_routing clearing_account clearing_intent not_held"),
    *UNDERLYING,
    *ALGO,
    *order_fields("algo_id what_if misc_options solicited randomize_size randomize_price"),
    PEG_BENCH,
    *CONDITIONS,
    *order_fields(
        "adjusted_order_type trigger_price lmt_price_offset adjusted_stop_price"
        " adjusted_stop_limit_price adjusted_trailing_amount adjustable_trailing_unit"
        " ext_operator soft_dollar_name soft_dollar_value cash_qty mifid2_decision_maker"
        " mifid2_decision_algo mifid2_execution_trader mifid2_execution_algo"
        " dont_use_auto_price_for_hedge is_oms_container discretionary_up_to_limit_price"
        " use_price_mgmt_algo"
    ),
    *order_fields("duration", since=DURATION),
    *order_fields("post_to_ats", since=POST_TO_ATS),
    *order_fields("auto_cancel_parent", since=AUTO_CANCEL_PARENT),
    *order_fields("advanced_error_override", since=ADVANCED_ORDER_REJECT),
    *order_fields("manual_order_time", since=MANUAL_ORDER_TIME),
    When("contract.exchange", one_of("IBKRATS"), order_fields("min_trade_qty"), PEG_BEST_OFFSETS),
    When(
        "order.order_type",
        one_of("PEG BEST", "PEGBEST"),
        (
            *order_fields("min_compete_size compete_against_best_offset"),
            When("order.compete_against_best_offset", one_of(INFINITE), _MID_OFFSETS),
        ),
        PEG_BEST_OFFSETS,
    ),
    When("order.order_type", one_of("PEG MID", "PEGMID"), _MID_OFFSETS, PEG_BEST_OFFSETS),
)

_MARGINS = " ".join(
    f"state.{value}_{when}"
    for when in ("before", "change", "after")
    for value in ("init_margin", "maint_margin", "equity_with_loan")
)

_OPEN_ORDER = (
    Field("order_id", INT),
    *CONTRACT_11,
    *order_fields(
        "action total_quantity order_type lmt_price aux_price tif oca_group account open_close"
        " origin order_ref"
    ),
    Field("client_id", INT),
    Field("perm_id", LONG),
    *order_fields(
        "outside_rth hidden discretionary_amt good_after_time shares_allocation fa_group"
        " fa_method fa_percentage"
    ),
    _FA_PROFILE,
    *order_fields(
        "model_code good_till_date rule_80a percent_offset settling_firm short_sale_slot"
        " designated_location exempt_code auction_strategy starting_price stock_ref_price delta"
        " stock_range_lower stock_range_upper"
    ),
    Field("order.display_size", OPTIONAL_INT_MAX),
    *order_fields(
        "block_order sweep_to_fill all_or_none min_qty oca_type e_trade_only firm_quote_only"
        " nbbo_price_cap parent_id trigger_method volatility volatility_type"
        " delta_neutral_order_type delta_neutral_aux_price"
    ),
    When(
        "order.delta_neutral_order_type",
        bool,
        order_fields(
            "delta_neutral_con_id delta_neutral_settling_firm delta_neutral_clearing_account"
            " delta_neutral_clearing_intent delta_neutral_open_close delta_neutral_short_sale"
            " delta_neutral_short_sale_slot delta_neutral_designated_location"
        ),
    ),
    *order_fields("continuous_update reference_price_type trail_stop_price trailing_percent"),
    Field("basis_points", OPTIONAL_NUMBER),
    Field("basis_points_type", OPTIONAL_INT),
    Field("combo_legs_descrip", TEXT),
    *COMBO_BLOCKS,
    *_SCALE_SIZES,
    *HEDGE,
    *order_fields("opt_out_smart_routing clearing_account clearing_intent not_held"),
    *UNDERLYING,
    *ALGO,
    *order_fields("solicited what_if"),
    Field("state.status", TEXT),
    *_maxed(_MARGINS),
    Field("state.commission", OPTIONAL_DOUBLE),
    Field("state.min_commission", OPTIONAL_DOUBLE),
    Field("state.max_commission", OPTIONAL_DOUBLE),
    *texts("state.commission_currency state.warning_text"),
    *order_fields("randomize_size randomize_price"),
    PEG_BENCH,
    *CONDITIONS,
    *order_fields("adjusted_order_type"),
    *_maxed(
        "order.trigger_price order.trail_stop_price order.lmt_price_offset"
        " order.adjusted_stop_price order.adjusted_stop_limit_price order.adjusted_trailing_amount"
    ),
    *order_fields("adjustable_trailing_unit soft_dollar_name soft_dollar_value"),
    Field("soft_dollar_display_name", TEXT),
    *order_fields(
        "cash_qty dont_use_auto_price_for_hedge is_oms_container discretionary_up_to_limit_price"
        " use_price_mgmt_algo"
    ),
    *order_fields("duration", since=DURATION),
    *order_fields("post_to_ats", since=POST_TO_ATS),
    *order_fields("auto_cancel_parent", since=AUTO_CANCEL_PARENT),
    *_PEG_BEST,
)

_COMPLETED_ORDER = (
    *CONTRACT_11,
    *order_fields(
        "action total_quantity order_type lmt_price aux_price tif oca_group account open_close"
        " origin order_ref"
    ),
    Field("perm_id", LONG),
    *order_fields(
        "outside_rth hidden discretionary_amt good_after_time fa_group fa_method fa_percentage"
    ),
    _FA_PROFILE,
    *order_fields(
        "model_code good_till_date rule_80a percent_offset settling_firm short_sale_slot"
        " designated_location exempt_code starting_price stock_ref_price delta"
        " stock_range_lower stock_range_upper"
    ),
    Field("order.display_size", OPTIONAL_INT_MAX),
    *order_fields(
        "sweep_to_fill all_or_none min_qty oca_type trigger_method volatility volatility_type"
        " delta_neutral_order_type delta_neutral_aux_price"
    ),
    When(
        "order.delta_neutral_order_type",
        bool,
        order_fields(
            "delta_neutral_con_id delta_neutral_short_sale delta_neutral_short_sale_slot"
            " delta_neutral_designated_location"
        ),
    ),
    *order_fields("continuous_update reference_price_type trail_stop_price trailing_percent"),
    Field("combo_legs_descrip", TEXT),
    *COMBO_BLOCKS,
    *_SCALE_SIZES,
    *HEDGE,
    *order_fields("clearing_account clearing_intent not_held"),
    *UNDERLYING,
    *ALGO,
    *order_fields("solicited"),
    Field("status", TEXT),
    *order_fields("randomize_size randomize_price"),
    PEG_BENCH,
    *CONDITIONS,
    *_maxed("order.trail_stop_price order.lmt_price_offset"),
    *order_fields("cash_qty dont_use_auto_price_for_hedge is_oms_container"),
    Field("auto_cancel_date", TEXT),
    Field("filled_quantity", OPTIONAL_NUMBER),
    Field("ref_futures_con_id", INT),
    *order_fields("auto_cancel_parent"),
    Field("shareholder", TEXT),
    Field("imbalance_only", FLAG),
    Field("route_marketable_to_bbo", FLAG),
    Field("parent_perm_id", LONG),
    *texts("completed_time completed_status"),
    *_PEG_BEST,
)

PLACE_ORDER = Layout(3, PlaceOrder, _PLACE_ORDER)
OPEN_ORDER = Layout(5, OpenOrder, _OPEN_ORDER)
COMPLETED_ORDER = Layout(101, CompletedOrder, _COMPLETED_ORDER)
