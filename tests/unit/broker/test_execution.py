from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import JournalError
from src.broker.execution import execute
from src.core.journal.events import CancelRequested, IntentRecorded, TicketRefitted
from src.core.orders.events import CommissionSeen, FillSeen, LinkState
from src.core.records.orders import OrderStyle, Side
from tests.kits.builders import dec
from tests.kits.execution_kit import Stage, buy, sell, statuses, trading, with_settings
from tests.kits.fakes import (
    Behaviour,
    FakeDesk,
    FakeJournal,
    FakeOrder,
    drops_after,
    drops_before,
    fills,
    gate_refuses,
    ignores,
    rejects,
    rests,
    run_virtual,
)

LATENCY = 0.1


def desk(cash: int = 100_000) -> FakeDesk:
    return FakeDesk(cash=Decimal(cash))


# --- the whole way ---------------------------------------------------------------------------


def test_sells_fill_before_the_first_buy_is_sent() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC"), buy("DDD")), desk=desk())
    result = stage.play()
    assert statuses(result) == ["Filled"] * 4
    assert [one.symbol for one in stage.desk.placed()] == ["AAA", "BBB", "CCC", "DDD"]
    sold = [moment for moment in stage.desk.placed_at() if moment < LATENCY]
    assert len(sold) == 2
    assert result.orders_sent == 4
    assert result.halt_reason == ""


def test_sells_then_buys_take_no_longer_than_their_fills() -> None:
    tickets = (*(sell(f"S{n}") for n in range(10)), *(buy(f"B{n}") for n in range(10)))
    stage = Stage(tickets=tickets, desk=desk())
    stage.play()
    filled_at = max(moment for moment in stage.desk.placed_at()) + LATENCY
    assert filled_at <= 1.1 * 2 * LATENCY


def test_orders_carry_account_reference_and_a_fresh_id() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk(), least_order_id=500)
    stage.play()
    first, second = stage.desk.placed()
    assert first.order_ref == "IBR-20250131T170000Z-1-1"
    assert second.order_ref == "IBR-20250131T170000Z-2-1"
    assert (first.order_id, second.order_id) == (500, 501)
    assert first.account_id == stage.plan().account_id


def test_one_order_at_a_time_when_batches_are_off() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC")), desk=desk())
    with_settings(stage, batch_orders=False).play()
    moments = stage.desk.placed_at()
    assert all(later - earlier >= LATENCY for earlier, later in itertools.pairwise(moments))


def test_twenty_orders_leave_at_once_and_many_within_the_pace() -> None:
    stage = Stage(tickets=tuple(sell(f"S{n}", 1) for n in range(100)), desk=desk())
    result = stage.play()
    assert statuses(result) == ["Filled"] * 100
    moments = stage.desk.placed_at()
    assert sum(moment == 0 for moment in moments) == 20
    for start in moments:
        assert sum(start <= moment < start + 1 for moment in moments) <= 41


def test_progress_is_shown_for_every_ticket() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk())
    stage.play()
    last = {one.symbol: one for one in stage.shown}
    assert {symbol: one.doing for symbol, one in last.items()} == {"AAA": "Filled", "BBB": "Filled"}


def test_the_algo_is_used_and_named() -> None:
    stage = Stage(tickets=(sell("AAA"),), desk=desk())
    result = with_settings(stage, algo_preference="adaptive").play()
    assert stage.desk.placed()[0].style is OrderStyle.ADAPTIVE
    assert result.outcomes[0].notes == ("algo adaptive",)


def test_outside_regular_hours_orders_go_as_plain_market() -> None:
    stage = Stage(tickets=(sell("AAA"),), desk=desk())
    stage.rebalance = stage.rebalance._replace(trading_hours="eth")
    stage.listings = {"AAA": replace(trading("AAA"), regular_sessions=())}
    with_settings(stage, algo_preference="adaptive").play()
    assert stage.desk.placed()[0].style is OrderStyle.PLAIN
    assert stage.desk.placed()[0].outside_rth


# --- money for the buys ----------------------------------------------------------------------


