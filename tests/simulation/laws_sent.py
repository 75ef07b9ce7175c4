"""Laws about what was sent: the gateway's record held against journal and script."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from src.core.permission.permit import is_approval
from src.core.records.orders import Side
from src.core.run.state import RunState
from src.simulator.messages.requests import (
    ReqAccountUpdates,
    ReqAccountUpdatesMulti,
    ReqExecutions,
)
from src.simulator.messages.tables import parse_request
from tests.simulation.draw_market_faults import MARKET_FAULTS
from tests.simulation.draw_moments import MOMENT_FAULTS
from tests.simulation.facts import Facts, cancelled_ids
from tests.simulation.script import Script, Task

ALLOWED: Final = frozenset(
    {
        "StartApi", "ReqPositions", "CancelPositions", "ReqAccountUpdates", "ReqAllOpenOrders",
        "ReqCompletedOrders", "ReqExecutions", "ReqContractDetails", "ReqMatchingSymbols",
        "ReqCurrentTime", "ReqMktData", "CancelMktData", "ReqMarketDataType", "PlaceOrder",
        "CancelOrder", "ReqAccountUpdatesMulti", "CancelAccountUpdatesMulti", "ReqAccountSummary",
        "CancelAccountSummary", "ReqPositionsMulti", "CancelPositionsMulti",
    }
)  # fmt: skip
READING: Final = (Task.DRY_RUN, Task.READ_ONLY, Task.RECOVER, Task.ACCEPT)
CASH_SLACK: Final = Decimal("0.01")


def approved_only(facts: Facts) -> Iterator[str]:
    """I1, I8: an order belongs to a plan that was shown and approved in that very process."""
    for order in facts.wire_orders:
        state = facts.runs.get(order.ref.run_id) if order.ref else None
        if order.ref is None or state is None or state.approved is None:
            yield f"{order.order_ref}: no approved plan on record"
            continue
        if state.approved.plan_hash != state.plan.plan.plan_hash:
            yield f"{order.order_ref}: approved another plan"
        ending = facts.ending_of(state.run_id)
        if ending is None or not is_approval(ending.invocation.answer, facts.script.settings):
            yield f"{order.order_ref}: the answer was not a yes"
        ticket = state.plan.plan.tickets[order.ref.line - 1]
        sign = 1 if ticket.side is Side.BUY else -1
        if (order.con_id, order.account_id) != (ticket.con_id, state.plan.plan.account_id):
            yield f"{order.order_ref}: another contract or account than approved"
        if not 0 < order.signed_shares * sign <= ticket.qty_shares:
            yield f"{order.order_ref}: {order.signed_shares} shares, approved {ticket.qty_shares}"


def as_wished(facts: Facts) -> Iterator[str]:
    """An order on the wire never goes against what the user wished of the plan."""
    wishes = facts.script.wishes
    for order in facts.wire_orders:
        state = facts.runs.get(order.ref.run_id) if order.ref else None
        if order.ref is None or state is None:
            continue
        symbol = state.plan.plan.tickets[order.ref.line - 1].symbol
        if order.signed_shares < 0 and not wishes.may_sell:
            yield f"{order.order_ref}: sold, though nothing is to be sold"
        if order.signed_shares > 0 and wishes.withdraw_usd is not None:
            yield f"{order.order_ref}: bought, though money is to be taken out"
        if symbol in wishes.skip or (wishes.only and symbol not in wishes.only):
            yield f"{order.order_ref}: {symbol} was to be left alone"


def sent_once(facts: Facts) -> Iterator[str]:
    """I2: no reference and no order id is ever used twice."""
    refs = [one.order_ref for one in facts.wire_orders]
    ids = [one.order_id for one in facts.wire_orders]
    for what, used in (("reference", refs), ("order id", ids)):
        for one in {str(one) for one in used if used.count(one) > 1}:  # type: ignore[arg-type]
            yield f"{what} {one} was sent more than once"


def within_the_plan(facts: Facts) -> Iterator[str]:
    """I3: what is executed for a plan line stays within it, whatever is retried."""
    if not facts.script.is_believable:
        return
    for state in facts.runs.values():
        for line in state.tickets:
            shares = sum(
                (one.shares for one in facts.line_executions(state.run_id, line.line)), Decimal(0)
            )
            if shares > line.ticket.qty_shares:
                yield f"{state.run_id} line {line.line}: {shares} of {line.ticket.qty_shares}"


def own_account(facts: Facts) -> Iterator[str]:
    """I4, I9: only known messages, only the configured account, only our own orders cancelled."""
    account = facts.script.settings.ibkr.account_id
    placed = {one.request.order_id for state in facts.runs.values() for one in state.orders}
    for record in facts.wire_log:
        if record.name not in ALLOWED:
            yield f"{record.name} was sent"
        request = parse_request(record.fields, 178)
        figures = (ReqAccountUpdates, ReqAccountUpdatesMulti)
        if isinstance(request, figures) and request.account != account:
            yield f"account updates of {request.account!r} were asked for"
        if isinstance(request, ReqExecutions) and request.account != account:
            yield f"executions of {request.account!r} were asked for"
    for _, order_id in cancelled_ids(facts.wire_log):
        if order_id not in placed:
            yield f"order {order_id} was cancelled and is not ours"


def reads_only(facts: Facts) -> Iterator[str]:
    """I7: what only looks, or was not approved, sends no order message."""
    for ending in facts.endings:
        said_yes = is_approval(ending.invocation.answer, facts.script.settings)
        if ending.invocation.task in READING or not said_yes:
            sent = [one.name for one in ending.records if one.name in ("PlaceOrder", "CancelOrder")]
            if sent:
                yield f"start {ending.number} ({ending.invocation.task.value}) sent {sent[0]}"


def on_record_first(facts: Facts) -> Iterator[str]:
    """I12: when an order arrives, its intent is on disk."""
    for order in facts.world.orders:
        if not order.was_on_record:
            yield f"{order.request.order.order_ref} arrived before its intent was on record"


def in_session(facts: Facts) -> Iterator[str]:
    """No order is sent into a closed market, by the gateway's clock."""
    script = facts.script
    if script.clock_offset_sec or any(one.clock_jump for one in script.invocations):
        return
    for order in facts.world.orders:
        if not order.was_open:
            yield f"{order.request.order.order_ref} was sent into a closed market"


