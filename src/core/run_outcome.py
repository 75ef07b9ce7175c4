"""What became of a run's tickets, from its journal alone: the live run and a rebuild say the same.

A ticket's own last word (``TicketEnded``) holds as long as its executions do not contradict it;
a ticket without one gets the status that its orders prove, Unresolved where they prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from src.core.codes import CodeKind, classify
from src.core.journal import JournalEvent
from src.core.journal_fold import fold
from src.core.money import ZERO, shares_text
from src.core.records import INACTIVE_WORD, OrderOutcome, TicketStatus
from src.core.run_state import Attempt, PlanLine, RunState
from src.errors import ExitCode

NEVER_SENT: Final = "the run ended before this was sent"
NOT_PROVEN: Final = "the fate of its order is not proven"


def outcomes_from_events(events: Iterable[JournalEvent]) -> tuple[OrderOutcome, ...]:
    """One outcome per plan line, in the plan's order.

    Raises: JournalError.
    """
    return run_outcomes(fold(events))


def run_outcomes(state: RunState) -> tuple[OrderOutcome, ...]:
    """One outcome per plan line, in the plan's order."""
    return tuple(line_outcome(line) for line in state.lines)


def line_outcome(line: PlanLine) -> OrderOutcome:
    """What became of one plan line, as far as the journal proves it."""
    status = line_status(line)
    said = line.ended
    if said is not None and said.status is status:
        error, notes = said.error, said.notes
    else:
        error, notes = proven_error(line, status), proven_notes(line)
    return OrderOutcome(
        ticket=line.ticket, status=status, fills=line.fills, error=error, notes=notes
    )


def line_status(line: PlanLine) -> TicketStatus:
    """The ticket's last word, unless executions contradict it; else what its orders prove."""
    if line.ended is None or line.ended.status in _contradicted(line):
        return proven_status(line)
    return line.ended.status


def proven_status(line: PlanLine) -> TicketStatus:
    """What the line's orders prove, whatever was said about the ticket before."""
    reached = line.reached_attempts
    if not reached:
        return TicketStatus.SKIPPED if not line.fills else TicketStatus.UNRESOLVED
    filled = line.filled_shares
    if filled > line.limit_shares or not all(one.is_proven for one in reached):
        return TicketStatus.UNRESOLVED
    if filled == line.limit_shares:
        return TicketStatus.FILLED
    if filled > ZERO:
        return TicketStatus.PARTIALLY_FILLED
    return TicketStatus.REJECTED if is_refused(reached[-1]) else TicketStatus.CANCELLED


def is_refused(attempt: Attempt) -> bool:
    """True when the broker's own word for the end was a refusal."""
    ended_so = attempt.ended is not None and attempt.ended.broker_status == INACTIVE_WORD
    return ended_so or refusal_text(attempt) != ""


def refusal_text(attempt: Attempt) -> str:
    """Code and text of the broker's refusal of this order; empty when there is none on record."""
    refusals = (one for one in attempt.notices if classify(one.code) is CodeKind.REJECTED)
    return next((f"{one.code} {one.text}" for one in refusals), "")


def proven_error(line: PlanLine, status: TicketStatus) -> str:
    """The report's error text for a status that the journal alone proves."""
    if status is TicketStatus.FILLED:
        return ""
    if status is TicketStatus.SKIPPED:
        unsent = [one.not_sent.reason for one in line.attempts if one.not_sent is not None]
        return "; ".join(unsent) or line.refit_reason or NEVER_SENT
    if line.filled_shares > line.limit_shares:
        over, wanted = shares_text(line.filled_shares), shares_text(line.limit_shares)
        return f"{over} shares executed, {wanted} were to be traded"
    texts = [_end_text(one) for one in line.reached_attempts]
    if status is TicketStatus.UNRESOLVED:
        texts.append(NOT_PROVEN)
    return "; ".join(dict.fromkeys(text for text in texts if text))


def proven_notes(line: PlanLine) -> tuple[str, ...]:
    """The report's notes for a line that did not get its own before the run ended."""
    if ZERO < line.limit_shares != line.ticket.qty_shares:
        return (f"refitted from {shares_text(line.ticket.qty_shares)}",)
    return ()


def is_open(state: RunState) -> bool:
    """True while the run has to be settled: not closed, or a ticket in doubt and not accepted."""
    if state.accepted is not None:
        return False
    if not state.has_orders:
        return state.closed is None and state.declined is None
    return state.closed is None or unresolved_lines(state) != ()


def unresolved_lines(state: RunState) -> tuple[PlanLine, ...]:
    """The lines whose fate is not proven."""
    return tuple(one for one in state.lines if line_status(one) is TicketStatus.UNRESOLVED)


def run_exit_code(state: RunState) -> ExitCode:
    """0 when nothing was to be sent or everything filled, else 4; for a run that was cut short."""
    if not state.has_orders:
        return ExitCode.OK
    is_whole = all(line_status(line) is TicketStatus.FILLED for line in state.lines)
    return ExitCode.OK if is_whole else ExitCode.UNFILLED


def _contradicted(line: PlanLine) -> frozenset[TicketStatus]:
    """The statuses that this line's executions rule out."""
    filled = line.filled_shares
    ruled_out = set(TicketStatus) - {TicketStatus.UNRESOLVED}
    if filled == ZERO:
        ruled_out -= {TicketStatus.CANCELLED, TicketStatus.REJECTED, TicketStatus.SKIPPED}
    if filled == line.limit_shares and filled > ZERO:
        ruled_out -= {TicketStatus.FILLED}
    if ZERO < filled < line.limit_shares:
        ruled_out -= {TicketStatus.PARTIALLY_FILLED}
    return frozenset(ruled_out)


def _end_text(attempt: Attempt) -> str:
    ended = attempt.ended.error if attempt.ended is not None else ""
    return ended or refusal_text(attempt) or attempt.cancel_reason