def test_a_rejected_sell_shrinks_the_buys_it_would_have_paid_for() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB", 8), buy("CCC", 8)), desk=desk(1000))
    stage.behave("AAA", rejects())
    result = stage.play()
    assert statuses(result) == ["Rejected", "Filled", "Filled"]
    bought = sum(one.qty_shares for one in stage.desk.placed() if one.side is Side.BUY)
    assert bought == dec(10)
    assert any(isinstance(event, TicketRefitted) for event in stage.journal.events)
    notes = [note for outcome in result.outcomes for note in outcome.notes]
    assert "refitted from 8" in notes


def test_without_proceeds_and_cash_no_buy_is_sent() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk(0)).behave("AAA", rejects())
    result = stage.play()
    assert statuses(result) == ["Rejected", "Skipped"]
    assert "no cash" in result.outcomes[1].error
    assert len(stage.desk.placed()) == 1


def test_an_unproven_sell_pays_for_nothing() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk(0)).behave("AAA", ignores)
    result = stage.play()
    assert statuses(result) == ["Unresolved", "Skipped"]


def test_commissions_that_are_not_known_yet_are_reserved() -> None:
    def uncharged(order: FakeOrder) -> None:
        order.later(0.1, order.execute)

    stage = Stage(tickets=(sell("AAA", 10), buy("BBB", 10)), desk=desk(0))
    stage.behave("AAA", uncharged)
    stage.play()
    assert stage.desk.placed()[1].qty_shares == dec(9)


def test_buys_are_fitted_at_the_latest_quotes() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB", 10)), desk=desk(10))
    stage.desk.prices["BBB"] = 125
    stage.play()
    assert stage.desk.placed()[1].qty_shares == dec(8)


def test_the_cash_floor_stays_untouched() -> None:
    stage = Stage(tickets=(buy("BBB", 10),), desk=desk(1000), floor_usd=300)
    stage.play()
    assert stage.desk.placed()[0].qty_shares == dec(7)


# --- refusals and fallback -------------------------------------------------------------------


def test_a_rejected_order_does_not_stop_the_others() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk()).behave("AAA", rejects(201, "x"))
    result = stage.play()
    assert statuses(result) == ["Rejected", "Filled"]
    assert result.outcomes[0].error == "201: x"


def test_a_refused_algo_falls_back_to_plain_market_once() -> None:
    stage = Stage(tickets=(sell("AAA"),), desk=desk())
    stage.behave("AAA", rejects(442, "bad algo"), fills())
    result = with_settings(stage, algo_preference="adaptive").play()
    assert statuses(result) == ["Filled"]
    first, second = stage.desk.placed()
    assert (first.style, second.style) == (OrderStyle.ADAPTIVE, OrderStyle.PLAIN)
    assert second.order_ref.endswith("-1-2")
    assert any("refused" in note for note in result.outcomes[0].notes)
    assert any("fallback" in note for note in result.outcomes[0].notes)


def test_a_refused_fallback_is_the_end_of_it() -> None:
    stage = Stage(tickets=(sell("AAA"),), desk=desk())
    stage.behave("AAA", rejects(442), rejects(442))
    result = with_settings(stage, algo_preference="adaptive").play()
    assert statuses(result) == ["Rejected"]
    assert len(stage.desk.placed()) == 2


def test_the_fallback_sells_only_what_is_left() -> None:
    def partly(order: FakeOrder) -> None:
        order.later(0.1, order.fill, 4)
        order.later(0.2, order.reject, 387, "Unsupported order type")

    stage = Stage(tickets=(sell("AAA", 10),), desk=desk()).behave("AAA", partly, fills())
    result = with_settings(stage, algo_preference="midprice").play()
    assert statuses(result) == ["Filled"]
    assert stage.desk.placed()[1].qty_shares == dec(6)


def test_no_fallback_when_it_is_switched_off_or_the_reason_is_another() -> None:
    for code, enabled in ((442, False), (201, False), (203, True)):
        stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", rejects(code, "margin"))
        with_settings(stage, algo_preference="adaptive", fallback_plain_market=enabled).play()
        assert len(stage.desk.placed()) == 1


def test_a_late_fill_of_the_first_order_ends_the_second() -> None:
    def late(order: FakeOrder) -> None:
        order.later(0.1, order.reject, 442, "bad algo")
        order.later(0.5, order.execute, 3)

    stage = Stage(tickets=(sell("AAA", 10),), desk=desk()).behave("AAA", late, rests)
    result = with_settings(stage, algo_preference="adaptive").play()
    assert len(stage.desk.cancelled()) == 1
    assert statuses(result) == ["PartiallyFilled"]


