"""The healthy life of orders: fills, limits, sessions, changes, cancels, previews, refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from src.simulator.messages.orders import ContractKey, TagValue
from src.simulator.messages.requests import (
    CancelOrder,
    PlaceOrder,
    ReqAccountUpdates,
    ReqAllOpenOrders,
    ReqCompletedOrders,
    ReqGlobalCancel,
    ReqOpenOrders,
    ReqPositions,
)
from src.simulator.messages.responses import (
    CommissionReport,
    CompletedOrder,
    ErrorMessage,
    ExecDetails,
    OpenOrder,
    OrderStatus,
)
from src.simulator.scenario.records import (
    ContractSetup,
    FillStep,
    GatewaySettings,
    MarketDataSetup,
    OrderBehaviour,
    OrderRule,
    Scenario,
    ScheduledEvent,
)
from tests.kits.exchange_kit import (
    ACCOUNT,
    CALL,
    IAU,
    OTHER_ACCOUNT,
    SPY,
    Client,
    account,
    behaving,
    codes,
    holdings,
    only,
    order,
    scenario,
    stock,
    words,
)

ADAPTIVE = (TagValue(tag="adaptivePriority", value="Normal"),)
RESTS = order("BUY", 5, order_type="LMT", lmt_price=Decimal(500))


def test_a_market_order_fills_in_the_recorded_order() -> None:
    client = Client()
    assert words(client.place(1, order("BUY", 5))) == [
        "open PreSubmitted",
        "status PreSubmitted 0/5",
    ]
    assert words(client.wait(0.05)) == [
        "exec BOT 5 @ 600.01",
        "open Filled",
        "status Filled 5/0",
        "open Filled 1.00",
        "commission 1.00",
    ]


def test_a_sale_fills_at_the_bid_and_realizes_its_gain() -> None:
    told = Client().trade(1, order("SELL", 5))
    assert [e.price for e in only(ExecDetails, told)] == [Decimal("599.99")]
    report = only(CommissionReport, told)[0]
    assert report.realized_pnl == 5 * Decimal("99.99") - 1
    assert only(CommissionReport, Client().trade(1, order("BUY", 1)))[0].realized_pnl is None


def test_messages_carry_what_identifies_the_order() -> None:
    told = Client().trade(4, order("BUY", 5))
    opened, status, fill = (
        only(OpenOrder, told)[0],
        only(OrderStatus, told)[0],
        only(ExecDetails, told),
    )
    assert (opened.order_id, opened.client_id, opened.order.order_ref) == (4, 1, "ref-1")
    assert opened.perm_id == status.perm_id == fill[0].perm_id > 0
    assert (fill[0].order_ref, fill[0].account, fill[0].req_id) == ("ref-1", ACCOUNT, -1)
    assert fill[0].time == "20250702 11:00:00 US/Eastern"
    assert fill[0].exec_id.endswith(".01.01")
    assert opened.contract.right == "?"


def test_commission_is_half_a_cent_a_share_and_at_least_a_dollar_per_order() -> None:
    reports = only(CommissionReport, Client().trade(1, order("BUY", 150), IAU))
    assert [report.commission for report in reports] == [1]
    reports = only(
        CommissionReport,
        Client(scenario(accounts=(account(cash={"USD": Decimal(10**6)}),))).trade(
            1, order("BUY", 1000), IAU
        ),
    )
    assert [report.commission for report in reports] == [5]


def test_partial_fills_add_up_and_share_the_commission() -> None:
    steps = (FillStep(quantity=Decimal(2)), FillStep(quantity=Decimal(1)), FillStep())
    client = Client(behaving(OrderBehaviour(fills=steps, fill_delay_sec=1)))
    client.place(1, order("BUY", 5))
    assert words(client.wait(1)) == [
        "exec BOT 2 @ 600.01",
        "open Submitted",
        "status Submitted 2/3",
        "commission 1.00",
    ]
    rest = client.wait(5)
    assert [e.cum_qty for e in only(ExecDetails, rest)] == [3, 5]
    assert [report.commission for report in only(CommissionReport, rest)] == [0, 0]
    assert words(rest)[-3:] == ["status Filled 5/0", "open Filled 1.00", "commission 0.00"]


def test_a_limit_order_rests_until_the_price_comes() -> None:
    client = Client()
    assert words(client.trade(1, RESTS)) == [
        "open PreSubmitted",
        "status PreSubmitted 0/5",
        "open Submitted",
        "status Submitted 0/5",
    ]
    told = client.inject(ScheduledEvent(what="price", symbol="SPY", value=Decimal(499)))
    assert "exec BOT 5 @ 499.01" in words(told)


def test_midprice_fills_in_the_middle_unless_capped() -> None:
    told = Client().trade(1, order("BUY", 5, order_type="MIDPRICE"))
    assert "exec BOT 5 @ 600.00" in words(told)
    capped = order("BUY", 5, order_type="MIDPRICE", lmt_price=Decimal("599.50"))
    assert not only(ExecDetails, Client().trade(1, capped))


def test_adaptive_orders_fill() -> None:
    told = Client().trade(1, order("BUY", 5, algo_strategy="Adaptive", algo_params=ADAPTIVE))
    assert "status Filled 5/0" in words(told)
    assert only(OpenOrder, told)[0].order.algo_strategy == "Adaptive"


@pytest.mark.parametrize("market", ["closed", "holiday", "pre", "halfday"])
def test_outside_regular_hours_a_day_order_is_held_with_399(market: str) -> None:
    told = Client(scenario(market=market)).trade(1, order("BUY", 5))
    assert words(told) == ["open PreSubmitted", "status PreSubmitted 0/5", "error 399"]
    assert "will not be placed at the exchange until" in only(ErrorMessage, told)[0].text


def test_a_held_order_fills_once_the_market_opens() -> None:
    clock = datetime(2025, 7, 2, 13, 0, tzinfo=timezone.utc)
    client = Client(scenario(clock=clock))
    assert not only(ExecDetails, client.trade(1, order("BUY", 5)))
    assert "status Filled 5/0" in words(client.wait(1800))


CLOSE = datetime(2025, 7, 1, 20, 0, tzinfo=timezone.utc)


def test_a_day_order_ends_with_its_session_and_gtc_goes_on() -> None:
    client = Client(scenario(clock=CLOSE - timedelta(hours=1)))
    client.trade(1, RESTS)
    client.trade(2, RESTS._replace(tif="GTC"))
    client.trade(3, RESTS._replace(outside_rth=True))
    assert words(client.wait(3597)) == ["status Cancelled 0/5", "error 202"]
    assert {o.order_id for o in only(OpenOrder, client.ask(ReqOpenOrders()))} == {2, 3}
    assert words(client.wait(4 * 3600)) == ["status Cancelled 0/5", "error 202"]
    done, _ = only(CompletedOrder, client.ask(ReqCompletedOrders(api_only=False)))
    assert done.completed_status == "Cancelled by System:\n"
    client.wait(72 * 3600)
    assert {o.order_id for o in only(OpenOrder, client.ask(ReqOpenOrders()))} == {2}


def test_a_day_order_of_the_night_is_for_the_next_session() -> None:
    client = Client(scenario(clock=CLOSE + timedelta(hours=5)))
    client.trade(1, RESTS)
    assert words(client.wait(18 * 3600))[-1] == "status Submitted 0/5"
    assert words(client.wait(3600)) == ["status Cancelled 0/5", "error 202"]


def test_a_changed_time_in_force_changes_the_end() -> None:
    client = Client(scenario(clock=CLOSE - timedelta(hours=1)))
    client.trade(1, RESTS)
    client.trade(1, RESTS._replace(tif="GTC"))
    assert words(client.wait(7200)) == []


def test_day_orders_of_a_staged_open_market_work_on() -> None:
    client = Client()
    client.trade(1, RESTS)
    assert words(client.wait(24 * 3600)) == []


def test_fill_or_kill_is_never_filled_in_part() -> None:
    client = Client(behaving(OrderBehaviour(fills=(FillStep(quantity=Decimal(2)), FillStep()))))
    told = client.trade(1, order("BUY", 5, tif="FOK"))
    assert words(told)[-1] == "status Inactive 0/5"
    assert not only(ExecDetails, told)


def test_what_waits_over_the_night_goes_on_step_by_step() -> None:
    clock = datetime(2025, 7, 1, 19, 59, tzinfo=timezone.utc)
    steps = (FillStep(quantity=Decimal(2)), FillStep(after_sec=120), FillStep())
    rule = OrderRule(then=OrderBehaviour(fills=steps))
    client = Client(scenario(clock=clock, order_rules=(rule,)))
    told = client.trade(1, order("BUY", 5, tif="GTC"))
    client.wait(120)
    for price in (601, 602):
        client.inject(ScheduledEvent(what="price", symbol="SPY", value=Decimal(price)))
    assert words(told)[-2:] == ["status Submitted 2/3", "commission 1.00"]
    morning = only(ExecDetails, client.wait(24 * 3600))
    assert [(fill.shares, fill.time[9:14]) for fill in morning] == [(Decimal(3), "09:30")]


def test_the_notice_of_a_held_order_names_the_next_opening() -> None:
    clock = datetime(2025, 7, 3, 18, 0, tzinfo=timezone.utc)
    told = Client(scenario(clock=clock)).trade(1, order("BUY", 5))
    assert "until 2025-07-07 09:30:00 US/Eastern" in only(ErrorMessage, told)[0].text


def test_outside_rth_works_for_limit_orders_only() -> None:
    limit = order("BUY", 5, order_type="LMT", lmt_price=Decimal(700), outside_rth=True)
    assert "status Filled 5/0" in words(Client(scenario(market="pre")).trade(1, limit))
    told = Client(scenario(market="pre")).trade(1, order("BUY", 5, outside_rth=True))
    assert codes(told) == [2109, 399]


def test_a_halted_symbol_does_not_fill_until_it_trades_again() -> None:
    spy = replace(SPY, market_data=MarketDataSetup(halted=1))
    client = Client(scenario(contracts=(spy, *scenario().contracts[1:])))
    assert not only(ExecDetails, client.trade(1, order("BUY", 5)))
    told = client.inject(ScheduledEvent(what="halt", symbol="SPY", value=Decimal(0)))
    assert "status Filled 5/0" in words(told)


def test_an_empty_time_in_force_becomes_day_with_10349_and_the_order_lives() -> None:
    told = Client().trade(1, order("BUY", 5, tif=""))
    assert codes(told) == [10349]
    assert only(OpenOrder, told)[0].order.tif == "DAY"
    assert "status Filled 5/0" in words(told)


def test_immediate_orders_end_when_they_do_not_fill() -> None:
    told = Client().trade(1, RESTS._replace(tif="IOC"))
    assert words(told)[-3:] == ["status PendingCancel 0/5", "status Cancelled 0/5", "error 202"]
    told = Client().trade(1, RESTS._replace(tif="FOK"))
    assert words(told)[-1] == "status Inactive 0/5"


def test_an_untransmitted_order_is_silent_until_sent_again() -> None:
    client = Client()
    assert client.trade(1, order("BUY", 5, transmit=False)) == []
    assert words(client.ask(ReqOpenOrders())) == ["OpenOrderEnd"]
    assert "status Filled 5/0" in words(client.trade(1, order("BUY", 5)))


@pytest.mark.parametrize(
    ("changes", "contract", "code"),
    [
        ({"account": OTHER_ACCOUNT}, SPY, 321),
        ({"action": "HOLD"}, SPY, 321),
        ({"total_quantity": Decimal(0)}, SPY, 434),
        ({"total_quantity": None}, SPY, 434),
        ({"total_quantity": Decimal(-5)}, SPY, 321),
        ({"total_quantity": Decimal("1.5")}, SPY, 10243),
        ({"order_type": "STP"}, SPY, 387),
        ({"order_type": "MIDPRICE"}, CALL, 387),
        ({"tif": "GTX"}, SPY, 321),
        ({"order_type": "LMT"}, SPY, 321),
        ({"order_type": "LMT", "lmt_price": Decimal("600.005")}, SPY, 110),
        ({"algo_strategy": "Vwap"}, SPY, 442),
        ({"algo_strategy": "Adaptive"}, SPY, 442),
        (
            {
                "algo_strategy": "Adaptive",
                "algo_params": (TagValue(tag="adaptivePriority", value="Fast"),),
            },
            SPY,
            442,
        ),
    ],
)
def test_what_tws_refuses_before_an_order_exists(
    changes: dict[str, object], contract: ContractSetup, code: int
) -> None:
    client = Client()
    bad = order("BUY", 1)._replace(**changes)  # type: ignore[arg-type]
    told = client.trade(1, bad, contract)
    assert words(told) == [f"error {code}"]
    assert only(ErrorMessage, told)[0].id == 1
    assert "status Filled 1/0" in words(client.trade(1, order("BUY", 1)))


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (ContractKey(con_id=99, exchange="SMART"), 200),
        (ContractKey(con_id=1), 321),
        (ContractKey(con_id=1, exchange="LSE"), 200),
    ],
)
def test_orders_need_a_known_contract(key: ContractKey, code: int) -> None:
    told = Client().ask(PlaceOrder(order_id=1, contract=key, order=order("BUY", 1)))
    assert codes(told) == [code]


def test_a_multi_account_login_needs_the_account() -> None:
    client = Client(scenario(accounts=(account(), account(account_id=OTHER_ACCOUNT))))
    assert codes(client.place(1, order("BUY", 1, account=""))) == [435]
    told = Client().trade(1, order("BUY", 1, account=""))
    assert only(ExecDetails, told)[0].account == ACCOUNT


def test_a_contract_can_lack_algos_and_midprice() -> None:
    plain = replace(SPY, algos=False, midprice=False)
    client = Client(scenario(contracts=(plain, *scenario().contracts[1:])))
    adaptive = order("BUY", 1, algo_strategy="Adaptive", algo_params=ADAPTIVE)
    assert codes(client.place(1, adaptive)) == [442]
    assert codes(client.place(1, order("BUY", 1, order_type="MIDPRICE"))) == [387]


def test_fractional_orders_where_they_are_permitted() -> None:
    client = Client(scenario(gateway=GatewaySettings(fractional_orders=True)))
    assert "status Filled 1.5/0.0" in words(client.trade(1, order("BUY", "1.5")))
    assert codes(client.place(2, order("BUY", "1.00001"))) == [10243]


def test_a_read_only_api_refuses_orders_and_cancels() -> None:
    client = Client(scenario(gateway=GatewaySettings(read_only_api=True)))
    assert codes(client.place(1, order("BUY", 1))) == [321]
    assert codes(client.cancel(1)) == [321]
    assert codes(client.ask(ReqGlobalCancel())) == [321]


def test_a_purchase_the_margin_does_not_carry_is_rejected() -> None:
    client = Client()
    told = client.trade(1, order("BUY", 100))
    assert words(told) == ["status Inactive 0/100", "error 201"]
    assert "EQUITY WITH LOAN VALUE" in only(ErrorMessage, told)[0].text
    assert holdings(client.ask(ReqPositions()))[1] == 20


def test_working_purchases_count_against_the_margin() -> None:
    client = Client()
    client.place(1, order("BUY", 30, order_type="LMT", lmt_price=Decimal(500)))
    assert codes(client.trade(2, order("BUY", 30))) == [201]


def test_short_sales_are_refused_unless_permitted() -> None:
    client = Client()
    client.place(1, RESTS._replace(action="SELL", lmt_price=Decimal(900)))
    assert codes(client.trade(2, order("SELL", 16))) == [201]
    assert "status Filled 15/0" in words(client.trade(3, order("SELL", 15)))
    permitted = Client(scenario(gateway=GatewaySettings(short_sales=True)))
    permitted.trade(1, order("SELL", 25))
    assert holdings(permitted.ask(ReqPositions()))[1] == -5


def test_too_many_working_orders_on_one_side_are_rejected() -> None:
    client = Client(scenario(gateway=GatewaySettings(working_orders_per_contract=2)))
    small = RESTS._replace(total_quantity=Decimal(1))
    assert [codes(client.trade(n, small)) for n in (1, 2, 3)] == [[], [], [201]]


def test_the_id_of_a_working_order_changes_it() -> None:
    client = Client()
    client.trade(1, RESTS)
    told = client.trade(1, RESTS._replace(lmt_price=Decimal(650), total_quantity=Decimal(6)))
    assert "status Filled 6/0" in words(told)
    assert len(only(ExecDetails, told)) == 1


def test_changes_must_match_the_order() -> None:
    client = Client()
    client.trade(1, RESTS)
    assert codes(client.place(1, RESTS._replace(action="SELL"))) == [105]
    assert codes(client.place(1, RESTS, IAU)) == [105]
    assert words(client.ask(ReqOpenOrders())) == [
        "open Submitted",
        "status Submitted 0/5",
        "OpenOrderEnd",
    ]


def test_used_ids_are_refused() -> None:
    client = Client()
    client.trade(5, order("BUY", 1))
    assert codes(client.place(5, order("BUY", 1))) == [104]
    assert codes(client.place(4, order("BUY", 1))) == [103]
    client.trade(6, RESTS)
    client.cancel(6)
    assert codes(client.place(6, RESTS)) == [103]
    assert codes(client.place(0, RESTS)) == [321]


def test_a_cancel_is_confirmed_with_202() -> None:
    client = Client()
    client.trade(1, RESTS)
    assert words(client.cancel(1)) == [
        "status PendingCancel 0/5",
        "status Cancelled 0/5",
        "error 202",
    ]
    assert words(client.ask(ReqOpenOrders())) == ["OpenOrderEnd"]


def test_cancelling_what_is_finished_or_unknown() -> None:
    client = Client()
    client.trade(1, order("BUY", 1))
    assert codes(client.cancel(1)) == [10148]
    assert "state: Filled" in only(ErrorMessage, client.cancel(1))[0].text
    assert codes(client.cancel(77)) == [10147]


def test_a_client_may_cancel_the_order_of_another_by_its_id() -> None:
    client = Client()
    client.trade(7, RESTS._replace(tif="GTC"))
    other = Client(client_id=2, other=client)
    told = client.exchange.handle(2, CancelOrder(order_id=7), client.now)
    for listener in (1, 2):
        messages = [item.message for item in told if item.client_id == listener]
        assert words(messages) == ["status PendingCancel 0/5", "status Cancelled 0/5", "error 202"]
        assert {m.client_id for m in only(OrderStatus, messages)} == {1}
    assert words(other.ask(ReqAllOpenOrders())) == ["OpenOrderEnd"]


def test_an_order_of_ones_own_comes_first_and_an_id_of_several_others_is_not_found() -> None:
    client = Client()
    client.trade(7, RESTS)
    other = Client(client_id=2, other=client)
    other.trade(7, RESTS)
    third = Client(client_id=3, other=client)
    assert codes(third.cancel(7)) == [10147]
    assert words(other.cancel(7))[-1] == "error 202"
    assert len(only(OpenOrder, client.ask(ReqOpenOrders()))) == 1
    assert words(third.cancel(7))[-1] == "error 202"


def test_global_cancel_reaches_every_client() -> None:
    client = Client()
    client.trade(1, RESTS)
    other = Client(client_id=2, other=client)
    other.trade(1, RESTS)
    told = client.exchange.handle(2, ReqGlobalCancel(), other.now)
    assert {item.client_id for item in told} == {1, 2}


@pytest.mark.parametrize(("side", "change"), [("BUY", 1), ("SELL", -1)])
def test_a_what_if_previews_margin_and_commission_and_does_nothing(side: str, change: int) -> None:
    client = Client()
    (preview,) = client.ask(
        PlaceOrder(order_id=1, contract=stock(), order=order(side, 10, what_if=True))
    )
    assert isinstance(preview, OpenOrder)
    assert preview.order.what_if
    assert preview.state.init_margin_before == 6000
    assert preview.state.init_margin_change == change * Decimal("3000.05")
    assert preview.state.commission == 1
    assert client.wait() == []
    assert codes(client.trade(1, order("BUY", 1))) == []


def test_a_what_if_beyond_the_margin_adds_201() -> None:
    told = Client().place(1, order("BUY", 1000, what_if=True))
    assert words(told) == ["open PreSubmitted 5.000", "error 201"]


def test_a_what_if_without_time_in_force_only_gets_the_preset_notice() -> None:
    assert words(Client().place(1, order("BUY", 1, what_if=True, tif=""))) == ["error 10349"]


def _five_hundred_contracts() -> Scenario:
    many = tuple(replace(IAU, con_id=1000 + n, symbol=f"ETF{n}") for n in range(500))
    return scenario(accounts=(account(cash={"USD": Decimal(10**7)}, positions=()),), contracts=many)


def test_five_hundred_orders_at_once_all_fill() -> None:
    setting = _five_hundred_contracts()
    client = Client(setting)
    client.ask(ReqAccountUpdates(subscribe=True))
    for order_id, contract in enumerate(setting.contracts, start=1):
        client.place(order_id, order("BUY", 1), contract)
    statuses = [word for word in words(client.wait()) if word.startswith("status")]
    assert statuses == ["status Filled 1/0"] * 500
