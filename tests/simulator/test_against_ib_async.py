"""The real ib_async as oracle: its client writes what we read, its decoder reads what we write."""

from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import ib_async
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ib_async.client import Client
from ib_async.decoder import Decoder

from src.simulator.messages import requests as ask
from src.simulator.messages.account import PortfolioValue, Position, PositionMulti
from src.simulator.messages.layout import Layout
from src.simulator.messages.layout_orders import COMPLETED_ORDER, OPEN_ORDER, PLACE_ORDER
from src.simulator.messages.layout_responses import RESPONSE_LAYOUTS
from src.simulator.messages.market import (
    ContractDetails,
    MarketRule,
    PriceIncrement,
    SecTypeName,
    SymbolSample,
    SymbolSamples,
)
from src.simulator.messages.orders import (
    ComboLeg,
    ContractKey,
    Order,
    OrderState,
    TagValue,
    as_reported,
)
from src.simulator.messages.requests import PlaceOrder, Request
from src.simulator.messages.responses import (
    CommissionReport,
    CompletedOrder,
    ExecDetails,
    OpenOrder,
    Response,
)
from src.simulator.messages.tables import format_message, parse_request
from src.simulator.messages.wire import decode_fields, encode_fields
from tests.kits import ib_async_mirror as mirror
from tests.simulator.strategies import messages

VERSIONS = (157, 158, 160, 162, 163, 164, 166, 169, 170, 176, 177, 178)
VTI = ContractKey(
    con_id=12,
    symbol="VTI",
    sec_type="STK",
    exchange="SMART",
    primary_exchange="ARCA",
    currency="USD",
    local_symbol="VTI",
    trading_class="VTI",
)
FAST = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Heard:
    """A wrapper that notes every call of the decoder."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.ib = SimpleNamespace(TimezoneTWS="")
        self.defaultTimezone = timezone.utc  # the decoder reads this name

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: self.calls.append((name, args))


def decoded(response: Response, version: int) -> tuple[object, ...]:
    """What ib_async makes of one response of ours."""
    heard = Heard()
    payload = encode_fields(format_message(response, version))[4:]
    make_decoder: Callable[[Any, int], Any] = Decoder
    make_decoder(heard, version).interpret(list(decode_fields(payload)))
    ((_, args),) = heard.calls
    return args


def written(version: int, method: str, *args: object) -> tuple[str, ...]:
    """The fields ib_async's client writes for one request."""
    sent: list[str] = []
    make_client: Callable[[Heard], Client] = Client
    client = make_client(Heard())
    client.connState = Client.CONNECTED
    client._serverVersion = version
    with mock.patch.object(client, "sendMsg", sent.append):
        getattr(client, method)(*args)
    return decode_fields(sent[0].encode())


NOT_IN_ORDER = {
    "OpenOrder",
    "CompletedOrder",
    "ContractDetails",
    "ExecDetails",
    "CommissionReport",
    "PortfolioValue",
    "Position",
    "PositionMulti",
    "SymbolSamples",
    "MarketRule",
    *("FamilyCodes", "DepthExchanges", "NewsProviders"),  # empty lists
}
SHORT = [layout for layout in RESPONSE_LAYOUTS if layout.name not in NOT_IN_ORDER]


