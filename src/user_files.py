"""From the flags and the user's two files to what a run starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.core.records import NO_WISHES
from src.core.targets import build_targets
from src.inputs import Inputs
from src.io.config_loader import load_settings
from src.io.cross_checks import check_models, mix_warnings
from src.io.portfolio_csv import load_portfolios

if TYPE_CHECKING:
    from src.options import Options
    from src.settings import Settings


def settings_for(options: Options) -> Settings:
    """The settings file with the flags folded in.

    Raises: ConfigError.
    """
    settings = load_settings(options.config)
    if options.simulate:
        from src.simulated import simulated_settings

        return simulated_settings(settings, options.rehearsal, read_only=options.read_only)
    if options.read_only:
        settings = settings._replace(ibkr=settings.ibkr._replace(read_only=True))
    return settings


def load_inputs(options: Options, settings: Settings) -> Inputs:
    """Read the portfolios, check them against the settings, and mix the targets.

    Raises: PortfolioCsvError, ConfigError.
    """
    portfolios = load_portfolios(options.csv)
    check_models(settings, portfolios)
    warnings = (*settings.warnings, *mix_warnings(settings, portfolios))
    files = {options.config: settings.content, options.csv: portfolios.content}
    return Inputs(
        settings=settings._replace(warnings=warnings),
        portfolios=portfolios,
        targets=build_targets(portfolios, settings.models),
        wishes=options.wishes or NO_WISHES,
        files=files,
    )
