"""``python -m src.history``: what earlier runs traded and cost, from the journals alone.

No broker is asked and no lock is taken; a run that is under way is not disturbed.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from src.base.errors import ExitCode, InputError, JournalError
from src.base.text import did_you_mean
from src.terminal.cli import CommandParser, as_path, exit_with
from src.terminal.console import emit, emit_document, warn

if TYPE_CHECKING:
    from argparse import Namespace
    from datetime import date
    from pathlib import Path

    from src.core.history.runs import History, PastRun, Sought


_PAGE = "rebalance_history.html"


class _Found(NamedTuple):
    """The runs of some journals, oldest first; ``known`` are the ids of all of theirs."""

    runs: tuple[PastRun, ...]
    known: tuple[str, ...]
    unread: tuple[str, ...]
    journals_read: int


def main(argv: Sequence[str] | None = None) -> int:
    """Print the history and return the exit code; errors are raised."""
    flags = _read_flags(argv)
    from src.core.history.runs import Sought

    sought = Sought(flags.since, flags.until, flags.run_id or "", flags.simulated)
    accounts = _accounts(sought, flags.account)
    found = _find(sought, accounts)
    for text in found.unread:
        warn(text)
    _check_found(sought, found, accounts)
    return _show(flags, _history(sought, found, wants_totals=not flags.csv), accounts)


# --- flags ----------------------------------------------------------------------------------


def _read_flags(argv: Sequence[str] | None) -> Namespace:
    parser = _parser()
    flags = parser.parse(argv)
    if flags.run_id is not None and (flags.since or flags.until):
        parser.error("RUN_ID names one run: leave out --since and --until")
    if flags.since and flags.until and flags.since > flags.until:
        parser.error(f"--since {flags.since} is after --until {flags.until}")
    return flags


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m src.history",
        description="Show what earlier runs traded, what it cost and how far they were off,\n"
        "from this computer's journals alone: nothing is connected to, nothing is changed.",
        examples=(
            "python -m src.history                            every run, totals per month",
            "python -m src.history --since 2025-03-01 --until 2025-03-31",
            "python -m src.history 20250131T143000Z           one run whole",
            "python -m src.history --account 567 --csv         an account by its last letters",
            "python -m src.history --html march.html           a page with charts",
        ),
    )
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN_ID", help="show this run whole, with all its tickets"
    )
    parser.add_argument(
        "--since", type=_day, metavar="DATE", help="runs of this UTC day and later: 2025-03-01"
    )
    parser.add_argument(
        "--until", type=_day, metavar="DATE", help="runs of this UTC day and earlier"
    )
    parser.add_argument(
        "--account", metavar="NAME", help="one account: its id or its masked ending"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--csv", action="store_true", help="print one CSV row per ticket")
    form.add_argument(
        "--html",
        nargs="?",
        const=_PAGE,
        type=as_path,
        metavar="FILE",
        help=f"write a page to look at in a browser, as this new file (default: {_PAGE})",
    )
    parser.add_argument(
        "--simulated", action="store_true", help="simulated runs, which are left out otherwise"
    )
    return parser


def _day(text: str) -> date:
    from datetime import date

    parts = text.split("-") if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else ["0"] * 3
    try:
        return date(*map(int, parts))
    except ValueError:
        raise ArgumentTypeError(f"{text[:40]!r} is no day, it looks like 2025-03-31") from None


# --- journals -------------------------------------------------------------------------------


def _accounts(sought: Sought, wanted: str | None) -> tuple[str, ...]:
    """The accounts that have a journal, of which one may be wanted alone.

    Raises: InputError when there are some and none, or several, are what is wanted.
    """
    from src.base.known_accounts import learn_accounts
    from src.io.files.state_dir import state_dir
    from src.io.journal.copy import accounts_with_journal

    names = accounts_with_journal(state_dir(is_simulated=sought.is_simulated))
    learn_accounts(names)
    if wanted is None or not names:
        return names
    fitting = tuple(name for name in names if name in _named_by(wanted, names))
    if len(fitting) == 1:
        return fitting
    few = "several accounts' journals end" if fitting else "no account's journal is named or ends"
    listed = ", ".join(fitting or names)
    raise InputError(f"--account {wanted}: {few} like that; there are {listed}")


def _named_by(wanted: str, names: Collection[str]) -> Collection[str]:
    """The accounts that a full id, a mask as it is shown, or at least three last letters name."""
    from src.base.accounts import LEAST_ENDING, account_masks

    text = wanted.strip().upper()
    if text in names:
        return (text,)
    by_mask = [name for name, mask in account_masks(names).items() if mask == text]
    ending = text.rpartition("*")[2]
    if by_mask or len(ending) < LEAST_ENDING:
        return by_mask
    return [name for name in names if name.endswith(ending)]


def _find(sought: Sought, accounts: Collection[str]) -> _Found:
    """The runs that are sought; what cannot be believed is named, and the others are read."""
    from src.io.files.state_dir import state_dir

    directory = state_dir(is_simulated=sought.is_simulated)
    runs: list[PastRun] = []
    known: list[str] = []
    unread: list[str] = []
    journals_read = 0
    for account_id in accounts:
        texts, why_not = _texts(directory, account_id)
        unread += why_not
        journals_read += not why_not
        known += texts
        for run_id in texts if not sought.run_id else texts.keys() & {sought.run_id}:
            run, why_not = _past_run(run_id, texts[run_id], is_whole=bool(sought.run_id))
            unread += why_not
            runs += [one for one in run if sought.has(one)]
    runs.sort(key=lambda run: (run.started_utc, run.run_id, run.account_id))
    return _Found(tuple(runs), tuple(known), tuple(unread), journals_read)


def _texts(directory: Path, account_id: str) -> tuple[dict[str, list[str]], list[str]]:
    """A journal's runs with the texts of their events, or why it cannot be read."""
    from src.base.accounts import is_account
    from src.io.journal.copy import read_texts

    path = directory / f"{account_id}.sqlite3"
    if not is_account(account_id):
        return {}, [f"{path} is no journal: it is not named after an account"]
    try:
        return read_texts(path, account_id), []
    except JournalError as error:
        return {}, [str(error)]


