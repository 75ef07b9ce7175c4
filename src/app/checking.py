"""``--check``, for a scheduler: are trades due? One line per account and an exit code.

It files and holds nothing, and only ever has a reader of the broker: no permit can be made of
it and no order desk opened. Obstacles to trading (a closed market, say) do not change the answer.

Source: SRS R-611.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.app.ending import ending_told
from src.app.proposing.inputs import now_utc
from src.app.proposing.user_files import load_inputs
from src.app.runs import presentation
from src.base.errors import ExitCode
from src.core.showing.due import due_text
from src.io.files.logs import screen_log
from src.terminal.console import emit
from src.terminal.interrupt import run_interruptible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from src.app.proposing.inputs import Inputs
    from src.app.proposing.planning import LiveProposal
    from src.base.settings import Settings
    from src.terminal.options import Options


def check(options: Options, settings: Settings) -> int:
    """Say for each account what is due; 10 where anything is, else 0. Raises: as a dry run."""
    with screen_log(), ending_told(settings, options) as ending:
        everyone = (load_inputs(options, settings),)
        for inputs, proposal in run_interruptible(_look_at(everyone, options)):
            _say(options, inputs, proposal, ending)
            if proposal.plan.tickets:
                ending.code = ExitCode.DUE
    return ending.code


async def _look_at(
    everyone: Iterable[Inputs], options: Options
) -> list[tuple[Inputs, LiveProposal]]:
    return [(inputs, await _look(inputs, options)) for inputs in everyone]


async def _look(inputs: Inputs, options: Options) -> LiveProposal:
    """What an account would trade now."""
    from src.app.books.glance import glance_at_books
    from src.app.proposing.planning import propose
    from src.app.proposing.session import open_session_to_check

    simulate, rehearsal = options.simulate, options.rehearsal
    async with open_session_to_check(
        inputs.settings, simulate=simulate, rehearsal=rehearsal
    ) as view:
        books = glance_at_books(inputs.settings, is_simulated=simulate)
        return await propose(view, inputs, books, now_utc, fresh=False)


def _say(options: Options, inputs: Inputs, proposal: LiveProposal, ending: ending_told) -> None:
    """Earlier wishes that still matter, then the line; the same for the [notify] command."""
    from src.app.proposing.presenting import plan_document

    simulated = "SIMULATED " if options.simulate else ""
    line = f"{simulated}{proposal.plan.account_id}: {due_text(proposal.plan)}"
    for text in (*proposal.alerts, line):
        emit(text)
        ending.lines.append(text)
    ending.plans.append(plan_document(proposal, presentation(options, inputs)))
