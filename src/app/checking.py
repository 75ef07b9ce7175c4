"""``--check``, for a scheduler: are trades due? One line per account and an exit code.

It files and holds nothing, and only ever has a reader of the broker: no permit can be made of
it and no order desk opened. Obstacles to trading (a closed market, say) do not change the answer.

Source: SRS R-611.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.app.ending import ending_told
from src.app.proposing.inputs import now_utc
from src.app.proposing.user_files import load_all_inputs
from src.app.runs import presentation
from src.base.accounts import named_account
from src.base.errors import ExitCode, RebalancerError
from src.core.showing.due import due_text
from src.io.files.logs import screen_log
from src.terminal.console import complain, emit
from src.terminal.interrupt import run_interruptible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src.app.proposing.inputs import Inputs
    from src.app.proposing.planning import LiveProposal, Outcome
    from src.base.settings import Settings
    from src.terminal.options import Options


def check(options: Options, accounts: Sequence[Settings]) -> int:
    """Say for each account what is due; 10 where anything is, else 0. Raises: as a dry run.

    What stops one of several accounts stops no other; the exit code is then that of the gravest.
    """
    with screen_log(), ending_told(accounts[0], options) as ending:
        everyone = load_all_inputs(options, accounts)
        outcomes = run_interruptible(_look_at(everyone, options))
        failed = [one for one in outcomes if isinstance(one, RebalancerError)]
        if failed and len(outcomes) == 1:
            raise failed[0]
        for inputs, outcome in zip(everyone, outcomes, strict=True):
            if isinstance(outcome, RebalancerError):
                _say_why_not(inputs, outcome, ending)
                continue
            _say(options, inputs, outcome, ending)
            ending.is_due |= bool(outcome.plan.tickets)
        ending.code = ExitCode.DUE if ending.is_due else ExitCode.OK
        if failed:
            ending.code = max(one.exit_code for one in failed)
    return ending.code


async def _look_at(everyone: Sequence[Inputs], options: Options) -> tuple[Outcome, ...]:
    """What each account would trade now."""
    from src.app.books.glance import glance_at_books
    from src.app.proposing.planning import Wanted, propose_all
    from src.app.proposing.session import open_session_to_check

    simulate, rehearsal = options.simulate, options.rehearsal
    settings = [one.settings for one in everyone]
    async with open_session_to_check(*settings, simulate=simulate, rehearsal=rehearsal) as view:
        wanted = [
            Wanted(inputs=one, books=glance_at_books(one.settings, is_simulated=simulate))
            for one in everyone
        ]
        return await propose_all(view, wanted, now_utc)


def _say_why_not(inputs: Inputs, error: RebalancerError, ending: ending_told) -> None:
    text = f"{named_account(inputs.settings.ibkr.account_id, inputs.settings.label)}: {error}"
    complain(text)
    ending.lines.append(text)


def _say(options: Options, inputs: Inputs, proposal: LiveProposal, ending: ending_told) -> None:
    """Earlier wishes that still matter, then the line; the same for the [notify] command."""
    from src.app.proposing.presenting import plan_document

    simulated = "SIMULATED " if options.simulate else ""
    account = named_account(proposal.plan.account_id, inputs.settings.label)
    line = f"{simulated}{account}: {due_text(proposal.plan)}"
    for text in (*proposal.alerts, line):
        emit(text)
        ending.lines.append(text)
    ending.plans.append(plan_document(proposal, presentation(options, inputs)))
