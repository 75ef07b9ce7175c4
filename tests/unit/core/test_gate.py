"""The gate in front of the socket, one violation at a time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.gate import GateRefusal, OrderGate
from src.core.order_events import FillSeen, OrderErrorSeen, StatusSeen
from src.core.order_ref import PREFIX, make_order_ref
from src.core.permit import TradePermit
from src.core.records import OrderRequest, Side
from src.errors import ExitCode, Refused
from tests.builders import ACCOUNT, NOON_UTC
from tests.journal_kit import CLIENT_ID, PLAN, RUN_ID, fill, ref, request

SELL, BUY = 1, 3


def permit() -> TradePermit:
    return TradePermit(
        account_id=ACCOUNT,
        allow_live=False,
        run_id=RUN_ID,
        order_prefix=PREFIX,
        plan_hash=PLAN.plan_hash,
        tickets=PLAN.tickets,
        held_shares={one.con_id: one.qty_shares for one in PLAN.before.holdings.values()},
        max_order_usd=Decimal(0),
        max_run_usd=Decimal(0),
        max_orders=100,
        granted_at_utc=NOON_UTC,
        first_order_within_sec=Decimal(60),
        lifetime_sec=Decimal(600),
    )


def gate(made: TradePermit | None = None) -> OrderGate:
    return OrderGate(permit=made or permit(), client_id=CLIENT_ID)


def status(
    one: OrderRequest, word: str, filled: Decimal | int = 0, client: int = CLIENT_ID
) -> StatusSeen:
    return StatusSeen(
        order_id=one.order_id,
        client_id=client,
        perm_id=1,
        status=word,
        filled_shares=Decimal(filled),
        remaining_shares=one.qty_shares - Decimal(filled),
    )


def refuse(tried: OrderGate, one: OrderRequest, words: str, at: int = 1) -> None:
    with pytest.raises(GateRefusal, match=words) as caught:
        tried.admit(one, Decimal(at))
    assert isinstance(caught.value, Refused)
    assert caught.value.exit_code is ExitCode.REFUSED


def test_the_approved_orders_pass() -> None:
    tried = gate()
    for line in range(1, len(PLAN.tickets) + 1):
        tried.admit(request(line), Decimal(line))


VIOLATIONS = {
    "account": (replace(request(SELL), account_id="DU7654321"), "another account"),
    "ref": (replace(request(SELL), order_ref="mine"), "no approved line"),
    "line": (replace(request(SELL), order_ref=ref(99)), "no approved line"),
    "other line": (replace(request(SELL), order_ref=ref(2)), "not the approved"),
    "run": (
        replace(request(SELL), order_ref=make_order_ref(PREFIX, "20250131T170001Z", 1, 1)),
        "another run",
    ),
    "prefix": (
        replace(request(SELL), order_ref=make_order_ref("IBRSIM", RUN_ID, 1, 1)),
        "another run",
    ),
    "contract": (replace(request(SELL), con_id=1), "not the approved"),
    "symbol": (replace(request(SELL), symbol="ZZZ"), "not the approved"),
    "side": (replace(request(SELL), side=Side.BUY), "not the approved"),
    "too many": (request(SELL, qty=PLAN.tickets[0].qty_shares + 1), "approved are"),
    "none": (request(SELL, qty=Decimal(0)), "not above 0"),
    "negative": (request(SELL, qty=Decimal(-5)), "not above 0"),
    "attempt": (request(SELL, 3), "one too many"),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_first_violation_shuts_the_gate_for_good(name: str) -> None:
    tried = gate()
    tried.admit(request(BUY), Decimal(1))
    one, words = VIOLATIONS[name]
    refuse(tried, one, words)
    refuse(tried, request(2), words)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_what_is_not_finite_is_no_quantity(text: str) -> None:
    refuse(gate(), request(SELL, qty=Decimal(text)), "not above 0")


def test_the_same_ref_or_order_id_never_passes_twice() -> None:
    tried = gate()
    tried.admit(request(SELL, qty=Decimal(1)), Decimal(1))
    refuse(tried, request(SELL, qty=Decimal(1)), "sent before")
    again = gate()
    again.admit(request(SELL), Decimal(1))
    refuse(again, replace(request(2), order_id=request(SELL).order_id), "order id")


def test_a_live_account_needs_the_live_switch() -> None:
    live = replace(permit(), account_id="U1234567")
    refuse(gate(live), replace(request(SELL), account_id="U1234567"), "live")
    gate(replace(live, allow_live=True)).admit(
        replace(request(SELL), account_id="U1234567"), Decimal(1)
    )


@pytest.mark.parametrize("age", ["-1", "60.5"])
def test_the_first_order_must_follow_the_approval_soon(age: str) -> None:
    with pytest.raises(GateRefusal, match="too old"):
        gate().admit(request(SELL), Decimal(age))


def test_later_orders_have_the_permit_s_lifetime() -> None:
    tried = gate()
    tried.admit(request(SELL), Decimal(60))
    tried.admit(request(BUY), Decimal(600))
    refuse(tried, request(2), "too old", at=601)


def test_hard_limits_hold_at_the_approved_prices() -> None:
    value = PLAN.tickets[0].est_value_usd
    gate(replace(permit(), max_order_usd=value)).admit(request(SELL), Decimal(1))
    refuse(gate(replace(permit(), max_order_usd=value - 1)), request(SELL), "max_order_usd")
    run = gate(replace(permit(), max_run_usd=value + 1))
    run.admit(request(SELL), Decimal(1))
    refuse(run, request(2), "max_run_usd")
    few = gate(replace(permit(), max_orders=1))
    few.admit(request(SELL), Decimal(1))
    refuse(few, request(2), "max_orders")


def test_no_more_is_sold_than_held() -> None:
    ticket = PLAN.tickets[0]
    poor = replace(permit(), held_shares={ticket.con_id: ticket.qty_shares - 1})
    refuse(gate(poor), request(SELL), "held")
    refuse(gate(replace(permit(), held_shares={})), request(SELL), "of 0 held")


def test_a_second_attempt_waits_for_the_end_of_the_first() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(status(first, "Submitted"))
    tried.observe(status(first, "Cancelled", client=7))
    refuse(tried, request(SELL, 2), "approved are")


@pytest.mark.parametrize("word", ["Cancelled", "ApiCancelled", "Inactive"])
def test_a_second_attempt_may_send_what_the_first_provably_left(word: str) -> None:
    first = request(SELL)
    for extra, passes in ((0, True), (1, False)):
        tried = gate()
        tried.admit(first, Decimal(1))
        tried.observe(FillSeen(fill=fill(SELL, 20, exec_id="a.01")))
        tried.observe(FillSeen(fill=fill(SELL, 20, exec_id="a.01")))
        tried.observe(status(first, word, 20))
        rest = request(SELL, 2, qty=first.qty_shares - 20 + extra)
        if passes:
            tried.admit(rest, Decimal(2))
        else:
            refuse(tried, rest, "approved are")


def test_a_fill_after_the_cancel_counts() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(status(first, "Cancelled", 0))
    tried.observe(FillSeen(fill=fill(SELL, 5)))
    refuse(tried, request(SELL, 2, qty=first.qty_shares), "approved are")


def test_a_total_without_executions_counts_as_filled() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(status(first, "Cancelled", 30))
    refuse(tried, request(SELL, 2, qty=first.qty_shares - 29), "approved are")


def test_a_refusal_frees_the_line_and_a_notice_does_not() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(OrderErrorSeen(order_id=first.order_id, code=201, text="no such algo"))
    tried.admit(request(SELL, 2), Decimal(2))
    held = gate()
    held.admit(first, Decimal(1))
    held.observe(OrderErrorSeen(order_id=first.order_id, code=399, text="held"))
    refuse(held, request(SELL, 2), "approved are")


def test_fills_of_strangers_change_nothing() -> None:
    first = request(SELL)
    tried = gate()
    tried.observe(FillSeen(fill=fill(SELL, 5)))
    tried.admit(first, Decimal(1))
    assert tried.permit == permit()
