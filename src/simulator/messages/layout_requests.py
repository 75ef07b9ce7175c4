"""Wire order of the requests, but for placeOrder, and the names of those not served.

Source: TWS API client, message by message. The first field after a fixed version number is the
request id, if the message has one.
"""

from collections.abc import Mapping
from typing import NamedTuple

from src.simulator.messages.fields import FLAG, ID, INT, TEXT
from src.simulator.messages.history import (
    CancelHistoricalData,
    CancelPnl,
    CancelPnlSingle,
    ReqHeadTimestamp,
    ReqHistoricalData,
    ReqPnl,
    ReqPnlSingle,
)
from src.simulator.messages.layout import Field, Fixed, Item, Layout, Repeat, When
from src.simulator.messages.layout_orders import MANUAL_ORDER_TIME, PLACE_ORDER
from src.simulator.messages.layout_parts import CONTRACT_12, LEGS_4, one_of, texts
from src.simulator.messages.orders import ComboLeg
from src.simulator.messages.requests import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelMktData,
    CancelOrder,
    CancelPositions,
    CancelPositionsMulti,
    ReqAccountSummary,
    ReqAccountUpdates,
    ReqAccountUpdatesMulti,
    ReqAllOpenOrders,
    ReqAutoOpenOrders,
    ReqCompletedOrders,
    ReqContractDetails,
    ReqCurrentTime,
    ReqExecutions,
    ReqGlobalCancel,
    ReqIds,
    ReqManagedAccounts,
    ReqMarketDataType,
    ReqMarketRule,
    ReqMatchingSymbols,
    ReqMktData,
    ReqOpenOrders,
    ReqPositions,
    ReqPositionsMulti,
    SetServerLogLevel,
    StartApi,
)

BOND_ISSUER_ID = 176

_V1 = Fixed("1")
_V2 = Fixed("2")
_REQ_ID = Field("req_id", ID)
_ONLY_VERSION: tuple[Item, ...] = (_V1,)
_ONLY_REQ_ID: tuple[Item, ...] = (_V1, _REQ_ID)
_BAG_LEGS = When("contract.sec_type", one_of("BAG"), (Repeat("combo_legs", ComboLeg, LEGS_4),))

_REQ_MKT_DATA: tuple[Item, ...] = (
    Fixed("11"),
    _REQ_ID,
    *CONTRACT_12,
    _BAG_LEGS,
    Field("has_underlying", FLAG),
    When(
        "has_underlying",
        bool,
        (Field("underlying_con_id", INT), *texts("underlying_delta underlying_price")),
    ),
    Field("generic_ticks", TEXT),
    Field("snapshot", FLAG),
    Field("regulatory_snapshot", FLAG),
    Field("options", TEXT),
)
_REQ_HISTORICAL_DATA: tuple[Item, ...] = (
    _REQ_ID,
    *CONTRACT_12,
    Field("include_expired", FLAG),
    *texts("end_date_time bar_size duration"),
    Field("use_rth", INT),
    Field("what_to_show", TEXT),
    Field("format_date", INT),
    _BAG_LEGS,
    Field("keep_up_to_date", FLAG),
    Field("chart_options", TEXT),
)

