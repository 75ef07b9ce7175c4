"""``--recover`` and ``--rebuild``: put an earlier run's books in order. Neither places an order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from src.app.books.account_books import AccountBooks, file_left_report, hold_account
from src.app.books.earlier_runs import (
    EARLIER_RUNS,
    file_missing_reports,
    late_texts,
    open_details,
    reconcile,
    stranger_texts,
    with_orders,
)
from src.app.books.recovery import accept_run, close_simulated_runs
from src.app.proposing.inputs import now_utc
from src.app.proposing.simulated import kept_refs
from src.base.errors import BrokerLost, ExitCode, InputError, Problem, Refused
from src.base.settings import account_title
from src.base.text import printable
from src.core.orders.codes import READ_ONLY_ADVICE
from src.core.orders.ref import is_run_id
from src.core.run.fold import fold
from src.core.run.open_orders import open_symbols
from src.io.files.logs import RunLog, run_log, screen_log
from src.io.files.run_files import claim_run_files, prepare_report_dir
from src.io.files.state_dir import journal_path, state_dir
from src.io.journal.db import open_journal
from src.io.post_report import rebuild_post_report
from src.terminal.cli import errors_recorded_in
from src.terminal.console import complain, emit, remark
from src.terminal.interrupt import run_interruptible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from src.app.books.recovery import Recovery
    from src.base.settings import Settings
    from src.core.records.orders import WorkingOrder
    from src.core.run.state import RunState
    from src.io.files.run_files import RunFiles
    from src.terminal.options import Options


def recover(options: Options, settings: Settings, files: RunFiles) -> int:
    """Settle what earlier runs of the account left; the run id names a run to take over.

    0 when nothing is left open, 5 when a run still is. Raises: Refused, BrokerLost, InputError.
    """
    _check_run_id(options.run_id, "--accept")
    if settings.name:
        emit(f"{account_title(settings)}:")
    with hold_account(settings, files.started_utc, is_simulated=options.simulate) as books:
        if options.simulate:
            kept = kept_refs(options.rehearsal)
            close_simulated_runs(books.journal, now_utc(), kept)
            if not kept:
                emit("OK: what earlier simulated gateways left is closed.")
                return ExitCode.OK
        return run_interruptible(_recover(options, settings, books))


def recover_all(options: Options, accounts: Sequence[Settings]) -> int:
    """The same for each account in turn; what stops one stops no other. The gravest exit code.

    Raises: InputError for a run id, which is one account's.
    """
    if options.run_id:
        raise InputError("--accept: a run is one account's; name it: --account")
    codes = []
    for settings in accounts:
        files = claim_run_files(prepare_report_dir(settings.io.report_dir), now_utc())
        with (
            screen_log(),
            run_log(files, settings.io.log_level, is_simulated=options.simulate) as log,
        ):
            codes.append(_recovered(options, settings, files, log))
    return next((code for code in (ExitCode.REFUSED, ExitCode.LOST) if code in codes), ExitCode.OK)


def _recovered(options: Options, settings: Settings, files: RunFiles, log: RunLog) -> int:
    try:
        with errors_recorded_in(log):
            return recover(options, settings, files)
    except (Refused, BrokerLost) as error:
        complain(str(error))
        for line in error.details:
            remark(line)
        return error.exit_code


async def _recover(options: Options, settings: Settings, books: AccountBooks) -> int:
    accept, report_dir = options.run_id, settings.io.report_dir
    recovery = await _reconcile(options, settings, books)
    if options.cancel:
        from src.app.books.cancelling import cancel_working

        if await cancel_working(options, settings, books, recovery):
            recovery = recovery.then(await _reconcile(options, settings, books))
    for state in with_orders(recovery.settled):
        emit(f"Run {state.run_id} is settled; {_report_text(books, state, report_dir)}.")
    for text in (*stranger_texts(recovery.strangers), *late_texts(recovery)):
        emit(f"Note: {text}.")
    still_open = list(recovery.still_open)
    if accept and _accept(accept, recovery, books, report_dir):
        still_open = [state for state in still_open if state.run_id != accept]
    for text in file_missing_reports(books, report_dir):
        emit(f"Note: {text}.")
    for state in still_open:
        emit(f"Still open: run {state.run_id} ({open_symbols(state)}).")
        for line in open_details(state, recovery):
            emit(line)
    if not still_open:
        emit("OK: no earlier run is open.")
    return ExitCode.REFUSED if still_open else ExitCode.OK


async def _reconcile(options: Options, settings: Settings, books: AccountBooks) -> Recovery:
    from src.app.proposing.session import open_session

    async with open_session(
        settings, simulate=options.simulate, rehearsal=options.rehearsal
    ) as session:
        with session.waits.on(EARLIER_RUNS):
            return await reconcile(session, books)


def _accept(run_id: str, recovery: Recovery, books: AccountBooks, report_dir: Path) -> bool:
    """Close a run that cannot be proven, on the user's word; False, with the reason, if it may not.

    Raises: InputError when there is no such open run, JournalError.
    """
    if any(state.run_id == run_id for state in recovery.settled):
        return False  # proven just now: there is nothing left to accept
    working = recovery.working.get(run_id, ())
    if working or working is None:
        emit(f"Run {run_id} is not accepted: {_why_not_accepted(working)}.")
        return False
    taken = accept_run(books.journal, run_id, now_utc())
    emit(f"Run {run_id} is closed on your word; {_report_text(books, taken, report_dir)}.")
    return True


def _why_not_accepted(working: Collection[WorkingOrder] | None) -> str:
    if working is None:
        return (
            "the gateway does not say which orders work (its API is read-only): "
            f"{READ_ONLY_ADVICE} and accept it then"
        )
    names = ", ".join(f"{one.order_ref} ({one.symbol}, {one.status})" for one in working)
    return (
        f"{printable(names)} still works. Wait for its end, or cancel it in TWS or by "
        "`python rebalance.py --recover --cancel`; then it is proven and needs no accepting"
    )


def rebuild(run_id: str, accounts: Sequence[Settings]) -> int:
    """Write a run's post report again from its account's journal (or a simulated run's).

    Raises: InputError for an unknown run or one that sent nothing; Refused, JournalError.
    """
    _check_run_id(run_id, "--rebuild")
    state, settings = _find_run(run_id, accounts)
    report_dir = prepare_report_dir(settings.io.report_dir)
    if not state.has_orders:
        raise InputError(f"run {run_id} sent no order: it has no post-trade report")
    try:
        path = rebuild_post_report(state, report_dir)
    except OSError as error:
        raise Refused(f"the report cannot be written: {error.strerror or error}") from error
    emit(f"OK: {path}")
    return ExitCode.OK


def _find_run(run_id: str, accounts: Sequence[Settings]) -> tuple[RunState, Settings]:
    for path, account_id, settings in _journals(accounts):
        if not path.exists():
            continue
        with open_journal(path, account_id) as journal:
            events = journal.events(run_id)
        if events:
            return fold(events), settings
    whose = "this account" if len(accounts) == 1 else "these accounts"
    raise InputError(
        f"no journal of {whose} knows run {run_id}; the names of a run's files carry its id, and"
        " `python -m src.history` lists all runs"
    )


def _journals(accounts: Sequence[Settings]) -> Iterator[tuple[Path, str, Settings]]:
    """Each account's own journal, then those of simulated runs."""
    for settings in accounts:
        account = settings.ibkr.account_id
        yield journal_path(state_dir(is_simulated=False), account), account, settings
    simulated = state_dir(is_simulated=True)
    for path in sorted(simulated.glob("*.sqlite3")):
        own = next((one for one in accounts if one.ibkr.account_id == path.stem), accounts[0])
        yield path, path.stem, own


def _report_text(books: AccountBooks, state: RunState, report_dir: Path) -> str:
    try:
        return f"its report is {file_left_report(books.journal, state, report_dir, now_utc())}"
    except OSError as error:
        why = error.strerror or error
        return f"its report could not be written ({why}): use --rebuild {state.run_id}"


def _check_run_id(run_id: str, flag: str) -> None:
    if run_id and not is_run_id(run_id):
        raise InputError(
            Problem(
                where=flag,
                what=f"'{run_id}' is not a run id",
                hint="it looks like 20250131T143000Z and stands in the names of the run's files",
            )
        )
