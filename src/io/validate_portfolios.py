"""``python -m src.io.validate_portfolios FILE``: check a portfolio CSV and its symbols.

With ``--offline`` only the files are read. Otherwise the symbols are looked up at IBKR, or with
``--simulate`` at the built-in simulated gateway, and listed with what they are.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from src.cli import (
    DEFAULT_CSV,
    CommandParser,
    add_config_flag,
    add_simulate_flag,
    as_path,
    as_usual_path,
    run_main,
)
from src.console import emit, warn
from src.core.names import instrument_table, money_lookalikes, money_words
from src.core.portfolios import ModelPortfolios, Symbol
from src.errors import ExitCode, InputError, Problem
from src.io.config_loader import load_settings
from src.io.cross_checks import check_models, idle_contracts, mix_warnings
from src.io.portfolio_csv import check_symbols, load_portfolios
from src.settings import Settings
from src.text import counted, printable

if TYPE_CHECKING:
    from src.core.records import Listing, SymbolLookup


def main(argv: Sequence[str] | None = None) -> int:
    """Print OK and a summary, or raise an error with every problem."""
    arguments = _parser().parse(argv)
    listings: tuple[Listing, ...] = ()
    if not arguments.offline:  # the settings beside the program say nothing of anybody's own CSV
        arguments.config = as_usual_path(str(arguments.config))
    if arguments.offline and not arguments.config.exists():
        portfolios = load_portfolios(arguments.csv)
        checked = f"names not compared: no file {printable(str(arguments.config))}"
    else:
        settings, portfolios = _load_both(arguments.config, arguments.csv)
        check_models(settings, portfolios)
        _warn_all(() if arguments.simulate else settings.warnings)
        _warn_all(mix_warnings(settings, portfolios))
        _warn_all(idle_contracts(settings, portfolios.symbols))
        checked = "symbols not looked up"
        if not arguments.offline:
            listings = _look_up_symbols(settings, portfolios, simulate=arguments.simulate)
            checked = "symbols known at the " + (
                "simulated gateway" if arguments.simulate else "broker"
            )
    if arguments.offline:
        _warn_all(money_words(portfolios.symbols))
    lines = [f"OK: {portfolios.source}: {_summary(portfolios)}, {checked}"]
    lines += [printable(line) for line in instrument_table(listings)] if listings else []
    return ExitCode.OK if emit("\n".join(lines)) else ExitCode.BUG


def _load_both(config: Path, csv: Path) -> tuple[Settings, ModelPortfolios]:
    """Load both files; when either is wrong, raise the problems of both."""
    problems: list[Problem] = []
    loaded: list[ModelPortfolios] = []
    try:
        loaded.append(load_portfolios(csv))
    except InputError as error:
        problems.extend(error.problems)
    try:
        settings = load_settings(config)
    except InputError as error:
        problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return settings, loaded[0]


def _look_up_symbols(
    settings: Settings, portfolios: ModelPortfolios, *, simulate: bool
) -> tuple[Listing, ...]:
    """What each listed symbol is at the broker; what is doubtful about them is a warning."""
    import asyncio

    from src.session import open_session

    async def look_up() -> Mapping[Symbol, SymbolLookup]:
        async with open_session(settings, simulate=simulate) as view:
            return await view.known_symbols(portfolios.symbols)

    lookups = asyncio.run(look_up())
    _warn_all(check_symbols(portfolios, lookups))
    _warn_all(money_lookalikes(portfolios.symbols, lookups))
    return tuple(one.listing for one in lookups.values() if one.listing is not None)


def _warn_all(warnings: Sequence[str]) -> None:
    for warning in warnings:
        warn(warning)


def _summary(portfolios: ModelPortfolios) -> str:
    names = ", ".join(printable(name) for name in portfolios.models)
    counts = (
        f"{counted(len(portfolios.symbols), 'symbol')} in "
        f"{counted(len(portfolios.models), 'model')} ({names})"
    )
    return f"{counts}, {portfolios.form}" if portfolios.form else counts


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m src.io.validate_portfolios",
        description="Check a portfolio CSV: form, percentages, sums, names of the mix, symbols.",
        examples=(
            "python -m src.io.validate_portfolios data/portfolios.csv --offline",
            "python -m src.io.validate_portfolios data/portfolios.csv --simulate",
            "python -m src.io.validate_portfolios my.csv --config config/settings.local.ini",
        ),
    )
    parser.add_argument(
        "csv",
        type=as_usual_path,
        nargs="?",
        default=DEFAULT_CSV,
        metavar="FILE",
        help=f"model portfolios (default: {DEFAULT_CSV})",
    )
    add_config_flag(parser, as_path)
    where = parser.add_mutually_exclusive_group()
    add_simulate_flag(where)
    where.add_argument(
        "--offline",
        action="store_true",
        help="read the files only, look no symbol up; without a settings file only the CSV",
    )
    return parser


if __name__ == "__main__":
    sys.exit(run_main(main))