@pytest.mark.parametrize("layout", SHORT, ids=[layout.name for layout in SHORT])
@FAST
@given(data=st.data())
def test_short_responses_mean_the_same(layout: Layout, data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    response = data.draw(messages(layout, version))
    theirs = decoded(cast("Response", response), version)
    ours = [
        *cast("Position", response),
    ]
    if layout.name == "TickPrice":
        ours.pop()  # ib_async drops the attributes
    assert len(theirs) == len(ours)
    assert all(map(mirror.same, ours, theirs))


@FAST
@given(data=st.data(), version=st.sampled_from(VERSIONS))
def test_open_orders_mean_the_same(data: st.DataObject, version: int) -> None:
    ours = cast("OpenOrder", data.draw(messages(OPEN_ORDER, version)))
    order_id, contract, order, state = decoded(ours, version)
    assert isinstance(order, ib_async.Order)
    assert isinstance(contract, ib_async.Contract)
    skipped = {"duration"} if version == 158 else set()  # ib_async reads it from 159 on
    assert order_id == ours.order_id
    assert (order.permId, order.clientId) == (ours.perm_id, ours.client_id)
    assert mirror.contract_differences(ours.contract, contract) == []
    assert mirror.order_differences(ours.order, order, contract, skipped | NOT_REPORTED) == []
    assert mirror.differing(ours.state, state, ours.state._fields) == []


NOT_REPORTED = {
    "transmit",
    "override_percentage_constraints",
    "scale_table",
    "active_start_time",
    "active_stop_time",
    "algo_id",
    "ext_operator",
    "mifid2_decision_maker",
    "mifid2_decision_algo",
    "mifid2_execution_trader",
    "mifid2_execution_algo",
    "advanced_error_override",
    "manual_order_time",
}


@FAST
@given(data=st.data(), version=st.sampled_from(VERSIONS))
def test_completed_orders_mean_the_same(data: st.DataObject, version: int) -> None:
    ours = cast("CompletedOrder", data.draw(messages(COMPLETED_ORDER, version)))
    contract, order, state = decoded(ours, version)
    assert isinstance(order, ib_async.Order)
    assert isinstance(contract, ib_async.Contract)
    assert isinstance(state, ib_async.OrderState)
    skipped = NOT_REPORTED | {
        "parent_id",
        "soft_dollar_name",
        "soft_dollar_value",
        "use_price_mgmt_algo",
    }
    assert mirror.contract_differences(ours.contract, contract) == []
    assert mirror.order_differences(ours.order, order, contract, skipped) == []
    names = ("perm_id", "filled_quantity", "shareholder", "parent_perm_id")
    assert mirror.differing(ours, order, names) == []
    assert mirror.differing(ours, state, ("status", "completed_time", "completed_status")) == []


@FAST
@given(data=st.data(), version=st.sampled_from(VERSIONS))
def test_placed_orders_mean_the_same(data: st.DataObject, version: int) -> None:
    drawn = cast("PlaceOrder", data.draw(messages(PLACE_ORDER, version)))
    order = drawn.order._replace(
        volatility=None,
        misc_options="",
        shares_allocation="",
        use_price_mgmt_algo=True,
    )
    if order.has_underlying:
        order = order._replace(underlying_delta=Decimal("0.5"), underlying_price=Decimal("99.25"))
    ours = drawn._replace(order=order)
    contract = mirror.their_contract(ours.contract, order)
    contract.secIdType, contract.secId = ours.sec_id_type, ours.sec_id
    theirs = mirror.their_order(order)
    fields = written(version, "placeOrder", ours.order_id, contract, theirs)
    assert parse_request(fields, version) == ours


def _place(order: ib_async.Order, version: int) -> PlaceOrder:
    contract = mirror.their_contract(VTI, Order())
    fields = written(version, "placeOrder", 9, contract, order)
    placed = parse_request(fields, version)
    assert isinstance(placed, PlaceOrder)
    return placed


@pytest.mark.parametrize("version", VERSIONS)
def test_the_three_order_styles_arrive(version: int) -> None:
    market = ib_async.MarketOrder("SELL", 7, tif="DAY", account="DU1", orderRef="ref-é")
    adaptive = ib_async.MarketOrder("BUY", 12, tif="DAY", algoStrategy="Adaptive")
    adaptive.algoParams = [ib_async.TagValue("adaptivePriority", "Patient")]
    midprice = ib_async.Order(action="BUY", totalQuantity=3, orderType="MIDPRICE", lmtPrice=101.5)
    plain, algo, capped = (_place(order, version) for order in (market, adaptive, midprice))
    assert plain.contract == VTI
    assert plain.order.total_quantity == 7
    assert (plain.order.order_ref, plain.order.account) == ("ref-é", "DU1")
    assert (plain.order.lmt_price, plain.order.transmit) == (None, True)
    assert algo.order.algo_params == (TagValue(tag="adaptivePriority", value="Patient"),)
    assert (capped.order.order_type, capped.order.lmt_price) == ("MIDPRICE", Decimal("101.5"))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_read_back_can_be_modified(version: int) -> None:
    placed = _place(ib_async.LimitOrder("BUY", 5, 10.25, tif="DAY"), version)
    reported = OpenOrder(
        order_id=9,
        contract=VTI,
        order=as_reported(placed.order),
        state=OrderState(status="Submitted"),
    )
    _, contract, order, _ = decoded(reported, version)
    assert isinstance(order, ib_async.Order)
    order.lmtPrice = 11.5
    fields = written(version, "placeOrder", 9, contract, order)
    modified = parse_request(fields, version)
    assert isinstance(modified, PlaceOrder)
    assert modified.order.lmt_price == Decimal("11.5")
    assert modified.order.total_quantity == 5


_THEIR_VTI = ib_async.Contract(
    secType="STK",
    conId=12,
    symbol="VTI",
    exchange="SMART",
    primaryExchange="ARCA",
    currency="USD",
    localSymbol="VTI",
    tradingClass="VTI",
)
_FILTER = ib_async.ExecutionFilter(clientId=3, acctCode="DU1", side="BUY", symbol="VTI")
_BAG = ib_async.Contract(
    secType="BAG", symbol="X", comboLegs=[ib_async.ComboLeg(1, 2, "BUY", "SMART")]
)
REQUESTS: list[tuple[str, tuple[object, ...], Request]] = [
    ("startApi", (), ask.StartApi(client_id=-1)),
    (
        "reqMktData",
        (7, _THEIR_VTI, "233", True, False, []),
        ask.ReqMktData(req_id=7, contract=VTI, generic_ticks="233", snapshot=True),
    ),
    (
        "reqMktData",
        (7, _BAG, "", False, True, []),
        ask.ReqMktData(
            req_id=7,
            contract=ContractKey(sec_type="BAG", symbol="X"),
            combo_legs=(ComboLeg(con_id=1, ratio=2, action="BUY", exchange="SMART"),),
            regulatory_snapshot=True,
        ),
    ),
    ("cancelMktData", (7,), ask.CancelMktData(req_id=7)),
    ("cancelOrder", (8,), ask.CancelOrder(order_id=8)),
    ("reqOpenOrders", (), ask.ReqOpenOrders()),
    ("reqAllOpenOrders", (), ask.ReqAllOpenOrders()),
    ("reqAutoOpenOrders", (True,), ask.ReqAutoOpenOrders(auto_bind=True)),
    (
        "reqAccountUpdates",
        (True, "DU1"),
        ask.ReqAccountUpdates(subscribe=True, account="DU1"),
    ),
    (
        "reqExecutions",
        (4, _FILTER),
        ask.ReqExecutions(req_id=4, client_id=3, account="DU1", symbol="VTI", side="BUY"),
    ),
    ("reqIds", (2,), ask.ReqIds(wanted=2)),
    ("reqContractDetails", (5, _THEIR_VTI), ask.ReqContractDetails(req_id=5, contract=VTI)),
    ("setServerLogLevel", (5,), ask.SetServerLogLevel(level=5)),
    ("reqManagedAccts", (), ask.ReqManagedAccounts()),
    ("reqCurrentTime", (), ask.ReqCurrentTime()),
    ("reqGlobalCancel", (), ask.ReqGlobalCancel()),
    ("reqMarketDataType", (3,), ask.ReqMarketDataType(market_data_type=3)),
    ("reqPositions", (), ask.ReqPositions()),
    ("cancelPositions", (), ask.CancelPositions()),
    (
        "reqAccountSummary",
        (3, "All", "NetLiquidation"),
        ask.ReqAccountSummary(req_id=3, group="All", tags="NetLiquidation"),
    ),
    ("cancelAccountSummary", (3,), ask.CancelAccountSummary(req_id=3)),
    ("reqPositionsMulti", (3, "DU1", ""), ask.ReqPositionsMulti(req_id=3, account="DU1")),
    ("cancelPositionsMulti", (3,), ask.CancelPositionsMulti(req_id=3)),
    (
        "reqAccountUpdatesMulti",
        (3, "DU1", "", False),
        ask.ReqAccountUpdatesMulti(req_id=3, account="DU1"),
    ),
    ("cancelAccountUpdatesMulti", (3,), ask.CancelAccountUpdatesMulti(req_id=3)),
    ("reqMatchingSymbols", (3, "VT"), ask.ReqMatchingSymbols(req_id=3, pattern="VT")),
    ("reqMarketRule", (26,), ask.ReqMarketRule(rule_id=26)),
    ("reqCompletedOrders", (False,), ask.ReqCompletedOrders(api_only=False)),
]


@pytest.mark.parametrize("version", [157, 168, 169, 175, 176, 178])
@pytest.mark.parametrize(("method", "args", "request_"), REQUESTS)
def test_every_request_of_the_real_client_is_understood(
    method: str, args: tuple[object, ...], request_: Request, version: int
) -> None:
    assert parse_request(written(version, method, *args), version) == request_


@pytest.mark.parametrize("version", VERSIONS)
def test_contract_details_mean_the_same(version: int) -> None:
    details = ContractDetails(
        req_id=5,
        contract=VTI._replace(multiplier="1"),
        market_name="VTI",
        order_types="MKT,LMT,MIDPRICE",
        valid_exchanges="SMART,ARCA",
        long_name="VANGUARD Ω ETF",
        time_zone_id="US/Eastern",
        trading_hours="20260105:0400-20260105:2000",
        liquid_hours="20260105:0930-20260105:1600",
        sec_ids=(TagValue(tag="ISIN", value="US9229087690"),),
        agg_group=1,
        market_rule_ids="26,26",
        stock_type="ETF",
        min_size=Decimal(1),
        size_increment=Decimal("0.0001"),
        suggested_size_increment=Decimal(100),
    )
    req_id, theirs = decoded(details, version)
    assert isinstance(theirs, ib_async.ContractDetails)
    assert theirs.contract is not None
    names = set(details._fields)
    names -= {"req_id", "contract", "md_size_multiplier", "sec_ids"}
    if version < 164:
        names -= {"min_size", "size_increment"}
    if version < 163:
        names -= {"suggested_size_increment"}
    assert req_id == 5
    assert mirror.contract_differences(details.contract, theirs.contract) == []
    assert mirror.differing(details, theirs, tuple(sorted(names))) == []
    assert [(item.tag, item.value) for item in theirs.secIdList] == [("ISIN", "US9229087690")]


@FAST
@given(data=st.data(), version=st.sampled_from(VERSIONS))
def test_positions_mean_the_same(data: st.DataObject, version: int) -> None:
    layouts = {layout.name: layout for layout in RESPONSE_LAYOUTS}
    one = cast("Position", data.draw(messages(layouts["Position"], version)))
    many = cast("PositionMulti", data.draw(messages(layouts["PositionMulti"], version)))
    valued = cast("PortfolioValue", data.draw(messages(layouts["PortfolioValue"], version)))
    account, contract, quantity, cost = decoded(one, version)
    assert (account, mirror.same(one.position, quantity)) == (one.account, True)
    assert mirror.same(one.avg_cost, cost)
    assert mirror.contract_differences(one.contract, cast("ib_async.Contract", contract)) == []
    req_id, account, model, contract, quantity, cost = decoded(many, version)
    assert (req_id, account, model) == (many.req_id, many.account, many.model_code)
    assert mirror.same(many.position, quantity)
    assert mirror.same(many.avg_cost, cost)
    contract, *numbers, account = decoded(valued, version)
    ours = (valued.position, valued.market_price, valued.market_value, valued.average_cost)
    assert all(map(mirror.same, (*ours, valued.unrealized_pnl, valued.realized_pnl), numbers))
    assert account == valued.account


@pytest.mark.parametrize("version", VERSIONS)
def test_executions_and_commissions_mean_the_same(version: int) -> None:
    execution = ExecDetails(
        req_id=-1,
        order_id=9,
        contract=VTI._replace(primary_exchange=""),
        exec_id="0001.01.01",
        time="20260105 10:31:00 US/Eastern",
        account="DU1",
        exchange="ARCA",
        side="BOT",
        shares=Decimal(7),
        price=Decimal("101.5"),
        perm_id=2**40,
        client_id=3,
        cum_qty=Decimal(7),
        avg_price=Decimal("101.5"),
        order_ref="r",
        last_liquidity=2,
        pending_price_revision=version >= 178,
    )
    req_id, contract, theirs = decoded(execution, version)
    assert isinstance(theirs, ib_async.Execution)
    names = set(execution._fields)
    names -= {"req_id", "contract", "time", "account"}
    assert (req_id, theirs.acctNumber) == (-1, "DU1")
    assert mirror.differing(execution, theirs, tuple(sorted(names))) == []
    assert (
        mirror.contract_differences(execution.contract, cast("ib_async.Contract", contract)) == []
    )
    assert theirs.time == datetime(2026, 1, 5, 15, 31, tzinfo=timezone.utc)
    (report,) = decoded(
        CommissionReport(exec_id="0001.01.01", commission=Decimal("1.5"), currency="USD"), version
    )
    assert isinstance(report, ib_async.CommissionReport)
    assert (report.commission, report.realizedPNL) == (1.5, ib_async.util.UNSET_DOUBLE)


@pytest.mark.parametrize("version", VERSIONS)
def test_symbol_samples_and_market_rules_mean_the_same(version: int) -> None:
    sample = SymbolSample(
        con_id=12,
        symbol="VTI",
        sec_type="STK",
        primary_exchange="ARCA",
        currency="USD",
        derivative_sec_types=(SecTypeName(name="OPT"), SecTypeName(name="CFD")),
    )
    req_id, found = decoded(SymbolSamples(req_id=3, samples=(sample, sample)), version)
    assert isinstance(found, list)
    assert (req_id, [item.derivativeSecTypes for item in found]) == (3, [["OPT", "CFD"]] * 2)
    assert (
        mirror.contract_differences(
            ContractKey(
                con_id=12, symbol="VTI", sec_type="STK", primary_exchange="ARCA", currency="USD"
            ),
            found[1].contract,
        )
        == []
    )
    steps = (
        PriceIncrement(low_edge=Decimal(0), increment=Decimal("0.0001")),
        PriceIncrement(low_edge=Decimal(1), increment=Decimal("0.01")),
    )
    rule_id, increments = decoded(MarketRule(rule_id=26, increments=steps), version)
    assert isinstance(increments, list)
    assert (rule_id, [step.increment for step in increments]) == (26, [0.0001, 0.01])