# --- silence, limits, contradictions ---------------------------------------------------------


def test_an_ignored_order_is_unresolved_and_the_others_go_on() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk()).behave("AAA", ignores)
    result = stage.play()
    assert statuses(result) == ["Unresolved", "Filled"]
    assert len(stage.desk.placed()) == 2


def test_the_time_limit_cancels_the_rest() -> None:
    stage = Stage(tickets=(sell("AAA", 10),), desk=desk()).behave("AAA", fills(parts=(4,)))
    result = with_settings(stage, order_timeout_sec=Decimal(60)).play()
    assert statuses(result) == ["PartiallyFilled"]
    assert "order_timeout_sec" in result.outcomes[0].error
    assert any(isinstance(event, CancelRequested) for event in stage.journal.events)


def test_a_cancel_without_an_answer_is_unresolved_in_bounded_time() -> None:
    stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", rests)
    stage.desk.answers_cancel = False
    result = with_settings(stage, order_timeout_sec=Decimal(60)).play()
    assert statuses(result) == ["Unresolved"]


def test_the_gate_stops_the_batch() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC")), desk=desk())
    stage.behave("AAA", gate_refuses)
    result = stage.play()
    assert statuses(result) == ["Skipped"] * 3
    assert result.orders_sent == 0
    assert stage.desk.placed() == []
    assert "max_order_usd" in result.alarms[0]


def test_an_execution_of_an_unknown_order_of_ours_stops_the_sending() -> None:
    async def intrude(stage: Stage) -> None:
        await asyncio.sleep(0.05)
        known = stage.desk.orders[0]
        fill = replace(known.execute(1), order_ref="IBR-20250131T170000Z-9-1", exec_id="x.01")
        stage.desk.emit(FillSeen(fill=fill))

    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk())
    result = stage.play(intrude)
    assert statuses(result) == ["Filled", "Skipped"]
    assert "unknown order reference" in result.alarms[0]


def test_a_commission_before_its_execution_is_not_lost() -> None:
    def early(order: FakeOrder) -> None:
        order.later(0.1, order.fill, None, 100, 2)
        order.desk.events.put_nowait(_commission(order))

    stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", early)
    result = stage.play()
    assert result.outcomes[0].fills[0].commission_usd == dec(2)


def _commission(order: FakeOrder) -> CommissionSeen:
    return CommissionSeen(exec_id=f"{order.perm_id}.1.01", commission_usd=dec(2))


def test_a_commission_that_never_comes_is_waited_for_briefly() -> None:
    def uncharged(order: FakeOrder) -> None:
        order.later(0.1, order.execute)

    stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", uncharged)
    result = stage.play()
    assert statuses(result) == ["Filled"]
    assert result.outcomes[0].fills[0].commission_usd is None


# --- journal ---------------------------------------------------------------------------------


def test_a_journal_that_fails_at_the_first_order_sends_nothing() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk(), journal=FakeJournal(fails_from=1))
    with pytest.raises(JournalError):
        stage.play()
    assert stage.desk.placed() == []


def test_a_journal_that_fails_later_stops_the_sending_and_follows_the_rest() -> None:
    journal = FakeJournal(fails_from=2)
    stage = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC")), desk=desk(), journal=journal)
    result = stage.play()
    assert statuses(result) == ["Filled", "Skipped", "Skipped"]
    assert result.journal_error
    assert len(stage.desk.placed()) == 1


def test_a_journal_that_recovers_has_no_gap() -> None:
    journal = FakeJournal(fails_from=2, fails=1)
    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk(), journal=journal)
    result = stage.play()
    intents = [event for event in journal.events if isinstance(event, IntentRecorded)]
    assert len(intents) == len(stage.desk.placed()) == 1
    assert statuses(result) == ["Filled", "Skipped"]
    assert result.journal_error


