"""Wire order of the responses, but for openOrder and completedOrder.

Sources: TWS API decoder and recorded messages of a paper gateway.
"""

from src.simulator.messages.account import (
    AccountDownloadEnd,
    AccountSummary,
    AccountSummaryEnd,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdateTime,
    AccountValue,
    ManagedAccounts,
    PortfolioValue,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
)
from src.simulator.messages.fields import (
    DOUBLE,
    FLAG,
    INT,
    LONG,
    MONEY,
    NUMBER,
    OPTIONAL_DOUBLE_MAX,
    OPTIONAL_INT,
    OPTIONAL_NUMBER,
    STRIKE,
    TEXT,
)
from src.simulator.messages.layout import EVER, Field, Fixed, Item, Layout, Repeat
from src.simulator.messages.layout_orders import ADVANCED_ORDER_REJECT, COMPLETED_ORDER, OPEN_ORDER
from src.simulator.messages.layout_parts import HELD_CONTRACT, contract_fields, texts
from src.simulator.messages.layout_requests import BOND_ISSUER_ID
from src.simulator.messages.market import (
    ContractDetails,
    ContractDetailsEnd,
    MarketDataTypeGrant,
    MarketRule,
    PriceIncrement,
    SecTypeName,
    SymbolSample,
    SymbolSamples,
    TickGeneric,
    TickPrice,
    TickReqParams,
    TickSize,
    TickSnapshotEnd,
    TickString,
)
from src.simulator.messages.orders import TagValue
from src.simulator.messages.responses import (
    AdvisorData,
    CommissionReport,
    CompletedOrdersEnd,
    CurrentTime,
    DepthExchanges,
    ErrorMessage,
    ExecDetails,
    ExecDetailsEnd,
    FamilyCodes,
    NewsProviders,
    NextValidId,
    OpenOrderEnd,
    OrderStatus,
    ScannerParameters,
)

FRACTIONAL_SIZES = 163
SIZE_RULES = 164
PENDING_PRICE_REVISION = 178

_V1 = Fixed("1")
_REQ_ID = Field("req_id", INT)
_TICK = (_REQ_ID, Field("tick_type", INT))
_END: tuple[Item, ...] = (_V1, _REQ_ID)
_HELD: tuple[Item, ...] = (Field("position", NUMBER), Field("avg_cost", DOUBLE))
_NO_ROWS: tuple[Item, ...] = (Fixed("0"),)


def _numbers(names: str) -> tuple[Item, ...]:
    return tuple(Field(name, NUMBER) for name in names.split())


_CONTRACT_DETAILS: tuple[Item, ...] = (
    Fixed("8", until=SIZE_RULES - 1),
    _REQ_ID,
    *texts("contract.symbol contract.sec_type contract.last_trade_date"),
    Field("contract.strike", STRIKE),
    *texts("contract.right contract.exchange contract.currency contract.local_symbol"),
    *texts("market_name contract.trading_class"),
    Field("contract.con_id", INT),
    Field("min_tick", NUMBER),
    Field("md_size_multiplier", INT, until=SIZE_RULES - 1),
    *texts("contract.multiplier order_types valid_exchanges"),
    Field("price_magnifier", INT),
    Field("under_con_id", INT),
    *texts("long_name contract.primary_exchange contract_month industry category subcategory"),
    *texts("time_zone_id trading_hours liquid_hours ev_rule"),
    Field("ev_multiplier", OPTIONAL_NUMBER),
    Repeat("sec_ids", TagValue, texts("tag value")),
    Field("agg_group", OPTIONAL_INT),
    *texts("under_symbol under_sec_type market_rule_ids real_expiration_date stock_type"),
    Field("min_size", OPTIONAL_NUMBER, since=SIZE_RULES),
    Field("size_increment", OPTIONAL_NUMBER, since=SIZE_RULES),
    Field("suggested_size_increment", OPTIONAL_NUMBER, FRACTIONAL_SIZES, EVER),
)
_EXEC_DETAILS: tuple[Item, ...] = (
    _REQ_ID,
    Field("order_id", INT),
    *HELD_CONTRACT,
    *texts("exec_id time account exchange side"),
    Field("shares", NUMBER),
    Field("price", DOUBLE),
    Field("perm_id", LONG),
    Field("client_id", INT),
    Field("liquidation", INT),
    Field("cum_qty", NUMBER),
    Field("avg_price", DOUBLE),
    *texts("order_ref ev_rule"),
    Field("ev_multiplier", OPTIONAL_NUMBER),
    Field("model_code", TEXT),
    Field("last_liquidity", INT),
    Field("pending_price_revision", FLAG, since=PENDING_PRICE_REVISION),
)
_ORDER_STATUS: tuple[Item, ...] = (
    Field("order_id", INT),
    Field("status", TEXT),
    *_numbers("filled remaining avg_fill_price"),
    Field("perm_id", LONG),
    Field("parent_id", INT),
    Field("last_fill_price", NUMBER),
    Field("client_id", INT),
    Field("why_held", TEXT),
    Field("mkt_cap_price", NUMBER),
)
_ERROR: tuple[Item, ...] = (
    Fixed("2"),
    Field("id", INT),
    Field("code", INT),
    Field("text", TEXT),
    Field("advanced_order_reject_json", TEXT, since=ADVANCED_ORDER_REJECT),
)
_PORTFOLIO_VALUE: tuple[Item, ...] = (
    Fixed("8"),
    *contract_fields("primary_exchange currency local_symbol trading_class"),
    *_numbers("position market_price"),
    Field("market_value", MONEY),
    Field("average_cost", DOUBLE),
    Field("unrealized_pnl", MONEY),
    Field("realized_pnl", MONEY),
    Field("account", TEXT),
)
_COMMISSION_REPORT: tuple[Item, ...] = (
    _V1,
    Field("exec_id", TEXT),
    Field("commission", DOUBLE),
    Field("currency", TEXT),
    Field("realized_pnl", OPTIONAL_DOUBLE_MAX),
    Field("yield_", OPTIONAL_DOUBLE_MAX),
    Field("yield_redemption_date", OPTIONAL_INT),
)
_SYMBOL_SAMPLE: tuple[Item, ...] = (
    Field("con_id", INT),
    *texts("symbol sec_type primary_exchange currency"),
    Repeat("derivative_sec_types", SecTypeName, texts("name")),
    Field("description", TEXT, since=BOND_ISSUER_ID),
    Field("issuer_id", TEXT, since=BOND_ISSUER_ID),
)

