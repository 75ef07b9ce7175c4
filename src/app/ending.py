"""Tell the user's [notify] command how a check or a run ended, once everything is written down.

What was traded is read from the journal, so nothing is told that is not on disk. Account ids are
masked. A simulated run tells nobody.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from src.base.errors import ExitCode, JournalError, RebalancerError, Refused
from src.base.known_accounts import mask_accounts
from src.base.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from src.base.json_values import Json
    from src.base.settings import NotifyEvent, Settings
    from src.core.history.runs import PastRun
    from src.terminal.options import Options

log = logging.getLogger(__name__)

SCHEMA: Final = "rebalance-notice/1"


class ending_told:  # noqa: N801 - read as a phrase: with ending_told(...) as ending
    """Tell how the block ended: by ``code``, or by the error that leaves it.

    ``run_id`` is that of a run that may trade; ``lines``, ``plans`` and ``is_due`` are what a check
    found, in any account.
    ``runs`` are all that may trade, with the settings of their accounts.
    """

    def __init__(self, settings: Settings, options: Options, run_id: str = "") -> None:
        self._settings = settings
        self._options = options
        self._run_id = run_id
        self.runs: Mapping[str, Settings] = {run_id: settings} if run_id else {}
        self.code: int = ExitCode.OK
        self.lines: list[str] = []
        self.plans: list[Json] = []
        self.is_due = False

    def __enter__(self) -> ending_told:  # noqa: PYI034 - Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Run the command if it wants to hear of this."""
        if self._settings.notify.command and not self._options.simulate:
            self._tell(error)

    def _tell(self, error: BaseException | None) -> None:
        code, why = _code_of(self.code, error), _words_of(error)
        runs = [one for run_id, own in self.runs.items() for one in _runs_with_orders(own, run_id)]
        happened: dict[NotifyEvent, bool] = {
            "due": self.is_due,
            "traded": bool(runs) or code == ExitCode.UNFILLED,
            "failed": code not in (ExitCode.OK, ExitCode.DUE, ExitCode.INTERRUPTED),
        }
        events = [event for event, is_so in happened.items() if is_so]
        if not set(events) & set(self._settings.notify.on):
            return
        import json

        from src.core.history.as_json import run_as_json
        from src.io.notify import notify

        document: dict[str, Json] = {
            "schema": SCHEMA,
            "events": [*events],
            "task": self._options.task.value,
            "exit_code": code,
            "text": "\n".join([*self.lines, *map(_run_text, runs), *why]),
            "run_id": self._run_id or None,
            "plans": self.plans,
            "runs": [run_as_json(one, is_whole=True) for one in runs],
        }
        notify(self._settings.notify.command, mask_accounts(json.dumps(document, indent=2)))


def _code_of(code: int, error: BaseException | None) -> int:
    if error is None:
        return int(code)
    if isinstance(error, RebalancerError):
        return int(error.exit_code)
    return int(ExitCode.BUG if isinstance(error, Exception) else ExitCode.INTERRUPTED)


def _words_of(error: BaseException | None) -> list[str]:
    if isinstance(error, RebalancerError):
        lines = [f"error: {line}" for line in str(error).splitlines()]
        return [*lines, *error.details, *filter(None, [error.aftermath])]
    return [f"error: internal error: {error}"] if isinstance(error, Exception) else []


def _runs_with_orders(settings: Settings, run_id: str) -> Iterator[PastRun]:
    """What this run sent, as the journal has it."""
    from src.core.history.fold import summed_up
    from src.core.run.fold import fold
    from src.io.files.state_dir import journal_path, state_dir
    from src.io.journal.db import peek_journal

    account = settings.ibkr.account_id
    try:
        path = journal_path(state_dir(is_simulated=False), account)
        with peek_journal(path, account) as journal:
            events = journal.events(run_id) if journal is not None else ()
            run = summed_up(fold(events)) if events else None
    except (JournalError, Refused) as error:
        log.warning("what this run sent cannot be read from the journal: %s", error)
        return
    if run is not None and run.orders:
        yield run


def _run_text(run: PastRun) -> str:
    from src.base.money import dollars

    filled = sum(one.status == "Filled" for one in run.tickets)
    return (
        f"{run.account_id}: {counted(run.orders, 'order')} sent, {filled} of "
        f"{counted(len(run.tickets), 'ticket')} filled, bought {dollars(run.amounts.bought_usd)}, "
        f"sold {dollars(run.amounts.sold_usd)}"
    )
