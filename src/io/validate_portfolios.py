"""``python -m src.io.validate_portfolios FILE``: check a portfolio CSV and its symbols.

With ``--offline`` only the files are read. Otherwise the symbols are looked up at IBKR, or with
``--simulate`` at the built-in simulated gateway, and listed with what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from src.base.errors import ExitCode, InputError, Problem
from src.base.settings import Settings, account_title
from src.base.text import counted, printable
from src.core.records.portfolios import ModelPortfolios, Symbol
from src.core.showing.names import instrument_table, money_lookalikes, money_words
from src.io.config_loader import load_settings_file
from src.io.cross_checks import check_all_models, idle_contracts, mix_warnings
from src.io.portfolio_csv import check_symbols, load_all_portfolios, load_portfolios
from src.terminal.cli import (
    DEFAULT_CSV,
    CommandParser,
    add_config_flag,
    add_simulate_flag,
    as_path,
    as_usual_path,
    exit_with,
)
from src.terminal.console import emit, warn

if TYPE_CHECKING:
    from src.core.records.market import Listing, SymbolLookup


class _Checked(NamedTuple):
    """One account's two files, which fit together."""

    settings: Settings
    portfolios: ModelPortfolios


def main(argv: Sequence[str] | None = None) -> int:
    """Print OK and a summary of each account, or raise an error with every problem."""
    arguments = _parser().parse(argv)
    listings: tuple[Listing, ...] = ()
    if not arguments.offline:  # the settings beside the program say nothing of anybody's own CSV
        arguments.config = as_usual_path(str(arguments.config))
    if arguments.offline and not arguments.config.exists():
        portfolios = load_portfolios(arguments.csv)
        _warn_all(money_words(portfolios.symbols))
        checked = f"names not compared: no file {printable(str(arguments.config))}"
        return _print_all([_line(portfolios, checked)], ())
    found = _load_all(arguments.config, arguments.csv)
    _warn_all(
        text
        for settings, portfolios in found
        for text in (
            *(() if arguments.simulate else settings.warnings),
            *mix_warnings(settings, portfolios),
            *idle_contracts(settings, portfolios.symbols),
        )
    )
    checked = "symbols not looked up"
    if arguments.offline:
        _warn_all(text for _, one in found for text in money_words(one.symbols))
    else:
        listings = _look_up_symbols(found, simulate=arguments.simulate)
        checked = "symbols known at the " + (
            "simulated gateway" if arguments.simulate else "broker"
        )
    return _print_all([_line(one, checked, settings) for settings, one in found], listings)


def _line(portfolios: ModelPortfolios, checked: str, settings: Settings | None = None) -> str:
    title = account_title(settings) if settings else ""
    whose = f"{title}: " if title else ""
    return f"OK: {portfolios.source}: {whose}{_summary(portfolios)}, {checked}"


def _print_all(lines: list[str], listings: Sequence[Listing]) -> int:
    if listings:
        lines += [printable(line) for line in instrument_table(listings)]
    return ExitCode.OK if emit("\n".join(lines)) else ExitCode.BUG


def _load_all(config: Path, csv: Path) -> list[_Checked]:
    """The settings of all accounts with their portfolios; ``csv`` where an account names none.

    Raises: InputError with every problem of all files.
    """
    problems: list[Problem] = []
    accounts: tuple[Settings, ...] = ()
    loaded: dict[Path, ModelPortfolios] = {}
    try:
        accounts = load_settings_file(config).accounts
    except InputError as error:
        problems.extend(error.problems)
    try:
        loaded = load_all_portfolios([one.csv or csv for one in accounts] or [csv])
    except InputError as error:
        problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    found = [_Checked(one, loaded[one.csv or csv]) for one in accounts]
    check_all_models(found)
    return found


def _look_up_symbols(found: Sequence[_Checked], *, simulate: bool) -> tuple[Listing, ...]:
    """What each listed symbol is at the broker; what is doubtful about them is a warning."""
    import asyncio

    from src.app.proposing.session import open_session

    symbols = sorted({symbol for one in found for symbol in one.portfolios.symbols})

    async def look_up() -> Mapping[Symbol, SymbolLookup]:
        async with open_session(*(one.settings for one in found), simulate=simulate) as view:
            return await view.known_symbols(symbols)

    lookups = asyncio.run(look_up())
    _warn_all(text for one in found for text in check_symbols(one.portfolios, lookups))
    _warn_all(money_lookalikes(symbols, lookups))
    return tuple(one.listing for one in lookups.values() if one.listing is not None)


def _warn_all(warnings: Iterable[str]) -> None:
    for warning in dict.fromkeys(warnings):
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
    exit_with(main)
