"""A market that moves: prices wander, fills take their time, costs are charged as IBKR does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.simulator.market.chance import draw, draw_step
from src.simulator.messages.orders import Order, TagValue
from src.simulator.messages.requests import ReqExecutions, ReqMktData
from src.simulator.messages.responses import CommissionReport, ExecDetails, OpenOrder
from src.simulator.scenario.records import (
    CommissionSetup,
    OrderBehaviour,
    Scenario,
    ScheduledEvent,
)
from tests.kits.exchange_kit import (
    IAU,
    SPY,
    Client,
    account,
    behaving,
    only,
    order,
    prices,
    scenario,
    stock,
    words,
)
from tests.kits.raw_client import ASK_TIME, Stage, play

LAST_TICK = 4


def watched(setting: Scenario, seconds: int) -> list[Decimal]:
    """The last price of SPY, second by second."""
    client = Client(setting)
    client.ask(ReqMktData(req_id=1, contract=stock(SPY)))
    seen = [prices(client.wait(1)).get(LAST_TICK) for _ in range(seconds)]
    return [price for price in seen if price is not None]


# --- prices ---------------------------------------------------------------------------------


def test_prices_stand_still_unless_a_scenario_moves_them() -> None:
    client = Client()
    assert watched(scenario(), 100) == []
    assert client.exchange.next_due_utc() is None


def test_prices_go_up_and_down_around_the_scripted_one() -> None:
    seen = watched(scenario(daily_move_pct=1.0), 2000)
    moves = [after - before for before, after in pairwise(seen)]
    assert min(moves) < 0 < max(moves)
    assert max(map(abs, moves)) < SPY.price / 1000
    assert SPY.price * Decimal("0.98") < min(seen) < max(seen) < SPY.price * Decimal("1.02")
    assert all(price % SPY.min_tick == 0 for price in seen)


def test_the_same_seed_is_the_same_day_and_another_is_another() -> None:
    one = scenario(daily_move_pct=1.0)
    assert watched(one, 50) == watched(one, 50)
    assert watched(one, 50) != watched(replace(one, seed=2), 50)


def test_prices_wander_on_from_where_an_event_puts_them() -> None:
    jump = ScheduledEvent(what="price", symbol="SPY", after_sec=5.5, value=Decimal(400))
    seen = watched(scenario(daily_move_pct=1.0, events=(jump,)), 30)
    assert all(abs(price - 400) < 4 for price in seen[-20:])
    assert len(set(seen[-20:])) > 5


def test_nothing_moves_while_nobody_is_there() -> None:
    client = Client(scenario(daily_move_pct=1.0))
    client.leave()
    client.wait(2)
    assert client.exchange.next_due_utc() is None
    Client(client_id=2, other=client)
    assert client.exchange.next_due_utc() is not None


def test_a_limit_that_the_market_comes_to_fills() -> None:
    client = Client(scenario(daily_move_pct=2.0))
    limit = SPY.price - Decimal("0.20")
    client.place(1, order("BUY", 5, order_type="LMT", lmt_price=limit))
    (fill,) = only(ExecDetails, client.wait(3600))
    assert fill.price <= limit


@given(st.integers(0, 2**64), st.integers(0, 2**31), st.integers(0, 10**6))
def test_chance_is_even_and_within_its_bounds(seed: int, name: int, number: int) -> None:
    assert 0 <= draw(seed, name, number) < 1
    assert abs(draw_step(seed, name, number)) < 3.5
    assert draw(seed, name, number) == draw(seed, name, number)


def test_chance_has_no_lean() -> None:
    steps = [draw_step(1, 756733, number) for number in range(5000)]
    assert abs(fmean(steps)) < 0.05
    assert fmean(step * step for step in steps) == pytest.approx(1, abs=0.05)
    assert abs(fmean(a * b for a, b in pairwise(steps))) < 0.05


# --- fills ----------------------------------------------------------------------------------


LIVELY = scenario(fill_delay_sec=0.8, fill_spread_sec=0.6)


def adaptive(priority: str) -> Order:
    """A market order by the Adaptive algo."""
    param = TagValue(tag="adaptivePriority", value=priority)
    return order("BUY", 1, algo_strategy="Adaptive", algo_params=(param,))


def seconds_to_fill(what: Order, count: int = 15, limit_sec: float = 300) -> list[float]:
    """How long each of so many orders took; those that took longer than the limit are missing."""
    client = Client(replace(LIVELY, accounts=(account(cash={"USD": Decimal(10**6)}),)))
    for order_id in range(1, count + 1):
        client.place(order_id, what)
    began, found = client.now, []
    while (due := client.exchange.next_due_utc()) and (due - began).total_seconds() <= limit_sec:
        client.now = due
        fills = only(ExecDetails, client.wait(0))
        found += [(due - began).total_seconds()] * len(fills)
    return found


def test_market_orders_fill_after_a_second_or_two_each_in_its_own_time() -> None:
    taken = seconds_to_fill(order("BUY", 1))
    assert len(set(taken)) == 15
    assert 0.8 <= min(taken) < max(taken) <= 2


def test_adaptive_orders_are_slower_the_more_patient_they_are() -> None:
    kinds = (order("BUY", 1), *map(adaptive, ("Urgent", "Normal", "Patient")))
    medians = [median(seconds_to_fill(kind)) for kind in kinds]
    assert medians == sorted(medians)
    assert max(seconds_to_fill(adaptive("Patient"))) < 5


def test_some_midprice_orders_find_nobody_within_their_time() -> None:
    midprice = order("BUY", 1, order_type="MIDPRICE", lmt_price=Decimal(0))
    taken = seconds_to_fill(midprice)
    assert median(taken) > 3
    assert len(seconds_to_fill(midprice, limit_sec=20)) < 15


def test_without_a_spread_every_fill_takes_the_same_time() -> None:
    client = Client(scenario(fill_delay_sec=2))
    client.place(1, order("BUY", 5))
    assert not only(ExecDetails, client.wait(1.9))
    assert only(ExecDetails, client.wait(0.2))


@pytest.mark.parametrize(
    ("ordered", "shares"),
    [(10, [2, 2, 2, 2, 2]), (13, [3, 3, 3, 3, 1]), (7, [2, 2, 2, 1]), (1, [1])],
)
def test_fills_come_in_parts_where_the_scenario_says_so(ordered: int, shares: list[int]) -> None:
    client = Client(behaving(OrderBehaviour(parts=5, fill_delay_sec=1)))
    client.place(1, order("BUY", ordered))
    told = [message for _ in range(8) for message in client.wait(1)]
    assert [fill.shares for fill in only(ExecDetails, told)] == shares


def test_a_part_is_cancelled_with_the_rest() -> None:
    client = Client(behaving(OrderBehaviour(parts=4, fill_delay_sec=1)))
    client.place(1, order("BUY", 8))
    client.wait(1)
    told = words(client.cancel(1))
    assert "status Cancelled 2/6" in told
    assert client.wait(60) == []


# --- costs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "value", "expected"),
    [
        (1, 600, "1.00"),  # the minimum
        (300, 30_000, "1.50"),  # half a cent a share
        (1, 60, "0.60"),  # 1% of the value is less than the minimum
        (1000, 400, "4.00"),  # and less than half a cent a share
    ],
)
def test_commission_is_by_the_share_at_least_a_dollar_and_at_most_one_percent(
    shares: int, value: int, expected: str
) -> None:
    assert CommissionSetup().charged(Decimal(shares), Decimal(value)) == Decimal(expected)


def test_the_cap_holds_for_the_whole_order_and_for_its_preview() -> None:
    client = Client(behaving(OrderBehaviour(parts=3)))
    (preview,) = only(OpenOrder, client.place(1, order("BUY", 1, what_if=True), IAU))
    assert preview.state.commission == Decimal("0.6001")
    client.place(2, order("BUY", 1), IAU)
    client.place(3, order("BUY", 3), IAU)
    charged = [report.commission for report in only(CommissionReport, client.wait(5))]
    assert charged == [Decimal("0.6001"), Decimal("0.6001"), Decimal("0.3999"), 0]


# --- restart --------------------------------------------------------------------------------


def test_a_restart_drops_everybody_and_lets_nobody_in_for_a_while() -> None:
    client = Client(scenario(fill_delay_sec=3))
    client.place(1, order("BUY", 5))
    client.inject(ScheduledEvent(what="restart", value=Decimal(60)))
    assert client.exchange.is_away(client.now)
    client.leave()
    client.wait(59)
    assert client.exchange.is_away(client.now)
    client.wait(1)
    assert not client.exchange.is_away(client.now)
    back = Client(client_id=1, other=client)
    assert only(ExecDetails, back.ask(ReqExecutions(req_id=1)))


def test_at_the_socket_a_restart_is_a_closed_connection_and_then_a_refused_one() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        stage.exchange.away = True
        await client.send(ASK_TIME)
        await client.rest()
        refused = await stage.connect()
        assert await refused.rest() == b""
        stage.exchange.away = False
        again = await stage.connect()
        await again.start()

    play(scene)
