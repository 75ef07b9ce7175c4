"""``python -m src.doctor``: is everything as a run needs it? One line per check, and what mends it.

It asks and sends nothing: what it holds of the broker is a reader. What is wrong in one place does
not keep the others from being looked at, as far as they do not depend on it.

Source: SRS R-613.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from src.base.errors import ExitCode, InputError, RebalancerError
from src.base.settings import account_title
from src.base.text import counted
from src.core.health.findings import Finding, Level, bad, doubtful, failed, good, worst_code
from src.terminal.cli import (
    CommandParser,
    add_account_flag,
    add_config_flag,
    add_csv_flag,
    add_simulate_flag,
    run_main,
)
from src.terminal.console import complain, emit

if TYPE_CHECKING:
    from argparse import Namespace

    from src.app.proposing.inputs import Inputs
    from src.base.settings import Settings

_INSTALL: Final = "pip install --require-hashes -r requirements.txt"
_OLDEST_PYTHON: Final = (3, 10)


class Findings:
    """What was found so far; each is shown as soon as it is there."""

    def __init__(self) -> None:
        self.told: list[Finding] = []

    def tell(self, *found: Finding) -> None:
        """Take these in and show them."""
        for one in found:
            emit("\n".join(one.lines()))
        self.told += found

    def has_failed(self) -> bool:
        """True once something has to be mended."""
        return worst_code(self.told) is not ExitCode.OK


def main(argv: Sequence[str] | None = None) -> int:
    """Check everything there is to check, and return the exit code of the first FAIL."""
    flags = _parser().parse(argv)
    findings = Findings()
    findings.tell(*_install())
    if not findings.has_failed():
        accounts = _accounts(flags, findings)
        for settings in accounts:
            if len(accounts) > 1:
                emit(f"\nAccount {account_title(settings)}")
            _examine(flags, settings, findings)
    return _sum_up(findings)


def _examine(flags: Namespace, settings: Settings, findings: Findings) -> None:
    from src.app.examination import examine
    from src.terminal.interrupt import run_interruptible

    inputs = _inputs(flags, settings, findings)
    findings.tell(*_directories(settings, is_simulated=flags.simulate), *_command(settings))
    last = run_interruptible(examine(settings, inputs, findings.tell, simulate=flags.simulate))
    if not flags.simulate:
        findings.tell(*_earlier_runs(settings))
    findings.tell(*last)


def _sum_up(findings: Findings) -> int:
    failures = sum(one.level is Level.FAIL for one in findings.told)
    warnings = sum(one.level is Level.WARN for one in findings.told)
    if failures:
        complain(f"{counted(failures, 'check')} failed: mend the first FAIL, then run this again")
    else:
        known = f", {counted(warnings, 'warning')}" if warnings else ""
        emit(f"OK: nothing failed{known}. Nothing was sent. Next: python rebalance.py")
    return worst_code(findings.told)


# --- this computer --------------------------------------------------------------------------


def _install() -> list[Finding]:
    """Python, and the packages of the lock file."""
    from src.io.files.installed import package_problems

    shown = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        text = f"Python {shown} is too old, 3.10 or newer is needed"
        return [bad("python", text, "install a newer one", ExitCode.INPUT)]
    missing, other = package_problems()
    if missing:
        text = f"not installed: {', '.join(missing)}"
        return [bad("python", text, f"run {_INSTALL} with this Python", ExitCode.INPUT)]
    if other:
        text = f"not the versions that were tested: {', '.join(other)}"
        return [doubtful("python", text, f"run {_INSTALL}")]
    return [good("python", f"Python {shown}, all packages as locked")]


def _accounts(flags: Namespace, findings: Findings) -> tuple[Settings, ...]:
    """The settings of the accounts to look at; none where they are wrong."""
    from src.base.known_accounts import learn_accounts
    from src.io.config_loader import choose_accounts, load_settings_file
    from src.io.validate_config import settings_summary

    try:
        file = load_settings_file(flags.config)
        accounts = file.accounts
        if flags.simulate:
            from src.app.proposing.session import SAMPLE
            from src.app.proposing.simulated import simulated_settings

            accounts = simulated_settings(file.main, SAMPLE, read_only=False)
        accounts = choose_accounts(accounts, flags.account)
    except InputError as error:
        findings.tell(*_problems("settings", error))
        return ()
    learn_accounts(one.ibkr.account_id for one in accounts)
    for one in accounts:
        findings.tell(
            good("settings", f"{one.source}: {settings_summary(one)}"),
            *(doubtful("settings", text) for text in one.warnings),
        )
    return accounts


def _inputs(flags: Namespace, settings: Settings, findings: Findings) -> Inputs | None:
    """The models, if they are right."""
    from src.app.proposing.inputs import Inputs
    from src.core.targets import build_targets
    from src.io.cross_checks import check_models, mix_by_column, mix_warnings
    from src.io.portfolio_csv import load_portfolios

    try:
        portfolios = load_portfolios(settings.csv or flags.csv)
        check_models(settings, portfolios)
    except InputError as error:
        findings.tell(*_problems("models", error))
        return None
    symbols = counted(len(portfolios.symbols), "symbol")
    findings.tell(
        good("models", f"{portfolios.source}: {symbols}"),
        *(doubtful("models", text) for text in mix_warnings(settings, portfolios)),
    )
    targets = build_targets(portfolios, mix_by_column(settings.models, portfolios))
    return Inputs(settings=settings, portfolios=portfolios, targets=targets)


def _problems(about: str, error: InputError) -> list[Finding]:
    texts = [(f"{one.where}: {one.what}", one.hint) for one in error.problems] or [(str(error), "")]
    return [bad(about, text, hint or "correct it", ExitCode.INPUT) for text, hint in texts]


def _directories(settings: Settings, *, is_simulated: bool) -> list[Finding]:
    """Where reports and journal go: writable, with room, and the journal on a local disk."""
    from src.io.files.run_files import prepare_report_dir, probe_directory
    from src.io.files.state_dir import prepare_state_dir

    found: list[Finding] = []
    try:
        directory = prepare_report_dir(settings.io.report_dir)
        found.append(good("reports", f"{directory} can be written to"))
    except InputError as error:
        found += _problems("reports", error)
    try:
        state = prepare_state_dir(is_simulated=is_simulated)
        probe_directory(state)
        found.append(good("journal", f"{state} can be written to, on a local disk"))
    except RebalancerError as error:
        found.append(failed("journal", error))
    except OSError as error:
        text = f"{error.filename or 'its directory'} cannot be written to: {error.strerror}"
        found.append(bad("journal", text, "free the disk", ExitCode.REFUSED))
    return found


def _command(settings: Settings) -> list[Finding]:
    """Whether the command of [notify], if there is one, can be found."""
    from shutil import which

    command = settings.notify.command
    if not command:
        return []
    if which(command[0]) is None:
        fix = "write the program's whole path in [notify] command, or leave it out"
        return [doubtful("notify", f"there is no program {command[0]}", fix)]
    return [good("notify", f"{command[0]} is told of {', '.join(settings.notify.on)}")]


def _earlier_runs(settings: Settings) -> list[Finding]:
    """What earlier runs of the account left open, and whether one is under way."""
    from src.core.run.open_orders import open_symbols
    from src.io.files.lock import current_holder
    from src.io.files.state_dir import journal_path, lock_path, state_dir
    from src.io.journal.db import peek_journal

    about, account = "earlier runs", settings.ibkr.account_id
    try:
        directory = state_dir(is_simulated=False)
        holder = current_holder(lock_path(directory, account))
        with peek_journal(journal_path(directory, account), account) as journal:
            runs = () if journal is None else journal.open_runs()
    except RebalancerError as error:
        return [failed(about, error)]
    if holder:
        return [doubtful(about, holder, "wait for its end")]
    left = [f"run {one.run_id} ({open_symbols(one)})" for one in runs if one.has_orders]
    if left:
        fix = "python rebalance.py --recover"
        return [bad(about, f"not settled: {'; '.join(left)}", fix, ExitCode.REFUSED)]
    return [good(about, "all are settled")]


# --- flags ----------------------------------------------------------------------------------


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m src.doctor",
        description="Check the installation, the files, the connection and the account, and say\n"
        "what mends what is wrong. Questions are asked, no order is sent.",
        examples=(
            "python -m src.doctor --config config/settings.local.ini",
            "python -m src.doctor --simulate",
        ),
    )
    add_config_flag(parser)
    add_csv_flag(parser)
    add_account_flag(parser)
    add_simulate_flag(parser)
    return parser


if __name__ == "__main__":
    sys.exit(run_main(main))
