"""An account that goes on from one gateway to the next, through a file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from src.simulator.keeping import begin, save_scenario
from src.simulator.messages.requests import (
    ReqAccountUpdates,
    ReqAllOpenOrders,
    ReqCompletedOrders,
    ReqExecutions,
)
from src.simulator.messages.responses import CompletedOrder, ExecDetails, OpenOrder
from src.simulator.orders.state import FINISHED_KEPT
from src.simulator.scenario.records import (
    FillStep,
    OrderBehaviour,
    OrderRule,
    Scenario,
    ScenarioError,
    ScheduledEvent,
    load_scenario,
)
from tests.kits.exchange_kit import (
    ACCOUNT,
    START,
    Client,
    account,
    behaving,
    only,
    order,
    scenario,
    values,
    words,
)

IN_PARTS = OrderBehaviour(parts=4, fill_delay_sec=1)


def carried(client: Client, path: Path, setting: Scenario, later_sec: float = 0) -> Client:
    """A client of a new gateway that goes on from what the other's left, some seconds later."""
    client.leave()
    save_scenario(client.exchange.kept(client.now), path)
    scenario_file = path.with_name("scenario.json")
    save_scenario(setting, scenario_file)
    now = client.now + timedelta(seconds=later_sec)
    again = Client(setting)  # its own exchange is replaced
    again.exchange, again.now = begin(load_scenario(scenario_file, kept=path), now), now
    again.greeting = again._own(again.exchange.connect(again.client_id, now))
    return again


def test_money_positions_and_prices_go_on(tmp_path: Path) -> None:
    client = Client(scenario())
    client.trade(1, order("BUY", 5))
    client.inject(ScheduledEvent(what="price", symbol="SPY", value=Decimal(610)))
    ask = ReqAccountUpdates(subscribe=True, account=ACCOUNT)
    before = values(client.ask(ask))
    again = carried(client, tmp_path / "kept.json", scenario(), later_sec=3600)
    assert values(again.ask(ask)) == before
    assert again.exchange._floor.market.price(again.exchange.scenario.contract("SPY")) == 610


def test_executions_and_finished_orders_keep_their_names(tmp_path: Path) -> None:
    client = Client(behaving(IN_PARTS))
    client.place(1, order("BUY", 8))
    client.wait(10)
    client.place(2, order("SELL", 3))
    client.cancel(2)
    asked = (ReqExecutions(req_id=1), ReqCompletedOrders(api_only=False))
    before = [client.ask(request) for request in asked]
    again = carried(client, tmp_path / "kept.json", scenario())
    after = [again.ask(request) for request in asked]
    old, new = (only(ExecDetails, told) for told in (before[0], after[0]))
    assert [(one.exec_id, one.shares, one.price, one.time) for one in new] == [
        (one.exec_id, one.shares, one.price, one.time) for one in old
    ]
    done = [(one.perm_id, one.status) for one in only(CompletedOrder, before[1])]
    assert [(one.perm_id, one.status) for one in only(CompletedOrder, after[1])] == done
    again.place(3, order("BUY", 1))
    (fill,) = only(ExecDetails, again.wait())
    assert fill.exec_id not in {one.exec_id for one in old}


def test_order_ids_go_on(tmp_path: Path) -> None:
    client = Client()
    client.trade(7, order("BUY", 5))
    again = carried(client, tmp_path / "kept.json", scenario())
    assert words(again.place(7, order("BUY", 5))) == ["error 104"]
    assert again.exchange._floor.book.next_valid_id(1) == 8


def test_what_works_is_filled_while_nobody_looks(tmp_path: Path) -> None:
    client = Client(behaving(IN_PARTS))
    client.place(1, order("BUY", 8))
    client.wait(2)
    again = carried(client, tmp_path / "kept.json", behaving(IN_PARTS), later_sec=60)
    fills = only(ExecDetails, again.ask(ReqExecutions(req_id=1)))
    assert [fill.shares for fill in fills] == [2, 2, 2, 2]
    assert not only(OpenOrder, again.ask(ReqAllOpenOrders()))