RESPONSE_LAYOUTS: tuple[Layout, ...] = (
    Layout(1, TickPrice, (Fixed("6"), *_TICK, *_numbers("price size"), Field("attribs", INT))),
    Layout(2, TickSize, (Fixed("6"), *_TICK, *_numbers("size"))),
    Layout(3, OrderStatus, _ORDER_STATUS),
    Layout(4, ErrorMessage, _ERROR),
    OPEN_ORDER,
    Layout(6, AccountValue, (Fixed("2"), *texts("key value currency account"))),
    Layout(7, PortfolioValue, _PORTFOLIO_VALUE),
    Layout(8, AccountUpdateTime, (_V1, *texts("time"))),
    Layout(9, NextValidId, (_V1, Field("order_id", INT))),
    Layout(10, ContractDetails, _CONTRACT_DETAILS),
    Layout(11, ExecDetails, _EXEC_DETAILS),
    Layout(15, ManagedAccounts, (_V1, *texts("accounts"))),
    Layout(16, AdvisorData, (_V1, Field("kind", INT), *texts("xml"))),
    Layout(19, ScannerParameters, (_V1, *texts("xml"))),
    Layout(45, TickGeneric, (Fixed("6"), *_TICK, *_numbers("value"))),
    Layout(46, TickString, (Fixed("6"), *_TICK, *texts("value"))),
    Layout(49, CurrentTime, (_V1, Field("epoch_sec", LONG))),
    Layout(52, ContractDetailsEnd, _END),
    Layout(53, OpenOrderEnd, (_V1,)),
    Layout(54, AccountDownloadEnd, (_V1, *texts("account"))),
    Layout(55, ExecDetailsEnd, _END),
    Layout(57, TickSnapshotEnd, _END),
    Layout(58, MarketDataTypeGrant, (_V1, _REQ_ID, Field("market_data_type", INT))),
    Layout(59, CommissionReport, _COMMISSION_REPORT),
    Layout(
        61,
        Position,
        (Fixed("3"), Field("account", TEXT), *HELD_CONTRACT, *_HELD),
    ),
    Layout(62, PositionEnd, (_V1,)),
    Layout(63, AccountSummary, (_V1, _REQ_ID, *texts("account tag value currency"))),
    Layout(64, AccountSummaryEnd, _END),
    Layout(
        71,
        PositionMulti,
        (
            _V1,
            _REQ_ID,
            Field("account", TEXT),
            *HELD_CONTRACT,
            *_HELD,
            Field("model_code", TEXT),
        ),
    ),
    Layout(72, PositionMultiEnd, _END),
    Layout(73, AccountUpdateMulti, (_V1, _REQ_ID, *texts("account model_code key value currency"))),
    Layout(74, AccountUpdateMultiEnd, _END),
    Layout(78, FamilyCodes, _NO_ROWS),
    Layout(79, SymbolSamples, (_REQ_ID, Repeat("samples", SymbolSample, _SYMBOL_SAMPLE))),
    Layout(80, DepthExchanges, _NO_ROWS),
    Layout(
        81,
        TickReqParams,
        (
            _REQ_ID,
            *_numbers("min_tick"),
            *texts("bbo_exchange"),
            Field("snapshot_permissions", INT),
        ),
    ),
    Layout(85, NewsProviders, _NO_ROWS),
    Layout(
        93,
        MarketRule,
        (
            Field("rule_id", INT),
            Repeat("increments", PriceIncrement, _numbers("low_edge increment")),
        ),
    ),
    COMPLETED_ORDER,
    Layout(102, CompletedOrdersEnd, ()),
)
