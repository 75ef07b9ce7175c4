"""The account's lock and journal: taken before connecting, held to the end of the run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from src.app.proposing.inputs import Books
from src.base.errors import JournalError, Refused
from src.core.journal.events import ReportWritten
from src.core.orders.ref import order_prefix
from src.core.permission.recent_trades import RecentTrades, trades_of
from src.core.run.open_orders import open_symbols
from src.core.run.outcome import unresolved_tickets
from src.core.run.recent_wishes import PastWish, past_wishes
from src.io.files.lock import acquire_lock
from src.io.files.state_dir import journal_path, lock_path, prepare_state_dir, state_dir
from src.io.journal.db import JournalDb, open_journal, peek_journal
from src.io.post_report import rebuild_post_report

if TYPE_CHECKING:
    from src.base.settings import Settings
    from src.core.run.state import RunState

log = logging.getLogger(__name__)

_RECENT_RUNS: Final = 5
"""How many of the last runs that sent orders may not show in the account yet."""

_WISHES_OF_RUNS: Final = 30
"""Of how many of the last runs that sent orders the wishes are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBooks:
    """What a run holds while it may trade."""

    journal: JournalDb
    is_simulated: bool

    @property
    def order_prefix(self) -> str:
        """The mark of this kind of run's orders."""
        return order_prefix(is_simulated=self.is_simulated)

    def for_guards(self) -> Books:
        """What the guards ask of the journal."""
        return Books(
            order_prefix=self.order_prefix,
            journalled_refs=frozenset(one.request.order_ref for one in self.journal.intents()),
            open_runs=tuple(run.run_id for run in self.journal.open_runs()),
            recent_trades=() if self.is_simulated else _recent_trades(self.journal),
            past_wishes=() if self.is_simulated else _past_wishes(self.journal),
        )

    def highest_order_id(self) -> int:
        """The highest order id this machine ever used for the account; 0 for none."""
        return max((one.request.order_id for one in self.journal.intents()), default=0)


@contextmanager
def hold_account(
    settings: Settings, started_utc: datetime, *, is_simulated: bool
) -> Iterator[AccountBooks]:
    """Hold the account's lock and journal while the block runs.

    Raises: LockHeld, JournalError, Refused.
    """
    account = settings.ibkr.account_id
    directory = prepare_state_dir(is_simulated=is_simulated)
    with (
        acquire_lock(lock_path(directory, account), started_utc),
        open_journal(journal_path(directory, account), account) as journal,
    ):
        yield AccountBooks(journal=journal, is_simulated=is_simulated)


def left_open_text(settings: Settings, *, is_simulated: bool) -> str:
    """A sentence about earlier runs that are not settled, with a space before it; or nothing."""
    account = settings.ibkr.account_id
    path = journal_path(state_dir(is_simulated=is_simulated), account)
    try:
        with peek_journal(path, account) as journal:
            runs = () if journal is None or is_simulated else journal.open_runs()
    except (JournalError, Refused) as error:
        log.info("the order journal cannot be read: %s", error)
        return " What earlier runs left open cannot be read from the journal."
    named = "; ".join(_open_run_text(run) for run in runs if run.has_orders)
    return f" Not settled yet: {named} (`python rebalance.py --recover`)." if named else ""


def _open_run_text(run: RunState) -> str:
    has_doubt = unresolved_tickets(run) != ()
    return f"run {run.run_id}" + (f", unresolved {open_symbols(run)}" if has_doubt else "")


def with_journal(books: Books, path: Path, account_id: str) -> Books:
    """The books with what the journal at ``path`` says, if there is one.

    Raises: JournalError when it cannot be believed.
    """
    with peek_journal(path, account_id) as journal:
        if journal is None:
            return books
        return replace(
            books,
            journalled_refs=journal.order_refs(),
            open_runs=tuple(run.run_id for run in journal.open_runs() if run.has_orders),
            recent_trades=_recent_trades(journal),
            past_wishes=_past_wishes(journal),
        )


def _recent_trades(journal: JournalDb) -> tuple[RecentTrades, ...]:
    moved = (trades_of(state) for state in journal.latest_runs(_RECENT_RUNS))
    return tuple(one for one in moved if one is not None)


def _past_wishes(journal: JournalDb) -> tuple[PastWish, ...]:
    return past_wishes(journal.latest_runs(_WISHES_OF_RUNS))


def file_left_report(
    journal: JournalDb, state: RunState, report_dir: Path, at_utc: datetime
) -> Path:
    """Write an earlier run's missing post report and note in the journal that it is there.

    Raises: OSError when it cannot be written, JournalError.
    """
    path = rebuild_post_report(state, report_dir)
    journal.append(ReportWritten(run_id=state.run_id, at_utc=at_utc, file_name=path.name))
    log.info("post-trade report written path=%s", path)
    return path
