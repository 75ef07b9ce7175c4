"""What is true when an order leaves, not when the run began: prices, sessions, the account."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from src.core.orders.events import LinkState
from src.core.records.orders import Side
from tests.kits.builders import dec
from tests.kits.execution_kit import Meanwhile, Stage, buy, sell, statuses, trading, with_settings
from tests.kits.fakes import Behaviour, FakeDesk, FakeOrder, fills, ignores, rejects, rests

SLOW_SEC = 100.0


def desk(cash: int = 100_000) -> FakeDesk:
    return FakeDesk(cash=Decimal(cash))


def bought(stage: Stage) -> list[Decimal]:
    return [one.qty_shares for one in stage.desk.placed() if one.side is Side.BUY]


def price_at(after_sec: float, symbol: str, price_usd: int) -> Meanwhile:
    async def move(stage: Stage) -> None:
        await asyncio.sleep(after_sec)
        stage.desk.prices[symbol] = price_usd

    return move


# --- prices ----------------------------------------------------------------------------------


def test_quotes_for_the_buys_are_read_after_the_last_sell_has_ended() -> None:
    """The price rises by a fifth while a sell takes its time: a share less is bought, or two."""
    stage = Stage(tickets=(sell("AAA", 10), buy("BBB", 10)), desk=desk(1))
    stage.behave("AAA", fills(SLOW_SEC))
    result = stage.play(price_at(SLOW_SEC / 2, "BBB", 120))
    assert bought(stage) == [dec(8)]
    assert "refitted from 10" in result.outcomes[1].notes


def test_a_buy_without_a_price_of_now_is_not_sent() -> None:
    async def fade(stage: Stage) -> None:
        await asyncio.sleep(SLOW_SEC / 2)
        del stage.desk.prices["BBB"]

    stage = Stage(tickets=(sell("AAA"), buy("BBB"), buy("CCC")), desk=desk())
    stage.behave("AAA", fills(SLOW_SEC))
    result = stage.play(fade)
    assert statuses(result) == ["Filled", "Skipped", "Filled"]
    assert "no usable price" in result.outcomes[1].error


def test_prices_that_never_come_hold_up_the_buys_for_a_bounded_time() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk())
    stage.desk.quotes_after = 10_000
    result = stage.play()
    assert statuses(result) == ["Filled", "Skipped"]
    assert max(moment for moment, _, _ in stage.desk.wire) < 60


def test_without_sells_the_prices_of_a_moment_ago_do() -> None:
    stage = Stage(tickets=(buy("BBB"),), desk=desk())
    stage.desk.quotes_after = 10_000
    assert statuses(stage.play()) == ["Filled"]


def test_one_order_at_a_time_reads_prices_that_have_grown_old_again() -> None:
    stage = Stage(tickets=(buy("BBB", 10), buy("CCC", 10)), desk=desk(2010))
    stage.behave("BBB", fills(SLOW_SEC))
    result = with_settings(stage, batch_orders=False).play(price_at(SLOW_SEC / 2, "CCC", 150))
    assert bought(stage) == [dec(10), dec(6)]
    assert statuses(result) == ["Filled", "Filled"]


def test_one_order_at_a_time_keeps_the_money_of_a_buy_in_doubt() -> None:
    """Nobody knows whether the first buy was executed: its money is not spent again."""
    stage = Stage(tickets=(buy("BBB", 10), buy("CCC", 10)), desk=desk(1500))
    stage.behave("BBB", ignores)
    result = with_settings(stage, batch_orders=False).play()
    assert statuses(result) == ["Unresolved", "Filled"]
    assert bought(stage) == [dec(10), dec(5)]


# --- sessions --------------------------------------------------------------------------------


def closing(stage: Stage, after_sec: float, *symbols: str) -> Stage:
    """The session of these symbols (all, if none is named) ends so long after noon."""
    for one in stage.tickets:
        hours = after_sec / 3600 if not symbols or one.symbol in symbols else 9
        stage.listings[one.symbol] = trading(one.symbol, hours=hours)
    return stage


def test_a_market_that_closes_between_sells_and_buys_gets_no_buys() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB"), buy("CCC")), desk=desk())
    stage.behave("AAA", fills(SLOW_SEC))
    result = closing(stage, SLOW_SEC / 2).play()
    assert statuses(result) == ["Filled", "Skipped", "Skipped"]
    assert len(stage.desk.placed()) == 1
    error = result.outcomes[1].error
    assert "the market is closed since 2025-01-31 17:00 UTC" in error
    assert "it opens 2025-02-01 14:00 UTC" in error
    assert result.alarms == ()


def test_each_symbol_has_its_own_session() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB"), buy("CCC")), desk=desk())
    stage.behave("AAA", fills(SLOW_SEC))
    result = closing(stage, SLOW_SEC / 2, "BBB").play()
    assert statuses(result) == ["Filled", "Skipped", "Filled"]


def test_a_fallback_after_the_close_is_not_sent() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk())
    stage.behave("AAA", rejects(442, "bad algo", after=SLOW_SEC))
    result = with_settings(closing(stage, SLOW_SEC / 2), algo_preference="adaptive").play()
    assert statuses(result) == ["Rejected", "Filled"]
    assert len(stage.desk.placed()) == 2
    assert any("the market is closed" in note for note in result.outcomes[0].notes)


@pytest.mark.parametrize(("hours", "expected"), [(-3, "Filled"), (3, "Skipped")])
def test_the_gateways_clock_tells_whether_the_market_is_open(hours: int, expected: str) -> None:
    stage = closing(Stage(tickets=(sell("AAA"),), desk=desk()), 2 * 3600)
    stage.clock_offset = timedelta(hours=hours)
    assert statuses(stage.play()) == [expected]


def test_an_unknown_session_is_a_closed_one() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk())
    stage.listings = {"BBB": trading("BBB"), "AAA": replace(trading("AAA"), regular_sessions=())}
    assert statuses(stage.play()) == ["Skipped", "Filled"]


# --- the account after a gap -----------------------------------------------------------------


def gap(during: Behaviour | None = None, at_sec: float = 50, code: int = 1102) -> Meanwhile:
    """The gateway loses its line; while it is away something happens, and nobody says so."""

    async def outage(stage: Stage) -> None:
        await asyncio.sleep(at_sec)
        stage.desk.link(LinkState.UPSTREAM_LOST, 1100)
        stage.desk.is_connected = False
        await asyncio.sleep(5)
        if during is not None:
            during(stage.desk.orders[0])
        stage.desk.is_connected = True
        stage.desk.link(LinkState.UPSTREAM_BACK, code)

    return outage


def stranger_buys(symbol: str, qty: int, cost: int) -> Behaviour:
    """Another client's purchase: it shows in positions and cash, not among our executions."""

    def act(order: FakeOrder) -> None:
        held = order.desk.holdings.get(symbol, 0)
        order.desk.holdings[symbol] = dec(held) + qty
        order.desk.cash -= cost

    return act


