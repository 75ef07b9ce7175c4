"""From the flags and the user's two files to what a run starts from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from src.app.proposing.inputs import Inputs
from src.base.errors import InputError
from src.core.records.wishes import NO_WISHES
from src.core.targets import build_targets
from src.io.config_loader import choose_accounts, load_settings_file, only_account
from src.io.cross_checks import check_all_models, mix_by_column, mix_warnings
from src.io.portfolio_csv import load_all_portfolios
from src.terminal.cli import DEFAULT_CSV, as_usual_path
from src.terminal.console import name_gateway
from src.terminal.options import Options, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src.base.settings import Settings
    from src.core.records.portfolios import ModelPortfolios

_FOR_ALL: Final = (Task.CHECK, Task.RECOVER, Task.REBUILD)
"""What is done for all accounts where none is named."""


def accounts_for(options: Options) -> tuple[Settings, ...]:
    """The settings of the accounts this invocation is for, with the flags folded in.

    Raises: ConfigError, also where several are configured and none is named; InputError for a name
    that is no account's, or a CSV for all of several.
    """
    file = load_settings_file(options.config)
    accounts = file.accounts
    name_gateway(options.rehearsal.recovery_flags if options.simulate else ())
    if options.simulate:
        from src.app.proposing.simulated import simulated_settings

        accounts = simulated_settings(file.main, options.rehearsal, read_only=options.read_only)
    elif file.accounts[0].name and options.csv != as_usual_path(DEFAULT_CSV):
        raise InputError(
            f"--csv: {file.main.source} has sections of accounts;"
            " each names its own file with csv = FILE"
        )
    if options.read_only:
        accounts = tuple(_read_only(one) for one in accounts)
    if options.accounts or options.all_accounts or options.task in _FOR_ALL:
        return choose_accounts(accounts, options.accounts)
    return (only_account(accounts),)


def _read_only(settings: Settings) -> Settings:
    return settings._replace(ibkr=settings.ibkr._replace(read_only=True))


def load_inputs(options: Options, settings: Settings) -> Inputs:
    """Read the portfolios, check them against the settings, and mix the targets.

    Raises: PortfolioCsvError, ConfigError.
    """
    (inputs,) = load_all_inputs(options, (settings,))
    return inputs


def load_all_inputs(options: Options, accounts: Sequence[Settings]) -> tuple[Inputs, ...]:
    """The same for each account; a file that several share is read once.

    Raises: InputError with the problems of all files.
    """
    loaded = load_all_portfolios([one.csv or options.csv for one in accounts])
    check_all_models((one, loaded[one.csv or options.csv]) for one in accounts)
    wishes = options.wishes or NO_WISHES
    # what a wish names must be known in one account; of several any one will do
    elsewhere = frozenset((*wishes.skip, *wishes.only)) if len(accounts) > 1 else frozenset()
    return tuple(
        replace(_inputs(options, one, loaded[one.csv or options.csv]), known_elsewhere=elsewhere)
        for one in accounts
    )


def _inputs(options: Options, settings: Settings, portfolios: ModelPortfolios) -> Inputs:
    csv = settings.csv or options.csv
    warnings = (*settings.warnings, *mix_warnings(settings, portfolios))
    files = {options.config: settings.content, csv: portfolios.content}
    return Inputs(
        settings=settings._replace(warnings=warnings),
        portfolios=portfolios,
        targets=build_targets(portfolios, mix_by_column(settings.models, portfolios)),
        wishes=options.wishes or NO_WISHES,
        files=files,
    )
