"""What became of a run's tickets, from its journal alone: the live run and a rebuild say the same.

A ticket's own last word (``TicketEnded``) holds as long as its executions do not contradict it;
a ticket without one gets what its orders prove, Unresolved where they prove nothing.
"""

from __future__ import annotations

from dataclasses import replace

from src.base.errors import ExitCode
from src.core.journal.events import TicketEnded
from src.core.orders.tickets import TicketState
from src.core.records.orders import TicketStatus, status_by_shares
from src.core.records.plan import OrderOutcome
from src.core.run.state import RunState
from src.core.run.ticket_outcome import refit_notes, ticket_outcome


def run_outcomes(state: RunState) -> tuple[OrderOutcome, ...]:
    """One outcome per plan line, in the plan's order."""
    return tuple(recorded_outcome(ticket) for ticket in state.tickets)


def recorded_outcome(ticket: TicketState) -> OrderOutcome:
    """What became of one ticket, as far as the journal proves it."""
    word = standing_word(ticket)
    if word is None:
        outcome = ticket_outcome(ticket)
        is_under_way = any(order.is_open for order in ticket.orders)
        return replace(outcome, notes=refit_notes(ticket)) if is_under_way else outcome
    return OrderOutcome(
        ticket=ticket.ticket,
        status=word.status,
        fills=ticket.fills,
        error=word.error,
        notes=word.notes,
    )


def standing_word(ticket: TicketState) -> TicketEnded | None:
    """The ticket's last word, unless executions contradict it."""
    word = ticket.last_word
    return None if word is None or _is_contradicted(ticket, word.status) else word


def recorded_status(ticket: TicketState) -> TicketStatus:
    """The status of ``recorded_outcome``."""
    return recorded_outcome(ticket).status


def is_open(state: RunState) -> bool:
    """True while the run has to be settled: not closed, or a ticket in doubt and not accepted."""
    if state.accepted is not None:
        return False
    if not state.has_orders:
        return state.closed is None and state.declined is None
    return state.closed is None or unresolved_tickets(state) != ()


def unresolved_tickets(state: RunState) -> tuple[TicketState, ...]:
    """The tickets whose fate is not proven."""
    return tuple(one for one in state.tickets if recorded_status(one) is TicketStatus.UNRESOLVED)


def run_exit_code(state: RunState) -> ExitCode:
    """0 when nothing was to be sent or everything filled, else 4; for a run that was cut short."""
    if not state.has_orders:
        return ExitCode.OK
    is_whole = all(recorded_status(one) is TicketStatus.FILLED for one in state.tickets)
    return ExitCode.OK if is_whole else ExitCode.UNFILLED


def _is_contradicted(ticket: TicketState, status: TicketStatus) -> bool:
    """True when the ticket's executions rule the status out; nothing rules out doubt."""
    if status is TicketStatus.UNRESOLVED:
        return False
    executed = status_by_shares(ticket.filled_shares, ticket.limit_shares)
    if executed is None:
        return status in {TicketStatus.FILLED, TicketStatus.PARTIALLY_FILLED}
    return ticket.filled_shares > ticket.limit_shares or status is not executed
