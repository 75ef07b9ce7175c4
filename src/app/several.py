"""One command for several accounts of a login: a table of all, then each in its turn.

They share one connection and one reading of the market. Everything else is each account's own: its
lock, journal, permit, desk, log and reports. What stops one account stops no other, except a lost
connection, an alarm, an interrupt, and the answer q.

Source: SRS R-418, D-103.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from src.app.approval import ENDED, FirstPlan
from src.app.books.account_books import AccountBooks, hold_account, left_open_text
from src.app.books.earlier_runs import EARLIER_RUNS, EarlierRuns, settle_earlier_runs
from src.app.books.glance import glance_at_books
from src.app.ending import ending_told
from src.app.proposing.inputs import READ_ONLY_END, Books, Inputs, now_utc
from src.app.proposing.planning import LiveProposal, Outcome, Wanted, propose_all
from src.app.proposing.presenting import Presentation, plan_document, present, write_pre_report
from src.app.proposing.session import client_note, open_session, open_session_to_look
from src.app.proposing.simulated import kept_refs
from src.app.proposing.user_files import load_all_inputs
from src.app.runs import (
    NOTHING_SENT,
    cost_asker,
    plan_page_if_wanted,
    presentation,
    trading_command,
)
from src.app.trading import Turn, nothing_sent_yet, take_turn
from src.base.errors import (
    BrokerLost,
    ExitCode,
    InputError,
    Interrupted,
    RebalancerError,
    Refused,
    StrayOrder,
)
from src.base.json_values import Json
from src.broker.wire.clock import Stopwatch
from src.core.permission.permit import Declined
from src.core.preview import SIMULATED
from src.core.run.report import last_line
from src.core.showing.accounts_end import AccountEnd, ends_text, exit_code_of_all
from src.core.showing.accounts_table import AccountLine, accounts_table, total_as_json
from src.io.files.logs import run_log, screen_log
from src.io.files.run_files import RunFiles, claim_run_files, prepare_report_dir
from src.terminal.cli import errors_recorded_in
from src.terminal.console import complain, emit, emit_document, remark
from src.terminal.interrupt import Sending, run_interruptible
from src.terminal.options import Options, Task

if TYPE_CHECKING:
    from src.base.settings import Settings
    from src.broker.ibkr_client import IbkrSession
    from src.broker.ports import HeadStart

log = logging.getLogger(__name__)

ASKED_IN_TURN: Final = "Each account is asked about in turn; the answer q ends the rest."
BROKEN_OFF: Final = "broken off by an internal error: run `python rebalance.py --recover`"
SCHEMA: Final = "rebalance-accounts/1"


@dataclass(slots=True, kw_only=True)
class Command:
    """What one command for several accounts works with; ``claimed`` holds the ids of its runs."""

    options: Options
    everyone: tuple[Inputs, ...]
    files: RunFiles
    claimed: dict[str, Settings] = field(default_factory=dict)

    @property
    def accounts(self) -> tuple[Settings, ...]:
        """The settings of each account."""
        return tuple(one.settings for one in self.everyone)

    def how(self, inputs: Inputs, notices: Sequence[str] = ()) -> Presentation:
        """How this command speaks about one of its accounts."""
        shown = presentation(self.options, inputs)
        return replace(shown, notices=(*shown.notices, *notices), is_one_of_several=True)

    @contextmanager
    def own_files(self, settings: Settings) -> Iterator[RunFiles]:
        """An account's own names and log; no two accounts of a command share a run id.

        The id goes into the reference of each order, which must mean one account only.
        """
        directory = prepare_report_dir(settings.io.report_dir)
        files = claim_run_files(directory, now_utc(), is_taken=self.claimed.__contains__)
        self.claimed[files.run_id] = settings
        level, simulated = settings.io.log_level, self.options.simulate
        with run_log(files, level, is_simulated=simulated):
            yield files


def run_all(options: Options, accounts: tuple[Settings, ...]) -> int:
    """Plan for all these accounts, and with ``--confirm`` ask and trade; the exit code.

    Raises: InputError with every problem of all files, before anything is asked.
    """
    _refuse_amounts(options)
    everyone = load_all_inputs(options, accounts)
    main = accounts[0]
    directory = prepare_report_dir(main.io.report_dir.parent)
    files = claim_run_files(directory, now_utc())
    command = Command(options=options, everyone=everyone, files=files)
    with (
        screen_log(),
        run_log(files, main.io.log_level, is_simulated=options.simulate) as own_log,
        ending_told(main, options) as ending,
        errors_recorded_in(own_log),
    ):
        ending.runs = command.claimed
        ending.code = _plan_and_trade(command)
    return ending.code


def _refuse_amounts(options: Options) -> None:
    wishes = options.wishes
    for flag, amount in (
        ("--invest", wishes.invest_usd if wishes else None),
        ("--withdraw", wishes.withdraw_usd if wishes else None),
    ):
        if amount is not None:
            raise InputError(f"{flag} {amount}: an amount is for one account; name it: --account")


def _plan_and_trade(command: Command) -> int:
    if command.options.task is not Task.CONFIRM or command.accounts[0].ibkr.read_only:
        return run_interruptible(dry_run_all(command))
    sending = Sending()
    try:
        return run_interruptible(confirmed_all(command, sending), sending)
    except StrayOrder:
        raise
    except RebalancerError as error:  # raised only before the first account's turn
        simulated = command.options.simulate
        earlier = "".join(left_open_text(one, is_simulated=simulated) for one in command.accounts)
        error.aftermath = f"This run sent nothing.{earlier} The log is {command.files.log}."
        raise


# --- looking ----------------------------------------------------------------------------------


async def dry_run_all(command: Command) -> int:
    """Plan for all through one connection, show a table and each plan, file them; nothing is sent.

    The exit code is that of the gravest account that cannot be planned for.
    """
    options = command.options
    opened = open_session if options.task is Task.CONFIRM else open_session_to_look
    async with _connected(command, opened) as session:
        beside = client_note(command.accounts[0], session, simulate=options.simulate)
        wanted = [_glanced(one, options) for one in command.everyone]
        outcomes: Sequence[Outcome] = await propose_all(session, wanted, now_utc)
        if options.what_if:
            outcomes = [
                await _costed(session, one) for one in zip(outcomes, command.accounts, strict=True)
            ]
    lines = _lines(command, outcomes)
    if options.as_json:
        _print_document(command, outcomes, lines)
    else:
        emit(_table(command, lines))
    for line in lines:
        if line.problem:
            complain(f"{line.label}: {line.problem}")
    filed = [
        _shown_and_filed(command, inputs, outcome, beside)
        for inputs, outcome in zip(command.everyone, outcomes, strict=True)
        if isinstance(outcome, LiveProposal)
    ]
    if not options.as_json:
        emit("\n".join(("", *filed, *_last_lines(command, outcomes))))
    log.info("run finished orders_sent=0 accounts=%d", len(outcomes))
    return exit_code_of_all(
        [_unplanned(line, one) for line, one in zip(lines, outcomes, strict=True)]
    )


async def _costed(session: IbkrSession, one: tuple[Outcome, Settings]) -> Outcome:
    """The plan with what the broker says that it costs.

    Raises: BrokerLost, StrayOrder.
    """
    outcome, settings = one
    if not isinstance(outcome, LiveProposal):
        return outcome
    try:
        return await cost_asker(session.of(settings.ibkr), settings).asked(outcome, now_utc())
    except Refused as error:
        return error


def _connected(
    command: Command, opened: Callable[..., AbstractAsyncContextManager[IbkrSession]]
) -> AbstractAsyncContextManager[IbkrSession]:
    options = command.options
    return opened(
        *command.accounts,
        simulate=options.simulate,
        rehearsal=options.rehearsal,
        head_start=_head_start(command),
    )


def _head_start(command: Command) -> HeadStart:
    from src.broker.ports import HeadStart

    symbols = sorted({symbol for one in command.everyone for symbol in one.portfolios.symbols})
    return HeadStart(imports=lambda: None, symbols=symbols)


def _glanced(inputs: Inputs, options: Options) -> Wanted:
    books = glance_at_books(inputs.settings, is_simulated=options.simulate)
    return Wanted(inputs=inputs, books=books)


def _table(command: Command, lines: Sequence[AccountLine]) -> str:
    """The table of all, under what this command says of itself."""
    marks = (SIMULATED,) if command.options.simulate else ()
    notices = presentation(command.options, command.everyone[0]).notices
    how = ("", ASKED_IN_TURN) if not notices else ()  # a dry run says that it is one
    return "\n".join((*marks, *notices, "", accounts_table(lines), *how))


def _lines(command: Command, outcomes: Sequence[Outcome]) -> list[AccountLine]:
    return [
        AccountLine(
            label=settings.label,
            account_id=settings.ibkr.account_id,
            plan=one.plan if isinstance(one, LiveProposal) else None,
            problem="" if isinstance(one, LiveProposal) else str(one),
            obstacles=one.obstacles if isinstance(one, LiveProposal) else (),
        )
        for settings, one in zip(command.accounts, outcomes, strict=True)
    ]


def _unplanned(line: AccountLine, outcome: Outcome) -> AccountEnd:
    code = ExitCode.OK if isinstance(outcome, LiveProposal) else outcome.exit_code
    return AccountEnd(label=line.label, code=code, text=line.problem)


def _shown_and_filed(
    command: Command, inputs: Inputs, proposal: LiveProposal, beside: Sequence[str]
) -> str:
    """Show one plan and file it; where it is."""
    how = command.how(inputs, beside)
    with command.own_files(inputs.settings) as files:
        if not how.as_json:
            emit("")
            present(proposal, how, now_utc())
        path = write_pre_report(proposal, how, files)
        page = plan_page_if_wanted(command.options, proposal, files)
        beside_it = f", its page in {page}" if page else ""
        return f"The plan of {inputs.settings.label} is filed in {path}{beside_it}"


def _last_lines(command: Command, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    if command.options.task is Task.CONFIRM:
        return (READ_ONLY_END,)
    plans = [one for one in outcomes if isinstance(one, LiveProposal)]
    if not any(one.plan.tickets for one in plans):
        return (NOTHING_SENT,)
    first = ""
    if command.accounts[0].ibkr.read_only:
        first = ", set read_only = false in [ibkr], then"
    return (NOTHING_SENT, f"To trade{first}: {trading_command(command.options)}")


def _print_document(
    command: Command, outcomes: Sequence[Outcome], lines: Sequence[AccountLine]
) -> None:
    """All plans as one object; an account without one says why."""
    import json

    plans: list[Json] = []
    for inputs, line, one in zip(command.everyone, lines, outcomes, strict=True):
        named: dict[str, Json] = {"name": inputs.settings.name, "label": line.label}
        if isinstance(one, LiveProposal):
            plans.append({**named, **plan_document(one, command.how(inputs))})
        else:
            plans.append({**named, "account_id": line.account_id, "error": line.problem})
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "accounts": plans,
        "total": total_as_json(lines),
    }
    emit_document(json.dumps(document, indent=2))


# --- trading ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """One account whose lock and journal this command holds, and what earlier runs left of it."""

    books: AccountBooks
    earlier: EarlierRuns

    def for_guards(self) -> Books:
        """What its guards ask for."""
        return replace(
            self.books.for_guards(),
            unknown_fills=self.earlier.unknown_fills,
            todays_fills=self.earlier.todays_fills,
        )


async def confirmed_all(command: Command, sending: Sending) -> int:
    """Plan for all, then ask about each account and trade it after a yes; one exit code.

    Raises: InputError, BrokerLost and so on before the first account's turn.
    """
    with ExitStack() as stack:
        books = [_books_or_why_not(stack, command, one) for one in command.accounts]
        opened = partial(open_session, trading=True)
        async with _connected(command, opened) as session:
            with nothing_sent_yet():
                held = await _settled(command, session, books)
                since = Stopwatch()
                outcomes = await _planned(command, session, held)
            emit(_table(command, _lines(command, outcomes)))
            turns = Turns(command, session, sending)
            try:
                for number, inputs in enumerate(command.everyone):
                    await turns.take(inputs, held[number], outcomes[number], since)
            finally:  # whatever happens later, it is said what became of those before
                emit(f"\n{ends_text(turns.ends)}")
    code = exit_code_of_all(turns.ends)
    log.info("run finished exit_code=%d accounts=%d", code, len(turns.ends))
    return code


def _books_or_why_not(
    stack: ExitStack, command: Command, settings: Settings
) -> AccountBooks | RebalancerError:
    simulated = command.options.simulate
    holding = hold_account(settings, command.files.started_utc, is_simulated=simulated)
    try:
        return stack.enter_context(holding)
    except Refused as error:
        return error


async def _settled(
    command: Command, session: IbkrSession, books: Sequence[AccountBooks | RebalancerError]
) -> list[_Held | RebalancerError]:
    """What earlier runs left of each account, asked for all at once."""
    kept = kept_refs(command.options.rehearsal)
    return await asyncio.gather(
        *(
            _settle_or_why_not(session, settings, one, kept)
            for settings, one in zip(command.accounts, books, strict=True)
        )
    )


async def _settle_or_why_not(
    session: IbkrSession,
    settings: Settings,
    books: AccountBooks | RebalancerError,
    kept: frozenset[str],
) -> _Held | RebalancerError:
    if isinstance(books, RebalancerError):
        return books
    try:
        view, folder = session.of(settings.ibkr), settings.io.report_dir
        with session.waits.on(EARLIER_RUNS):
            earlier = await settle_earlier_runs(view, books, folder, kept)
        return _Held(books=books, earlier=earlier)
    except (Refused, BrokerLost) as error:
        if not session.is_open:
            raise
        return error


async def _planned(
    command: Command, session: IbkrSession, held: Sequence[_Held | RebalancerError]
) -> list[Outcome]:
    """A plan for each account that is held; why not, for the others."""
    pairs = zip(command.everyone, held, strict=True)
    wanted = {
        inputs.settings.ibkr.account_id: Wanted(inputs=inputs, books=one.for_guards())
        for inputs, one in pairs
        if isinstance(one, _Held)
    }
    found = await propose_all(session, list(wanted.values()), now_utc) if wanted else ()
    plans = dict(zip(wanted, found, strict=True))
    ids = (one.ibkr.account_id for one in command.accounts)
    return [
        one if isinstance(one, RebalancerError) else plans[account]
        for account, one in zip(ids, held, strict=True)
    ]


class Turns:
    """The accounts in turn, and how each ended; ``_over`` says why no further one is asked."""

    def __init__(self, command: Command, session: IbkrSession, sending: Sending) -> None:
        self.ends: list[AccountEnd] = []
        self._command = command
        self._session = session
        self._sending = sending
        self._over = ""
        self._code_of_rest = ExitCode.OK

    async def take(
        self, inputs: Inputs, held: _Held | RebalancerError, outcome: Outcome, since: Stopwatch
    ) -> None:
        """One account's turn, unless it has no plan or the rest was ended."""
        if isinstance(outcome, RebalancerError):
            self._failed(inputs.settings.label, outcome)
            self._end(inputs, outcome.exit_code, str(outcome))
        elif self._over:
            self._end(inputs, self._code_of_rest, f"not asked: {self._over}")
        elif isinstance(held, _Held):
            first, told = FirstPlan(proposal=outcome, since=since), len(self.ends)
            try:
                with self._command.own_files(inputs.settings) as files:
                    await self._turn(self._of(inputs, held, files, first))
            except InputError as error:  # no report directory; a turn itself raises nothing
                self._failed(inputs.settings.label, error)
                self._end(inputs, error.exit_code, str(error))
            finally:
                if len(self.ends) == told:  # a bug, which ends the command: it hides no account
                    self._end(inputs, ExitCode.BUG, BROKEN_OFF, 1, unresolved=True)

    def _of(self, inputs: Inputs, held: _Held, files: RunFiles, first: FirstPlan) -> Turn:
        return Turn(
            inputs=inputs,
            files=files,
            books=held.books,
            session=self._session.of(inputs.settings.ibkr),
            how=self._command.how(inputs),
            earlier=held.earlier,
            first=first,
            what_if=self._command.options.what_if,
            has_page=self._command.options.html or inputs.settings.io.html_report,
        )

    async def _turn(self, turn: Turn) -> None:
        emit("")
        try:
            ended = await take_turn(turn, self._sending)
        except RebalancerError as error:
            label = turn.inputs.settings.label
            self._failed(label, error)
            if isinstance(error, Interrupted):
                self._over = "you interrupted"
            elif not self._session.is_open:
                self._stop(f"the connection was lost in {label}")
            is_alarm = isinstance(error, StrayOrder)
            if is_alarm:
                self._stop(f"an alarm in {label}")
            sent = int(is_alarm)
            self._end(turn.inputs, error.exit_code, str(error), sent, unresolved=is_alarm)
            return
        if isinstance(ended, Declined):
            if ended.reason == ENDED:
                self._over = "you ended it"
            self._end(turn.inputs, ExitCode.OK, f"{ended.reason}, nothing was sent")
            return
        report = ended.report
        if report.was_interrupted:
            self._over = "you interrupted"
        elif ended.was_alarmed or not self._session.is_open:
            what = "an alarm" if ended.was_alarmed else "the connection was lost"
            self._stop(f"{what} in {turn.inputs.settings.label}")
        sent, unresolved = report.orders_sent, bool(report.unresolved)
        self._end(turn.inputs, report.exit_code, last_line(report), sent, unresolved=unresolved)

    @staticmethod
    def _failed(label: str, error: RebalancerError) -> None:
        """Nothing was sent in this account: said now, and the others go on if they can."""
        log.info("account not traded reason=%s", error)
        complain(f"{label}: {error}")
        for line in error.details:
            remark(line)

    def _stop(self, why: str) -> None:
        self._over, self._code_of_rest = why, ExitCode.LOST

    def _end(
        self, inputs: Inputs, code: int, text: str, sent: int = 0, *, unresolved: bool = False
    ) -> None:
        self.ends.append(
            AccountEnd(
                label=inputs.settings.label,
                code=code,
                text=text,
                orders_sent=sent,
                has_unresolved=unresolved,
            )
        )