def _past_run(
    run_id: str, texts: Collection[str], *, is_whole: bool
) -> tuple[list[PastRun], list[str]]:
    """What a run came to, or why that cannot be told."""
    from src.core.history.quick import quick_run

    quick = None if is_whole else quick_run(run_id, texts)
    if quick is not None:
        return [quick], []
    from src.core.history.fold import past_run

    try:
        return [past_run(texts)], []
    except JournalError as error:
        return [], [f"run {run_id} cannot be read from its journal: {error}"]


def _check_found(sought: Sought, found: _Found, accounts: Collection[str]) -> None:
    """Raises: InputError for an unknown run, JournalError when no journal could be read."""
    if accounts and not found.journals_read:
        raise JournalError("no journal could be read: there is nothing to look back on")
    if not sought.run_id or found.runs:
        return
    if found.unread:
        raise JournalError(f"run {sought.run_id} is in no journal that could be read")
    hint = did_you_mean(sought.run_id, found.known)
    other = "" if sought.is_simulated else " (simulated runs are shown with --simulated)"
    nearest = f"; {hint}" if hint else ""
    raise InputError(f"no journal knows the run {sought.run_id}{other}{nearest}")


# --- showing --------------------------------------------------------------------------------


def _history(sought: Sought, found: _Found, *, wants_totals: bool) -> History:
    from src.core.history.runs import History

    history = History(sought, found.runs, unread=found.unread)
    if not found.runs or sought.run_id or not wants_totals:
        return history
    from src.io.reports.history_totals import with_totals

    months, accounts, total = with_totals(found.runs)
    return history._replace(months=months, accounts=accounts, total=total)


def _show(flags: Namespace, history: History, accounts: Collection[str]) -> int:
    if flags.json:
        import json

        from src.core.history.as_json import history_as_json

        was_shown = emit_document(json.dumps(history_as_json(history), indent=2))
    elif flags.html:
        was_shown = emit(f"The page is {_filed_page(flags.html, history)}")
    elif flags.csv:
        was_shown = emit_document("\n".join(_csv_lines(history)))
    else:
        was_shown = emit(_text(history, accounts))
    return ExitCode.OK if was_shown else ExitCode.BUG


def _filed_page(path: Path, history: History) -> Path:
    """Write the page of one run, or of all that were found.

    Raises: InputError when there is nothing to show, or the file cannot be new.
    """
    from src.core.history.pages import history_page, page_of_texts
    from src.io.files.state_dir import state_dir
    from src.io.reports.page_file import write_page

    page = history_page(history)
    if history.sought.run_id:
        (run,) = history.runs
        texts, _ = _texts(state_dir(is_simulated=run.is_simulated), run.account_id)
        page = page_of_texts(texts[run.run_id])
    try:
        return write_page(path, page)
    except FileExistsError:
        raise InputError(f"--html {path} is there already: name a new file") from None
    except OSError as error:
        raise InputError(f"--html {path} cannot be written: {error.strerror}") from error


def _csv_lines(history: History) -> Iterator[str]:
    import csv
    import io

    from src.core.history.as_json import csv_rows

    for row in csv_rows(history):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(row)
        yield line.getvalue()


def _text(history: History, accounts: Collection[str]) -> str:
    from src.base.accounts import account_masks
    from src.core.history.as_text import render_history, render_run

    heading = ["SIMULATED runs only"] if history.sought.is_simulated else []
    if not history.runs:
        return "\n".join([*heading, _nothing(history, accounts)])
    shown = account_masks(accounts)
    if history.sought.run_id:
        texts = [render_run(run, shown) for run in history.runs]
    else:
        texts = [render_history(history, shown)]
    return "\n\n".join(["\n".join([*heading, texts[0]]), *texts[1:]])


def _nothing(history: History, accounts: Collection[str]) -> str:
    kind = "simulated run" if history.sought.is_simulated else "run"
    if not accounts:
        return f"There is no journal: no {kind} with --confirm has come to its plan yet."
    if history.sought.since or history.sought.until:
        return f"No {kind} on these days."
    return f"No {kind} yet."


if __name__ == "__main__":
    import gc

    gc.disable()  # lives for a second: collecting would cost a fifth of it and free nothing
    exit_with(main)
