"""Wire order of the requests, but for placeOrder.

Source: TWS API client, message by message. The first field after a fixed version number is the
request id, if the message has one.
"""

from src.simulator.messages.fields import FLAG, ID, INT, TEXT
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
    Layout(91, ReqMarketRule, (Field("rule_id", ID),)),
    Layout(99, ReqCompletedOrders, (Field("api_only", FLAG),)),
)
