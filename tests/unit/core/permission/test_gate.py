"""The gate in front of the socket, one violation at a time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.base.errors import ExitCode, Refused
from src.core.orders.events import FillSeen, OrderErrorSeen, StatusSeen
from src.core.orders.ref import PREFIX, make_order_ref
from src.core.permission.gate import GateRefusal, OrderGate
from src.core.permission.permit import TradePermit
from src.core.records.orders import OrderRequest, Side
from tests.kits.builders import ACCOUNT, NOON_UTC
from tests.kits.journal_kit import CLIENT_ID, PLAN, RUN_ID, fill, ref, request

SELL, BUY = 1, 3
LIVE = "the account is live and allow_live is false"
TOO_OLD = "the approval is too old"


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


def too_many(shares: int) -> str:
    return f"{shares} AAA over all attempts, approved are 50"


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
    )


def refuse(tried: OrderGate, one: OrderRequest, words: str, at: Decimal | int = 1) -> None:
    with pytest.raises(GateRefusal) as caught:
        tried.admit(one, Decimal(at))
    assert str(caught.value) == f"order {one.order_ref} was stopped, not sent: {words}"
    assert isinstance(caught.value, Refused)
    assert caught.value.exit_code is ExitCode.REFUSED


def test_the_approved_orders_pass() -> None:
    tried = gate()
    for line in range(1, len(PLAN.tickets) + 1):
        tried.admit(request(line), Decimal(line))


VIOLATIONS = {
    "account": (replace(request(SELL), account_id="DU7654321"), "it names another account"),
    "ref": (replace(request(SELL), order_ref="mine"), "its ref names no approved line"),
    "line": (replace(request(SELL), order_ref=ref(99)), "its ref names no approved line"),
    "other line": (
        replace(request(SELL), order_ref=ref(2)),
        "it is not the approved SELL of BBB",
    ),
    "run": (
        replace(request(SELL), order_ref=make_order_ref(PREFIX, "20250131T170001Z", 1, 1)),
        "its ref belongs to another run",
    ),
    "prefix": (
        replace(request(SELL), order_ref=make_order_ref("IBRSIM", RUN_ID, 1, 1)),
        "its ref belongs to another run",
    ),
    "contract": (replace(request(SELL), con_id=1), "it is not the approved SELL of AAA"),
    "symbol": (replace(request(SELL), symbol="ZZZ"), "it is not the approved SELL of AAA"),
    "side": (replace(request(SELL), side=Side.BUY), "it is not the approved SELL of AAA"),
    "too many": (request(SELL, qty=Decimal(51)), too_many(51)),
    "none": (request(SELL, qty=Decimal(0)), "its quantity is not above 0"),
    "negative": (request(SELL, qty=Decimal(-5)), "its quantity is not above 0"),
    "attempt": (request(SELL, 3), "attempt 3 is one too many"),
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
    refuse(gate(), request(SELL, qty=Decimal(text)), "its quantity is not above 0")


def test_the_same_ref_or_order_id_never_passes_twice() -> None:
    tried = gate()
    tried.admit(request(SELL, qty=Decimal(1)), Decimal(1))
    refuse(tried, request(SELL, qty=Decimal(1)), "its ref was sent before")
    again = gate()
    again.admit(request(SELL), Decimal(1))
    refuse(
        again, replace(request(2), order_id=request(SELL).order_id), "its order id was sent before"
    )


def test_a_master_never_trades_even_with_the_live_switch() -> None:
    master = replace(permit(), account_id="F1234567", allow_live=True)
    words = "the account is an advisor's or broker's master"
    refuse(gate(master), replace(request(SELL), account_id="F1234567"), words)


def test_a_live_account_needs_the_live_switch() -> None:
    live = replace(permit(), account_id="U1234567")
    refuse(gate(live), replace(request(SELL), account_id="U1234567"), LIVE)
    gate(replace(live, allow_live=True)).admit(
        replace(request(SELL), account_id="U1234567"), Decimal(1)
    )


@pytest.mark.parametrize("age", ["-1", "60.5"])
def test_the_first_order_must_follow_the_approval_soon(age: str) -> None:
    refuse(gate(), request(SELL), TOO_OLD, at=Decimal(age))


def test_later_orders_have_the_permit_s_lifetime() -> None:
    for soonest in (0, 60):
        tried = gate()
        tried.admit(request(SELL), Decimal(soonest))
        tried.admit(request(BUY), Decimal(600))
        refuse(tried, request(2), TOO_OLD, at=Decimal("600.001"))


def test_hard_limits_hold_at_the_approved_prices() -> None:
    value, both = Decimal(5000), Decimal(7500)  # 50 AAA at 100, then 50 BBB at 50
    gate(replace(permit(), max_order_usd=value)).admit(request(SELL), Decimal(1))
    tight = gate(replace(permit(), max_order_usd=value - 1))
    refuse(tight, request(SELL), "$5,000.00 is more than max_order_usd")
    enough = gate(replace(permit(), max_run_usd=both))
    short = gate(replace(permit(), max_run_usd=both - Decimal("0.01")))
    for run in (enough, short):
        run.admit(request(SELL), Decimal(1))
    enough.admit(request(2), Decimal(1))
    refuse(short, request(2), "$7,500.00 in all is more than max_run_usd")
    few = gate(replace(permit(), max_orders=1))
    few.admit(request(SELL), Decimal(1))
    refuse(few, request(2), "max_orders = 1 is reached")


def selling_from(**held: int) -> TradePermit:
    ids = {ticket.symbol: ticket.con_id for ticket in PLAN.tickets}
    return replace(permit(), held_shares={ids[name]: Decimal(qty) for name, qty in held.items()})


def test_no_more_is_sold_than_held() -> None:
    refuse(gate(selling_from(AAA=49, BBB=50)), request(SELL), "sells 50 of 49 held")
    refuse(gate(selling_from()), request(SELL), "sells 50 of 0 held")


def test_every_share_held_may_be_sold() -> None:
    tried = gate(selling_from(AAA=50, BBB=50))
    tried.admit(request(SELL), Decimal(1))
    tried.admit(request(2), Decimal(1))


@pytest.mark.parametrize(("held", "passes"), [(50, True), (49, False)])
def test_both_attempts_of_a_sell_come_out_of_one_holding(held: int, *, passes: bool) -> None:
    tried = gate(selling_from(AAA=held))
    first = request(SELL, qty=Decimal(20))
    tried.admit(first, Decimal(1))
    tried.observe(status(first, "Cancelled", 20))
    rest = request(SELL, 2, qty=Decimal(30))
    if passes:
        tried.admit(rest, Decimal(2))
    else:
        refuse(tried, rest, "sells 50 of 49 held")


@pytest.mark.parametrize(("con_id", "passes"), [(-1, False), (0, False), (1, True)])
def test_an_order_without_a_contract_number_never_passes(con_id: int, *, passes: bool) -> None:
    buy = replace(PLAN.tickets[BUY - 1], con_id=con_id)
    tickets = (*PLAN.tickets[: BUY - 1], buy, *PLAN.tickets[BUY:])
    tried, one = gate(replace(permit(), tickets=tickets)), replace(request(BUY), con_id=con_id)
    if passes:
        tried.admit(one, Decimal(1))
    else:
        refuse(tried, one, f"it is not the approved BUY of {buy.symbol}")


def test_a_second_attempt_waits_for_the_end_of_the_first() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(status(first, "Submitted"))
    tried.observe(status(first, "Cancelled", client=7))
    refuse(tried, request(SELL, 2), too_many(100))


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
            refuse(tried, rest, too_many(51))


def test_a_fill_after_the_cancel_counts() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(status(first, "Cancelled", 0))
    tried.observe(FillSeen(fill=fill(SELL, 5)))
    refuse(tried, request(SELL, 2, qty=first.qty_shares), too_many(55))


@pytest.mark.parametrize("order", [("a.01", "a.02"), ("a.02", "a.01")])
def test_the_newest_version_of_an_execution_counts_whichever_comes_first(
    order: tuple[str, str],
) -> None:
    first, shares = request(SELL), {"a.01": 20, "a.02": 30}
    tried = gate()
    tried.admit(first, Decimal(1))
    for exec_id in order:
        tried.observe(FillSeen(fill=fill(SELL, shares[exec_id], exec_id=exec_id)))
    tried.observe(status(first, "Cancelled", 20))
    refuse(tried, request(SELL, 2, qty=Decimal(21)), too_many(51))


def test_a_total_without_executions_counts_as_filled() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(status(first, "Cancelled", 30))
    refuse(tried, request(SELL, 2, qty=first.qty_shares - 29), too_many(51))


def test_a_refusal_frees_the_line_and_a_notice_does_not() -> None:
    first = request(SELL)
    tried = gate()
    tried.admit(first, Decimal(1))
    tried.observe(OrderErrorSeen(order_id=first.order_id, code=201, text="no such algo"))
    tried.admit(request(SELL, 2), Decimal(2))
    held = gate()
    held.admit(first, Decimal(1))
    held.observe(OrderErrorSeen(order_id=first.order_id, code=399, text="held"))
    refuse(held, request(SELL, 2), too_many(100))


# What may come before or after the end of an order, or says nothing sure about it.
NO_END = ("PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel", "cancelled", "")
NO_REFUSAL = (100, 103, 104, 135, 161, 202, 399, 404, 2109, 10147, 10148, 10349, 424242)


@pytest.mark.parametrize("word", NO_END)
def test_only_a_final_status_ends_an_attempt(word: str) -> None:
    tried = gate()
    tried.admit(request(SELL), Decimal(1))
    tried.observe(status(request(SELL), word))
    refuse(tried, request(SELL, 2), too_many(100))


@pytest.mark.parametrize("code", NO_REFUSAL)
def test_a_code_that_is_no_refusal_ends_no_attempt(code: int) -> None:
    tried = gate()
    tried.admit(request(SELL), Decimal(1))
    tried.observe(OrderErrorSeen(order_id=request(SELL).order_id, code=code, text="?"))
    refuse(tried, request(SELL, 2), too_many(100))


def test_the_end_of_another_order_frees_nothing() -> None:
    tried = gate()
    for line in (SELL, 2):
        tried.admit(request(line), Decimal(1))
    tried.observe(status(request(2), "Cancelled"))
    tried.observe(OrderErrorSeen(order_id=request(2).order_id, code=201, text="margin"))
    tried.admit(request(2, 2), Decimal(2))
    refuse(tried, request(SELL, 2), too_many(100))


def test_fills_of_strangers_change_nothing() -> None:
    first = request(SELL)
    tried = gate()
    tried.observe(FillSeen(fill=fill(SELL, 5)))
    tried.admit(first, Decimal(1))
    assert tried.permit == permit()