def quoted(stage: Stage, after_sec: float) -> Stage:
    """The quotes for the buys take so long: meanwhile no order is open."""
    stage.desk.quotes_after = after_sec
    return stage


@pytest.mark.parametrize("code", [1101, 1102])
@pytest.mark.parametrize("open_order", [True, False])
def test_a_manual_trade_in_a_gap_ends_the_sending(code: int, *, open_order: bool) -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB", 5), buy("CCC", 5)), desk=desk())
    stage.behave("AAA", fills(SLOW_SEC if open_order else 49))
    stage = quoted(stage, 0.01 if open_order else 12)
    result = stage.play(gap(stranger_buys("BBB", 3, 300), code=code))
    assert statuses(result) == ["Filled", "Skipped", "Skipped"]
    assert len(stage.desk.placed()) == 1
    assert "the account changed during a gap: BBB: the account shows 3 shares" in (
        result.outcomes[1].error
    )


def test_a_gap_without_anything_in_it_changes_nothing() -> None:
    stage = quoted(Stage(tickets=(sell("AAA"), buy("BBB", 5)), desk=desk()), 12)
    stage.behave("AAA", fills(49))
    assert statuses(stage.play(gap())) == ["Filled", "Filled"]


def test_a_fill_in_the_gap_is_no_stranger() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB", 5)), desk=desk()).behave("AAA", fills(52))
    assert statuses(stage.play(gap())) == ["Filled", "Filled"]


def test_money_that_left_in_a_gap_is_not_spent() -> None:
    """Somebody bought what the plan does not know: the buys get what is left of the cash."""
    stage = Stage(tickets=(sell("AAA", 10), buy("BBB", 12)), desk=desk(1000))
    stage.behave("AAA", fills(SLOW_SEC))
    result = stage.play(gap(stranger_buys("ZZZ", 10, 900)))
    assert bought(stage) == [dec(10)]
    assert "refitted from 12" in result.outcomes[1].notes


def test_money_that_left_in_a_gap_between_the_buys_ends_the_sending() -> None:
    stage = Stage(tickets=(buy("BBB", 5), buy("CCC", 5)), desk=desk(1002))
    stage.behave("BBB", fills(SLOW_SEC))
    result = with_settings(stage, batch_orders=False).play(gap(stranger_buys("ZZZ", 10, 900)))
    assert result.outcomes[1].status.value == "Skipped"
    assert len(stage.desk.placed()) == 1


def test_an_order_of_somebody_else_in_a_planned_symbol_ends_the_sending() -> None:
    def types_an_order(order: FakeOrder) -> None:
        theirs = replace(
            order.request, order_ref="", order_id=0, symbol="BBB", con_id=buy("BBB").con_id
        )
        order.desk.orders.append(FakeOrder(desk=order.desk, request=theirs, perm_id=1))

    stage = Stage(tickets=(sell("AAA"), buy("BBB", 5)), desk=desk())
    stage.behave("AAA", fills(SLOW_SEC))
    result = stage.play(gap(types_an_order))
    assert statuses(result) == ["Filled", "Skipped"]
    assert "another order works in a planned symbol" in result.outcomes[1].error


def test_an_account_that_lags_behind_the_fills_is_waited_for() -> None:
    """Positions show the sell some seconds after the gap; the buys wait, and then go."""
    stage = Stage(tickets=(sell("AAA"), buy("BBB", 5)), desk=desk()).behave("AAA", fills(54))
    stage.desk.lag_sec = 8
    result = stage.play(gap())
    assert statuses(result) == ["Filled", "Filled"]
    assert stage.desk.placed_at()[1] > 62


def test_an_account_that_cannot_be_read_after_a_gap_ends_the_sending() -> None:
    def blinds(order: FakeOrder) -> None:
        order.desk.can_read_account = False

    stage = Stage(tickets=(sell("AAA"), buy("BBB", 5)), desk=desk()).behave("AAA", fills(54))
    result = stage.play(gap(blinds))
    assert statuses(result) == ["Filled", "Skipped"]
    assert "could not be read" in result.outcomes[1].error


def test_cancels_do_not_wait_for_the_account_to_be_read() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC")), desk=desk())
    stage.behave("AAA", rests)

    def blinds(order: FakeOrder) -> None:
        order.desk.can_read_account = False

    result = with_settings(stage, order_timeout_sec=Decimal(57)).play(gap(blinds))
    assert statuses(result)[0] == "Cancelled"
    cancelled_at = next(moment for moment, kind, _ in stage.desk.wire if kind == "cancel")
    assert cancelled_at < 58
