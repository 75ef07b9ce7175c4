"""The few moves every rule of a run is made of: say, note, skip, conclude, queue, halt.

All are pure: they return the run as it is then; what is to be done about it waits in ``out``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from src.core.journal.events import JournalEvent, TicketEnded
from src.core.orders.tickets import TicketState, is_settled, is_used_up
from src.core.run.ticket_outcome import ticket_outcome
from src.core.running.parts import Run
from src.core.running.words import Log, RunCommand


def seconds(some: Decimal) -> timedelta:
    """A duration of a setting, for deadlines."""
    return timedelta(microseconds=int(some * 1_000_000))


def emit(run: Run, *commands: RunCommand) -> Run:
    """These are to be done after the step."""
    return run._replace(out=(*run.out, *commands)) if commands else run


def say(run: Run, text: str, level: Literal["info", "warning", "error"] = "info") -> Run:
    """A line for the log."""
    return emit(run, Log(text=text, level=level))


def note(run: Run, *events: JournalEvent) -> Run:
    """Keep these records for the next commit."""
    return run._replace(unwritten=(*run.unwritten, *events)) if events else run


def put(run: Run, ticket: TicketState) -> Run:
    """Bring one ticket up to date."""
    at = ticket.line - 1
    return run._replace(tickets=(*run.tickets[:at], ticket, *run.tickets[at + 1 :]))


def skip(run: Run, line: int, reason: str) -> Run:
    """Nothing (more) of this ticket will be sent."""
    ticket = run.ticket(line)
    if not ticket.skip_reason:
        run = put(run, replace(ticket, skip_reason=reason))
        run = say(run, f"ticket not sent line={line} reason={reason}")
    return conclude(run, line)


def conclude(run: Run, line: int) -> Run:
    """Write down what became of a settled ticket, when that is news."""
    ticket = run.ticket(line)
    if not is_settled(ticket):
        return run
    outcome = ticket_outcome(ticket)
    word = TicketEnded(
        run_id=run.terms.permit.run_id,
        at_utc=run.moment.at_utc,
        line=line,
        status=outcome.status,
        error=outcome.error,
        notes=outcome.notes,
    )
    known = ticket.last_word
    if known is not None and replace(known, at_utc=word.at_utc) == word:
        return run
    return note(put(run, replace(ticket, last_word=word)), word)


def queue(run: Run, lines: Iterable[int]) -> Run:
    """The turn of these tickets has come, unless nothing more is sent."""
    run = run._replace(lines=(*run.lines, *lines))
    return halt(run, run.halt_reason) if run.halt_reason else run


def halt(run: Run, reason: str) -> Run:
    """Send no further order in this run; the first reason stays."""
    if not run.halt_reason:
        run = run._replace(halt_reason=reason)
        run = say(run, f"no further order is sent: {reason}", "warning")
    waiting, run = run.lines, run._replace(lines=())
    for line in waiting:
        if is_used_up(run.ticket(line)):  # after a late fill
            run = conclude(run, line)
        else:
            run = skip(run, line, f"not sent: {run.halt_reason}")
    return run


def alarm(run: Run, text: str) -> Run:
    """Something is not as it must be: say so in the end, and send nothing more."""
    if text not in run.alarms:
        run = say(run._replace(alarms=(*run.alarms, text)), f"alarm: {text}", "error")
    return halt(run, text)