def test_what_works_goes_on_working_where_time_has_not_passed(tmp_path: Path) -> None:
    client = Client(behaving(IN_PARTS))
    client.place(1, order("BUY", 8))
    client.wait(2)
    again = carried(client, tmp_path / "kept.json", behaving(IN_PARTS))
    (works,) = only(OpenOrder, again.ask(ReqAllOpenOrders()))
    assert works.order.total_quantity == 8
    assert works.state.status == "Submitted"
    told = [message for _ in range(9) for message in again.wait(1)]
    assert [fill.shares for fill in only(ExecDetails, told)] == [2, 2]
    assert words(again.ask(ReqAllOpenOrders()))[:-1] == []


def test_an_order_that_rests_by_its_scenario_rests_on(tmp_path: Path) -> None:
    rests = OrderBehaviour(never_fills=True)
    client = Client(behaving(rests))
    client.place(1, order("BUY", 8))
    client.wait(2)
    again = carried(client, tmp_path / "kept.json", behaving(rests), later_sec=60)
    assert only(OpenOrder, again.ask(ReqAllOpenOrders()))


def test_proceeds_settle_when_they_would_have(tmp_path: Path) -> None:
    setting = scenario(accounts=(account(type="cash"),))
    client = Client(setting)
    client.trade(1, order("SELL", 5))
    path = tmp_path / "kept.json"
    ask = ReqAccountUpdates(subscribe=True, account=ACCOUNT)
    soon = carried(client, path, setting, later_sec=60)
    assert values(soon.ask(ask))["SettledCash", "USD"] == "10374.00"
    next_day = carried(soon, path, setting, later_sec=24 * 3600)
    assert values(next_day.ask(ask))["SettledCash", "USD"] == "13373.95"


def test_another_scenario_may_be_played_with_the_account(tmp_path: Path) -> None:
    client = Client()
    client.trade(1, order("BUY", 5))
    rule = OrderRule(then=OrderBehaviour(fills=(FillStep(quantity=Decimal(1)),)))
    again = carried(client, tmp_path / "kept.json", scenario(order_rules=(rule,)))
    assert [fill.shares for fill in only(ExecDetails, again.trade(2, order("BUY", 5)))] == [1]


def test_the_clock_of_a_scenario_starts_anew(tmp_path: Path) -> None:
    client = Client()
    staged = scenario(clock=START + timedelta(days=100))
    again = carried(client, tmp_path / "kept.json", staged, later_sec=7200)
    assert again.now + again.exchange._offset == START + timedelta(days=100)


@pytest.mark.parametrize("text", ["{}", "[]", '{"accounts": []}', "SPY,1", ""])
def test_a_file_that_no_gateway_wrote_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"mine\.json"):
        load_scenario(kept=path)
    assert path.read_text(encoding="utf-8") == text


def test_what_is_wrong_in_a_kept_file_is_named_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    save_scenario(Client().exchange.kept(START), path)
    data = json.loads(path.read_text(encoding="utf-8"))
    data["accounts"][0]["cash"]["USD"] = "much"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"kept\.json: accounts\[0\]\.cash\.USD: expected"):
        load_scenario(kept=path)


def test_finished_orders_are_forgotten_in_time_and_working_ones_never() -> None:
    client = Client(behaving(OrderBehaviour(never_fills=True), numbers=(1,)))
    client.place(1, order("BUY", 1))
    for number in range(2, 2 * FINISHED_KEPT + 50):
        client.trade(number, order("BUY" if number % 2 else "SELL", 1))
    book = client.exchange._floor.book
    assert FINISHED_KEPT <= len(book.orders) <= 2 * FINISHED_KEPT
    assert len(book.executions) < 2 * FINISHED_KEPT
    assert book.told_commissions == {one.exec_id for one in book.executions.values()}
    (works,) = only(OpenOrder, client.ask(ReqAllOpenOrders()))
    assert works.order_id == 1
    assert words(client.place(2, order("BUY", 1))) == ["error 103"]


def test_a_scenario_is_written_so_that_it_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "sample.json"
    sample = replace(load_scenario(), kept_at=START)
    save_scenario(sample, path)
    assert load_scenario(path) == sample