def never_short(facts: Facts) -> Iterator[str]:
    """I5: no sell exceeds what is held when it arrives."""
    if not (facts.script.is_undisturbed and facts.script.is_believable):
        return
    for order in facts.world.orders:
        wanted = order.request.order
        if wanted.action != "SELL":
            continue
        held = order.held_shares.get(order.request.contract.con_id, Decimal(0))
        if (wanted.total_quantity or Decimal(0)) > held:
            yield f"{wanted.order_ref}: sells {wanted.total_quantity} of {held} held"
    account = facts.world.account
    for holding in account.holdings.values():
        if holding.quantity < 0:
            yield f"{holding.contract.symbol} is short {holding.quantity}"


def cash_floor(facts: Facts) -> Iterator[str]:
    """I6: the plan keeps its cash floor, and so does what was executed of it."""
    for state in facts.runs.values():
        plan = state.plan.plan
        sells = sum((t.est_value_usd for t in plan.tickets if t.side is Side.SELL), Decimal(0))
        least = min(plan.cash_floor_usd, plan.before.cash_usd + sells)
        if plan.after.cash_usd < least:
            yield f"{state.run_id}: planned cash {plan.after.cash_usd} below {least}"
        if facts.script.is_undisturbed and facts.script.is_believable:
            yield from _executed_floor(facts, state)


def _executed_floor(facts: Facts, state: RunState) -> Iterator[str]:
    """What was really sold pays for what was really bought, at the prices of the plan."""
    plan = state.plan.plan
    cash, spent = plan.before.cash_usd, Decimal(0)
    for line in state.tickets:
        for one in facts.line_executions(state.run_id, line.line):
            if line.ticket.side is Side.BUY:
                spent += one.shares * line.ticket.est_price_usd
            else:
                cash += one.shares * one.price - one.commission
    if spent and cash - spent < min(plan.cash_floor_usd, cash) - CASH_SLACK:
        yield f"{state.run_id}: cash {cash - spent:.2f} after buys, floor {plan.cash_floor_usd:.2f}"


def settled_money_only(facts: Facts) -> Iterator[str]:
    """F-108: where proceeds settle later, no plan and no order counts on more than there is.

    In a market that moves on its own, or beside other people's orders, nobody can know.
    """
    script = facts.script
    if not script.scenario.accounts[0].settles_later:
        return
    for state in facts.runs.values():
        plan = state.plan.plan
        buys = sum((t.est_value_usd for t in plan.tickets if t.side is Side.BUY), Decimal(0))
        if buys > max(Decimal(0), plan.before.cash_usd):
            yield f"{state.run_id}: {buys} of buys planned with {plan.before.cash_usd} of cash"
    if not (script.is_undisturbed and script.is_believable and _is_quiet(script)):
        return
    for order in facts.world.order_book.orders:
        if "settled cash" in order.reason:
            yield f"{order.order.order_ref} was sent without settled cash for it: {order.reason}"


def _is_quiet(script: Script) -> bool:
    """True where no price moves and no figure comes late."""
    moving = {name.__name__.replace("_", " ") for name in (*MARKET_FAULTS, *MOMENT_FAULTS)}
    return not moving & set(script.faults) and not script.scenario.gateway.account_lag_sec
