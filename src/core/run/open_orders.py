"""What an earlier run left open, as a person reads it: the orders in columns, and the ways on.

Pure functions; every line fits 80 columns for names and quantities of ordinary length.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from src.base.money import ZERO, shares_text
from src.base.text import printable
from src.core.orders.state import OrderState
from src.core.orders.tickets import TicketState
from src.core.records.orders import TicketStatus, WorkingOrder
from src.core.run.outcome import unresolved_tickets
from src.core.run.state import RunState, find_order

_SYMBOLS_NAMED: Final = 3
_HEAD: Final = ("symbol", "side", "quantity", "filled", "status", "where")
_NOT_LISTED: Final = "not listed"
_NOT_TOLD: Final = "not told"


class OpenRow(NamedTuple):
    """One order, each field as it is shown."""

    symbol: str
    side: str
    quantity: str
    filled: str
    status: str
    where: str


def open_symbols(state: RunState) -> str:
    """``AAA, BBB, CCC and 4 more``: what is in doubt, short enough for a first line."""
    names = list(dict.fromkeys(one.ticket.symbol for one in unresolved_tickets(state)))
    shown = ", ".join(printable(name) for name in names[:_SYMBOLS_NAMED]) or "its end"
    left = len(names) - _SYMBOLS_NAMED
    return f"{shown} and {left} more" if left > 0 else shown


def open_lines(
    state: RunState,
    working: Collection[WorkingOrder] | None,
    held_shares: Mapping[int, Decimal] | None,
) -> tuple[str, ...]:
    """The table of what is open in this run, and the three ways on, one line each.

    ``working`` is what the broker lists of it as open (None: its lists are closed to us),
    ``held_shares`` what the account holds now by contract (None: not known).
    """
    rows = [
        row
        for ticket in unresolved_tickets(state)
        for row in _rows_of(ticket, working, _held_text(state, ticket, held_shares))
    ]
    return (*(table_lines(rows) if rows else ()), *_ways_on(state.run_id))


def working_row(listed: WorkingOrder, runs: Iterable[RunState]) -> OpenRow:
    """An order that the broker lists, with what the journals of its run say is filled."""
    known = [find_order(run, listed.order_ref, listed.perm_id) for run in runs]
    filled = next((order.filled_shares for order in known if order is not None), ZERO)
    return OpenRow(
        symbol=printable(listed.symbol),
        side=printable(listed.side),
        quantity=shares_text(listed.qty_shares),
        filled=shares_text(filled),
        status=printable(listed.status),
        where=printable(listed.order_ref),
    )


def table_lines(rows: Iterable[OpenRow]) -> tuple[str, ...]:
    """Columns as wide as what stands in them; numbers to the right."""
    shown = [_HEAD, *rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(_HEAD))]
    return tuple(
        " ".join(
            text.rjust(width) if column in (2, 3) else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in shown
    )


def _ways_on(run_id: str) -> tuple[str, ...]:
    command = "python rebalance.py --recover"
    return (
        "Look at them in TWS, then one of:",
        f"  wait for their end:  {command}",
        f"  cancel what works:   {command} --cancel",
        f"  take it as it is:    {command} --accept {run_id}",
    )


def _rows_of(
    ticket: TicketState, working: Collection[WorkingOrder] | None, held: str
) -> list[OpenRow]:
    in_doubt = [one for one in ticket.orders if one.is_open or _is_unresolved(one)]
    if not in_doubt:
        in_doubt = list(ticket.orders[-1:])
    return [_row(one, working, held) for one in in_doubt]


def _row(order: OrderState, working: Collection[WorkingOrder] | None, held: str) -> OpenRow:
    asked = order.request
    listed = next((one for one in working or () if _is_same(order, one)), None)
    status = _NOT_TOLD if working is None else _NOT_LISTED
    return OpenRow(
        symbol=printable(asked.symbol),
        side=asked.side.value,
        quantity=shares_text(asked.qty_shares),
        filled=shares_text(order.filled_shares),
        status=printable(listed.status) if listed is not None else status,
        where=asked.order_ref if listed is not None else held,
    )


def _is_same(order: OrderState, listed: WorkingOrder) -> bool:
    is_its_number = order.perm_id != 0 and order.perm_id == listed.perm_id
    return is_its_number or listed.order_ref == order.request.order_ref


def _is_unresolved(order: OrderState) -> bool:
    return order.status is TicketStatus.UNRESOLVED


def _held_text(
    state: RunState, ticket: TicketState, held_shares: Mapping[int, Decimal] | None
) -> str:
    """``held 50 before, 43 now``: a hint to what became of an order that nothing lists."""
    one = ticket.ticket
    holding = state.plan.plan.before.holdings.get(one.symbol)
    before = f"held {shares_text(holding.qty_shares if holding is not None else ZERO)} before"
    if held_shares is None:
        return before
    return f"{before}, {shares_text(held_shares.get(one.con_id, ZERO))} now"
