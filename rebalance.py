"""Rebalance an Interactive Brokers account to a mix of model ETF portfolios.

``python rebalance.py --help`` explains the flags; USAGE.md explains everything else. This module
wires the rooms together, in the order of the street: settings and CSV, targets, snapshot and
prices, drift, sizing, preview, confirmation, execution, reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from src.base.errors import RebalancerError, StrayOrder
from src.terminal.cli import errors_recorded_in, exit_with
from src.terminal.options import Options, Task, read_options

if TYPE_CHECKING:
    from src.app.proposing.inputs import Inputs
    from src.io.files.run_files import RunFiles


def main(argv: Sequence[str] | None = None) -> int:
    """Run one invocation and return its exit code; errors are raised."""
    options = read_options(argv)
    from src.app.proposing.user_files import accounts_for, load_inputs
    from src.io.config_loader import only_account

    accounts = accounts_for(options)
    if options.task is Task.REBUILD:
        from src.app.maintenance import rebuild

        return rebuild(options.run_id, accounts)
    if options.task is Task.CHECK:
        from src.app.checking import check

        return check(options, accounts)
    if options.task is Task.RECOVER and len(accounts) > 1:
        from src.app.maintenance import recover_all

        return recover_all(options, accounts)
    if len(accounts) > 1 and options.from_snapshot is None:
        from src.app.several import run_all

        return run_all(options, accounts)
    settings = only_account(accounts)
    from datetime import datetime, timezone

    from src.app.ending import ending_told
    from src.io.files.logs import run_log, screen_log
    from src.io.files.run_files import claim_run_files, prepare_report_dir

    started_utc = datetime.now(timezone.utc)
    if options.from_snapshot is not None:
        from src.app.runs import plan_from_file

        with screen_log():
            inputs = load_inputs(options, settings)
            return plan_from_file(options.from_snapshot, options, inputs, started_utc)
    files = claim_run_files(prepare_report_dir(settings.io.report_dir), started_utc)
    with (
        screen_log(),
        run_log(files, settings.io.log_level, is_simulated=options.simulate) as log,
        ending_told(settings, options, files.run_id) as ending,
        errors_recorded_in(log),
    ):
        if options.task is Task.RECOVER:
            from src.app.maintenance import recover

            ending.code = recover(options, settings, files)
        else:
            ending.code = _plan_and_trade(options, load_inputs(options, settings), files)
    return ending.code


def _plan_and_trade(options: Options, inputs: Inputs, files: RunFiles) -> int:
    from src.terminal.interrupt import Sending, run_interruptible

    if options.task is not Task.CONFIRM or inputs.settings.ibkr.read_only:
        from src.app.runs import dry_run

        return run_interruptible(dry_run(options, inputs, files))
    from src.app.trading import confirmed_run

    sending = Sending()
    try:
        return run_interruptible(confirmed_run(options, inputs, files, sending), sending)
    except StrayOrder:
        raise
    except RebalancerError as error:  # raised only while nothing was sent
        from src.app.books.account_books import left_open_text

        earlier = left_open_text(inputs.settings, is_simulated=options.simulate)
        error.aftermath = f"This run sent nothing.{earlier} The log is {files.log}."
        raise


if __name__ == "__main__":
    exit_with(main)
