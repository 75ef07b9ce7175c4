"""F116: what kept an order from filling is told in the broker's words, by the ticket it held up."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from src.core.orders.events import LinkState, OrderErrorSeen
from src.core.records.orders import TicketStatus
from tests.kits.execution_kit import Stage, buy, sell, statuses
from tests.kits.fakes import FakeDesk, FakeOrder, ignores, rests

FARM = "2103: Market data farm connection is broken:usfarm"
DISCLAIMER = "2139: Paper trading disclaimer must first be accepted"


def test_an_order_that_only_timed_out_quotes_the_trouble_that_stands() -> None:
    desk = FakeDesk(default=rests, trouble=FARM)
    result = Stage(tickets=(sell("AAA"),), desk=desk).play()
    (outcome,) = result.outcomes
    assert outcome.status is TicketStatus.CANCELLED
    assert outcome.error == (
        f"time limit of the order (order_timeout_sec) reached (the broker said {FARM})"
    )


def capped(order: FakeOrder) -> None:
    rests(order)
    said = OrderErrorSeen(order_id=order.request.order_id, code=2161, text="capped at 99.87")
    order.later(0.2, lambda: order.desk.emit(said))


def test_what_was_said_of_the_order_itself_comes_before_what_stands_for_all() -> None:
    desk = FakeDesk(default=capped, trouble=FARM)
    (outcome,) = Stage(tickets=(sell("AAA"),), desk=desk).play().outcomes
    assert outcome.error.endswith("reached (the broker said 2161: capped at 99.87)")
    assert "2103" not in outcome.error


def test_an_order_never_acknowledged_quotes_the_disclaimer_that_waits() -> None:
    desk = FakeDesk(default=ignores, trouble=DISCLAIMER)
    result = Stage(tickets=(sell("AAA"),), desk=desk).play()
    assert statuses(result) == ["Unresolved"]
    assert result.outcomes[0].error.endswith(
        f"a window in TWS or IB Gateway may wait for a click (the broker said {DISCLAIMER})"
    )


def test_a_line_that_never_came_back_is_told_in_the_gateway_s_words() -> None:
    async def cut(stage: Stage) -> None:
        await asyncio.sleep(1)
        stage.desk.link(LinkState.UPSTREAM_LOST, 1100, "Connectivity has been lost")

    result = Stage(tickets=(sell("AAA"),), desk=FakeDesk(default=rests)).play(cut)
    assert "too long (the broker said 1100: Connectivity has been lost)" in result.halt_reason
    assert "1100" in result.outcomes[0].error


def test_a_buy_without_a_price_says_why_there_is_none() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=FakeDesk(cash=Decimal(1000)))

    async def forget(stage: Stage) -> None:
        del stage.desk.prices["BBB"]

    _, bought = stage.play(forget).outcomes
    assert bought.status is TicketStatus.SKIPPED
    assert "no usable price (last) for BBB (nothing came); look whether TWS" in bought.error