REQUEST_LAYOUTS: tuple[Layout, ...] = (
    Layout(1, ReqMktData, _REQ_MKT_DATA),
    Layout(2, CancelMktData, (_V2, _REQ_ID)),
    PLACE_ORDER,
    Layout(
        4,
        CancelOrder,
        (_V1, Field("order_id", ID), Field("manual_order_cancel_time", TEXT, MANUAL_ORDER_TIME)),
    ),
    Layout(5, ReqOpenOrders, _ONLY_VERSION),
    Layout(6, ReqAccountUpdates, (_V2, Field("subscribe", FLAG), Field("account", TEXT))),
    Layout(
        7,
        ReqExecutions,
        (
            Fixed("3"),
            _REQ_ID,
            Field("client_id", INT),
            *texts("account time symbol sec_type exchange side"),
        ),
    ),
    Layout(8, ReqIds, (_V1, Field("wanted", INT))),
    Layout(
        9,
        ReqContractDetails,
        (
            Fixed("8"),
            _REQ_ID,
            *CONTRACT_12,
            Field("include_expired", FLAG),
            *texts("sec_id_type sec_id"),
            Field("issuer_id", TEXT, since=BOND_ISSUER_ID),
        ),
    ),
    Layout(14, SetServerLogLevel, (_V1, Field("level", INT))),
    Layout(15, ReqAutoOpenOrders, (_V1, Field("auto_bind", FLAG))),
    Layout(16, ReqAllOpenOrders, _ONLY_VERSION),
    Layout(17, ReqManagedAccounts, _ONLY_VERSION),
    Layout(20, ReqHistoricalData, _REQ_HISTORICAL_DATA),
    Layout(25, CancelHistoricalData, _ONLY_REQ_ID),
    Layout(49, ReqCurrentTime, _ONLY_VERSION),
    Layout(58, ReqGlobalCancel, _ONLY_VERSION),
    Layout(59, ReqMarketDataType, (_V1, Field("market_data_type", INT))),
    Layout(61, ReqPositions, _ONLY_VERSION),
    Layout(62, ReqAccountSummary, (_V1, _REQ_ID, *texts("group tags"))),
    Layout(63, CancelAccountSummary, _ONLY_REQ_ID),
    Layout(64, CancelPositions, _ONLY_VERSION),
    Layout(71, StartApi, (_V2, Field("client_id", ID), Field("optional_capabilities", TEXT))),
    Layout(74, ReqPositionsMulti, (_V1, _REQ_ID, *texts("account model_code"))),
    Layout(75, CancelPositionsMulti, _ONLY_REQ_ID),
    Layout(
        76,
        ReqAccountUpdatesMulti,
        (_V1, _REQ_ID, *texts("account model_code"), Field("ledger_and_nlv", FLAG)),
    ),
    Layout(77, CancelAccountUpdatesMulti, _ONLY_REQ_ID),
    Layout(81, ReqMatchingSymbols, (_REQ_ID, Field("pattern", TEXT))),
    Layout(
        87,
        ReqHeadTimestamp,
        (
            _REQ_ID,
            *CONTRACT_12,
            Field("include_expired", FLAG),
            Field("use_rth", INT),
            Field("what_to_show", TEXT),
            Field("format_date", INT),
        ),
    ),
    Layout(91, ReqMarketRule, (Field("rule_id", ID),)),
    Layout(92, ReqPnl, (_REQ_ID, *texts("account model_code"))),
    Layout(93, CancelPnl, (_REQ_ID,)),
    Layout(94, ReqPnlSingle, (_REQ_ID, *texts("account model_code"), Field("con_id", INT))),
    Layout(95, CancelPnlSingle, (_REQ_ID,)),
    Layout(99, ReqCompletedOrders, (Field("api_only", FLAG),)),
)


class Unserved(NamedTuple):
    """A request we know but do not serve: its name, and which field is its request id (or 0)."""

    name: str
    id_index: int = 0


UNSERVED: Mapping[int, Unserved] = {
    10: Unserved("reqMktDepth", 2),
    11: Unserved("cancelMktDepth", 2),
    12: Unserved("reqNewsBulletins"),
    13: Unserved("cancelNewsBulletins"),
    18: Unserved("requestFA"),
    19: Unserved("replaceFA"),
    21: Unserved("exerciseOptions", 2),
    22: Unserved("reqScannerSubscription", 1),
    23: Unserved("cancelScannerSubscription", 2),
    24: Unserved("reqScannerParameters"),
    50: Unserved("reqRealTimeBars", 2),
    51: Unserved("cancelRealTimeBars", 2),
    52: Unserved("reqFundamentalData", 2),
    53: Unserved("cancelFundamentalData", 2),
    54: Unserved("calculateImpliedVolatility", 2),
    55: Unserved("calculateOptionPrice", 2),
    56: Unserved("cancelCalculateImpliedVolatility", 2),
    57: Unserved("cancelCalculateOptionPrice", 2),
    65: Unserved("verifyRequest"),
    66: Unserved("verifyMessage"),
    67: Unserved("queryDisplayGroups", 2),
    68: Unserved("subscribeToGroupEvents", 2),
    69: Unserved("updateDisplayGroup", 2),
    70: Unserved("unsubscribeFromGroupEvents", 2),
    72: Unserved("verifyAndAuthRequest"),
    73: Unserved("verifyAndAuthMessage"),
    78: Unserved("reqSecDefOptParams", 1),
    79: Unserved("reqSoftDollarTiers", 1),
    80: Unserved("reqFamilyCodes"),
    82: Unserved("reqMktDepthExchanges"),
    83: Unserved("reqSmartComponents", 1),
    84: Unserved("reqNewsArticle", 1),
    85: Unserved("reqNewsProviders"),
    86: Unserved("reqHistoricalNews", 1),
    88: Unserved("reqHistogramData", 1),
    89: Unserved("cancelHistogramData", 1),
    90: Unserved("cancelHeadTimestamp", 1),
    96: Unserved("reqHistoricalTicks", 1),
    97: Unserved("reqTickByTickData", 1),
    98: Unserved("cancelTickByTickData", 1),
    100: Unserved("reqWshMetaData", 1),
    101: Unserved("cancelWshMetaData", 1),
    102: Unserved("reqWshEventData", 1),
    103: Unserved("cancelWshEventData", 1),
    104: Unserved("reqUserInfo", 1),
}
