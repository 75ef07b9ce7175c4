"""From the flags and the user's two files to what a run starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.app.proposing.inputs import Inputs
from src.base.errors import InputError
from src.core.records.wishes import NO_WISHES
from src.core.targets import build_targets
from src.io.config_loader import choose_accounts, load_settings_file
from src.io.cross_checks import check_models, mix_by_column, mix_warnings
from src.io.portfolio_csv import load_portfolios
from src.terminal.cli import DEFAULT_CSV, as_path

if TYPE_CHECKING:
    from src.base.settings import Settings
    from src.terminal.options import Options


def accounts_for(options: Options) -> tuple[Settings, ...]:
    """The settings of the accounts this invocation is for, with the flags folded in.

    Raises: ConfigError; InputError for a name that is no account's, or a CSV for all of several.
    """
    file = load_settings_file(options.config)
    accounts = file.accounts
    if options.simulate:
        from src.app.proposing.simulated import simulated_settings

        accounts = (simulated_settings(file.main, options.rehearsal, read_only=options.read_only),)
    elif file.accounts[0].name and options.csv != as_path(DEFAULT_CSV):
        raise InputError(
            f"--csv: {file.main.source} has sections of accounts;"
            " each names its own file with csv = FILE"
        )
    if options.read_only:
        accounts = tuple(_read_only(one) for one in accounts)
    return choose_accounts(accounts, options.accounts)


def _read_only(settings: Settings) -> Settings:
    return settings._replace(ibkr=settings.ibkr._replace(read_only=True))


def load_inputs(options: Options, settings: Settings) -> Inputs:
    """Read the portfolios, check them against the settings, and mix the targets.

    Raises: PortfolioCsvError, ConfigError.
    """
    csv = settings.csv or options.csv
    portfolios = load_portfolios(csv)
    check_models(settings, portfolios)
    warnings = (*settings.warnings, *mix_warnings(settings, portfolios))
    files = {options.config: settings.content, csv: portfolios.content}
    return Inputs(
        settings=settings._replace(warnings=warnings),
        portfolios=portfolios,
        targets=build_targets(portfolios, mix_by_column(settings.models, portfolios)),
        wishes=options.wishes or NO_WISHES,
        files=files,
    )