# --- connections -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("drop", [drops_before, drops_after])
def test_a_socket_lost_at_any_order_leaves_no_doubt_and_no_repetition(
    number: int, drop: Behaviour
) -> None:
    names = ["AAA", "BBB", "CCC", "DDD"]
    stage = Stage(tickets=tuple(sell(name) for name in names), desk=desk())
    stage.behave(names[number], drop)
    result = stage.play()
    own = "Filled" if drop is drops_after else "Unresolved"
    assert statuses(result) == ["Filled"] * number + [own] + ["Skipped"] * (3 - number)
    assert Counter(one.symbol for one in stage.desk.placed()) == dict.fromkeys(
        names[: number + 1], 1
    )
    assert result.was_disconnected


def test_fills_in_the_gap_are_found_after_it() -> None:
    async def outage(stage: Stage) -> None:
        await asyncio.sleep(0.05)
        stage.desk.break_off()

    stage = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC")), desk=desk())
    result = stage.play(outage)
    assert statuses(result) == ["Filled", "Filled", "Skipped"]
    assert stage.desk.reconnects == 1


def test_a_connection_that_stays_away_ends_unresolved() -> None:
    stage = Stage(tickets=(sell("AAA"), sell("BBB")), desk=desk()).behave("AAA", drops_after)
    stage.desk.can_reconnect = False
    result = stage.play()
    assert statuses(result) == ["Unresolved", "Skipped"]
    assert "connection" in result.outcomes[0].error


@pytest.mark.parametrize("code", [1101, 1102])
def test_an_outage_behind_the_gateway_is_asked_about_even_when_data_is_kept(code: int) -> None:
    async def outage(stage: Stage) -> None:
        await asyncio.sleep(0.05)
        stage.desk.link(LinkState.UPSTREAM_LOST, 1100)
        stage.desk.is_connected = False  # what happens now is not said
        await asyncio.sleep(5)
        stage.desk.is_connected = True
        stage.desk.link(LinkState.UPSTREAM_BACK, code)

    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk())
    result = stage.play(outage)
    assert statuses(result) == ["Filled", "Filled"]


def test_an_outage_behind_the_gateway_that_lasts_ends_unresolved() -> None:
    async def outage(stage: Stage) -> None:
        await asyncio.sleep(0.05)
        stage.desk.link(LinkState.UPSTREAM_LOST, 1100)
        stage.desk.is_connected = False

    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk())
    result = stage.play(outage)
    assert statuses(result) == ["Unresolved", "Skipped"]


# --- interrupts ------------------------------------------------------------------------------


def test_an_interrupt_cancels_what_works_and_sends_nothing_more() -> None:
    async def interrupt(stage: Stage) -> None:
        await asyncio.sleep(1)
        stage.stop.set()

    stage = Stage(tickets=(sell("AAA"), sell("BBB"), buy("CCC")), desk=desk()).behave("BBB", rests)
    result = stage.play(interrupt)
    assert statuses(result) == ["Filled", "Cancelled", "Skipped"]
    assert result.was_interrupted
    assert len(stage.desk.cancelled()) == 1


def test_cancelling_the_task_is_an_interrupt_too() -> None:
    stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", rests)
    stage.prepare()

    async def main() -> list[str]:
        work = asyncio.ensure_future(execute(stage.run(), stage.desk))
        await asyncio.sleep(1)
        work.cancel()
        return statuses(await work)

    assert run_virtual(main()) == ["Cancelled"]


def test_a_second_cancellation_leaves_at_once() -> None:
    stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", rests)
    stage.desk.answers_cancel = False
    stage.prepare()

    async def main() -> bool:
        work = asyncio.ensure_future(execute(stage.run(), stage.desk))
        for _ in range(2):
            await asyncio.sleep(1)
            work.cancel()
        await asyncio.wait((work,))
        return work.cancelled()

    assert run_virtual(main())


def test_an_interrupt_before_the_first_order_sends_nothing() -> None:
    stage = Stage(tickets=(sell("AAA"), buy("BBB")), desk=desk())
    stage.stop.set()
    result = stage.play()
    assert statuses(result) == ["Skipped", "Skipped"]
    assert stage.desk.placed() == []


def test_an_interrupt_without_an_answer_ends_in_bounded_time() -> None:
    async def interrupt(stage: Stage) -> None:
        await asyncio.sleep(1)
        stage.stop.set()

    stage = Stage(tickets=(sell("AAA"),), desk=desk()).behave("AAA", rests)
    stage.desk.answers_cancel = False
    assert statuses(stage.play(interrupt)) == ["Unresolved"]
