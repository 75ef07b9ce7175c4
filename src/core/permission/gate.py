"""The gate directly in front of the socket: every order is checked against the permit, again.

It knows the permit and what it let through before, and nothing of planning or of the order
lifecycle: a fault there must not become an order. The first violation shuts the gate for the rest
of the run. Values are judged at the approved estimates, the only prices the user saw.

Checked: the gate is open; account and live switch; plan age and permit lifetime; the ref is ours,
well-formed, new and names the approved line; con id, symbol and side of that line; quantity over
both attempts of the line within the approved one; value per order and per run; number of orders;
sells within the holding. An earlier attempt counts in full until the broker said in a message
that it ended, then with what it filled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from src.base.accounts import is_master, is_paper_account
from src.base.errors import Refused
from src.base.money import ZERO, dollars, exact_arithmetic, shares_text
from src.core.orders.codes import CodeKind, classify
from src.core.orders.events import BrokerEvent, FillSeen, OrderErrorSeen, StatusSeen
from src.core.orders.executions import newest_fills
from src.core.orders.ref import OrderRef, parse_order_ref
from src.core.permission.permit import TradePermit
from src.core.records.orders import Fill, OrderRequest, Side
from src.core.records.plan import OrderTicket

_ENDED: Final = frozenset({"Filled", "Cancelled", "ApiCancelled", "Inactive"})
_MAX_ATTEMPTS: Final = 2


class GateRefusal(Refused):
    """The gate declined an order: nothing of it was sent, and nothing after it will be."""


@dataclass(slots=True, kw_only=True)
class _Passage:
    """An order that passed, and what the broker said about it since."""

    request: OrderRequest
    line: int
    has_ended: bool = False
    status_filled: Decimal = ZERO
    fills: tuple[Fill, ...] = ()

    def counted_shares(self) -> Decimal:
        """What this order filled or may still fill."""
        if not self.has_ended:
            return self.request.qty_shares
        return max(self.status_filled, sum((fill.qty_shares for fill in self.fills), ZERO))


@dataclass(slots=True, kw_only=True)
class OrderGate:
    """The orders of one permit on their way out.

    ``admit`` each order right before the socket, and ``observe`` every event of the broker.
    ``client_id`` is the session's; statuses of other clients say nothing about our order ids.
    """

    permit: TradePermit
    client_id: int
    _passed: dict[str, _Passage] = field(default_factory=dict)
    _shut_by: str = ""

    def admit(self, request: OrderRequest, elapsed_sec: Decimal) -> None:
        """Let one order pass, and remember it.

        ``elapsed_sec`` is the time since the permit was granted, on a monotonic clock.
        Raises: GateRefusal; the gate then stays shut.
        """
        with exact_arithmetic():
            violation = self._shut_by or self._violation(request, elapsed_sec)
        if violation:
            self._shut_by = violation
            raise GateRefusal(f"order {request.order_ref} was stopped, not sent: {violation}")
        ref = parse_order_ref(request.order_ref)
        self._passed[request.order_ref] = _Passage(request=request, line=ref.line if ref else 0)

    def observe(self, event: BrokerEvent) -> None:
        """Learn from the broker what an order filled and whether it ended."""
        if isinstance(event, FillSeen):
            passage = self._passed.get(event.fill.order_ref)
            if passage is not None:
                passage.fills = newest_fills((*passage.fills, event.fill))
        elif isinstance(event, StatusSeen):
            self._observe_status(event)
        elif isinstance(event, OrderErrorSeen) and classify(event.code) is CodeKind.REJECTED:
            self._end(event.order_id, ZERO)

    def _observe_status(self, event: StatusSeen) -> None:
        if event.client_id == self.client_id and event.status in _ENDED:
            self._end(event.order_id, event.filled_shares)

    def _end(self, order_id: int, filled_shares: Decimal) -> None:
        for passage in self._passed.values():
            if passage.request.order_id == order_id:
                passage.has_ended = True
                passage.status_filled = max(passage.status_filled, filled_shares)

    def _violation(self, request: OrderRequest, elapsed_sec: Decimal) -> str:
        ref = parse_order_ref(request.order_ref)
        if ref is None or not 1 <= ref.line <= len(self.permit.tickets):
            return "its ref names no approved line"
        ticket = self.permit.tickets[ref.line - 1]
        return (
            self._account_problem(request)
            or self._age_problem(elapsed_sec)
            or self._identity_problem(request, ref)
            or _contract_problem(request, ticket)
            or self._quantity_problem(request, ticket, ref.line)
            or self._value_problem(request, ticket)
            or self._holding_problem(request)
        )

    def _account_problem(self, request: OrderRequest) -> str:
        if request.account_id != self.permit.account_id:
            return "it names another account"
        if is_master(request.account_id):
            return "the account is an advisor's or broker's master"
        if not (self.permit.allow_live or is_paper_account(request.account_id)):
            return "the account is live and allow_live is false"
        return ""

    def _age_problem(self, elapsed_sec: Decimal) -> str:
        permit = self.permit
        limit = permit.lifetime_sec if self._passed else permit.first_order_within_sec
        return "" if ZERO <= elapsed_sec <= limit else "the approval is too old"

    def _identity_problem(self, request: OrderRequest, ref: OrderRef) -> str:
        if (ref.prefix, ref.run_id) != (self.permit.order_prefix, self.permit.run_id):
            return "its ref belongs to another run"
        if request.order_ref in self._passed:
            return "its ref was sent before"
        if any(one.request.order_id == request.order_id for one in self._passed.values()):
            return "its order id was sent before"
        if ref.attempt > _MAX_ATTEMPTS:
            return f"attempt {ref.attempt} is one too many"
        if len({ref.line, *(one.line for one in self._passed.values())}) > self.permit.max_orders:
            return f"max_orders = {self.permit.max_orders} is reached"
        return ""

    def _quantity_problem(self, request: OrderRequest, ticket: OrderTicket, line: int) -> str:
        if not (request.qty_shares.is_finite() and request.qty_shares > ZERO):
            return "its quantity is not above 0"
        counted = (one.counted_shares() for one in self._passed.values() if one.line == line)
        total = request.qty_shares + sum(counted, ZERO)
        if total <= ticket.qty_shares:
            return ""
        approved = shares_text(ticket.qty_shares)
        return f"{shares_text(total)} {ticket.symbol} over all attempts, approved are {approved}"

    def _value_problem(self, request: OrderRequest, ticket: OrderTicket) -> str:
        value = request.qty_shares * ticket.est_price_usd
        if self.permit.max_order_usd and not value <= self.permit.max_order_usd:
            return f"{dollars(value)} is more than max_order_usd"
        total = value + sum((self._value(one) for one in self._passed.values()), ZERO)
        if self.permit.max_run_usd and not total <= self.permit.max_run_usd:
            return f"{dollars(total)} in all is more than max_run_usd"
        return ""

    def _value(self, passage: _Passage) -> Decimal:
        return passage.counted_shares() * self.permit.tickets[passage.line - 1].est_price_usd

    def _holding_problem(self, request: OrderRequest) -> str:
        if request.side is Side.BUY:
            return ""
        earlier = (
            one.counted_shares()
            for one in self._passed.values()
            if one.request.con_id == request.con_id and one.request.side is Side.SELL
        )
        sold = request.qty_shares + sum(earlier, ZERO)
        held = self.permit.held_shares.get(request.con_id, ZERO)
        return "" if sold <= held else f"sells {shares_text(sold)} of {shares_text(held)} held"


def _contract_problem(request: OrderRequest, ticket: OrderTicket) -> str:
    wanted = (ticket.con_id, ticket.symbol, ticket.side)
    if (request.con_id, request.symbol, request.side) != wanted or request.con_id <= 0:
        return f"it is not the approved {ticket.side.value} of {ticket.symbol}"
    return ""
