"""``python -m src.snapshot``: print what the account holds, as one JSON object.

With ``--csv`` it also prices what the models target, so that the output is a complete input for
``rebalance.py --from-snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src.base.errors import ExitCode
from src.io.config_loader import choose_accounts, load_settings_file, only_account
from src.terminal.cli import (
    CommandParser,
    add_account_flag,
    add_config_flag,
    add_csv_flag,
    add_simulate_flag,
    exit_with,
)
from src.terminal.console import emit_document

if TYPE_CHECKING:
    from argparse import Namespace

    from src.base.settings import Settings
    from src.broker.ports import MarketView
    from src.core.records.account import AccountSnapshot
    from src.core.records.market import PriceBook, SymbolLookup
    from src.core.records.plan import Targets
    from src.core.records.portfolios import ModelPortfolios, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """The models whose symbols are priced besides the held ones."""

    portfolios: ModelPortfolios
    targets: Targets


def main(argv: Sequence[str] | None = None) -> int:
    """Print the snapshot and return the exit code; errors are raised."""
    arguments = _parser().parse(argv)
    import json

    from src.terminal.interrupt import run_interruptible

    settings = _settings(arguments)
    wanted = None if arguments.csv is None else _load_models(arguments.csv, settings)
    document = run_interruptible(_snapshot(settings, wanted, simulate=arguments.simulate))
    return ExitCode.OK if emit_document(json.dumps(document, indent=2)) else ExitCode.BUG


def _settings(arguments: Namespace) -> Settings:
    """Those of the one account that is meant; the simulated gateway has its own."""
    file = load_settings_file(arguments.config)
    if arguments.simulate:
        return file.main
    return only_account(choose_accounts(file.accounts, arguments.account))


def _load_models(csv: Path, settings: Settings) -> _Wanted:
    from src.core.targets import build_targets
    from src.io.cross_checks import check_models, mix_by_column
    from src.io.portfolio_csv import load_portfolios

    portfolios = load_portfolios(csv)
    check_models(settings, portfolios)
    return _Wanted(
        portfolios=portfolios,
        targets=build_targets(portfolios, mix_by_column(settings.models, portfolios)),
    )


async def _snapshot(
    settings: Settings, wanted: _Wanted | None, *, simulate: bool
) -> dict[str, object]:
    from src.app.proposing.session import client_note, open_session_to_look
    from src.base.known_accounts import mask_accounts
    from src.core.account.net_liq_check import broker_net_liq_check
    from src.core.showing.snapshot_json import snapshot_as_json
    from src.core.targets import apply_unlisted
    from src.core.valuation import value_account
    from src.io.cross_checks import idle_contracts

    async with open_session_to_look(settings, simulate=simulate) as session:
        beside = client_note(settings, session, simulate=simulate)
        snapshot = await session.fetch_snapshot()
        if wanted is not None and settings.rebalance.unlisted_positions == "keep":
            snapshot = apply_unlisted(snapshot, wanted.portfolios.symbols, settings.rebalance)
        snapshot, prices, lookups = await _prices(session, snapshot, settings, wanted)
    con_ids = {s: one.listing.con_id for s, one in lookups.items() if one.listing is not None}
    account = value_account(snapshot, prices, con_ids)
    warnings = [
        mask_accounts(text)
        for text in (
            *(("simulated gateway: no real account",) if simulate else ()),
            *beside,
            *(idle_contracts(settings, wanted.portfolios.symbols, snapshot) if wanted else ()),
            *snapshot.warnings,
            *prices.warnings,
            *broker_net_liq_check(snapshot, account).warnings,
        )
    ]
    document = snapshot_as_json(snapshot, account, prices, warnings, with_prices=wanted is not None)
    return dict(document)


async def _prices(
    session: MarketView, snapshot: AccountSnapshot, settings: Settings, wanted: _Wanted | None
) -> tuple[AccountSnapshot, PriceBook, dict[Symbol, SymbolLookup]]:
    """A price for everything held and managed, and with models for everything they target.

    The snapshot comes back without positions that the broker no longer knows.
    """
    import asyncio

    from src.core.pricing import choose_prices
    from src.core.stubs import set_stubs_aside
    from src.core.targets import symbols_to_price
    from src.io.cross_checks import check_contracts
    from src.io.portfolio_csv import check_symbols

    held = {position.symbol for position in snapshot.positions}
    targeted = symbols_to_price(snapshot, wanted.targets) if wanted else ()
    symbols = sorted(held.union(targeted))
    listed = wanted.portfolios.symbols if wanted else ()
    lookups, quotes = await asyncio.gather(
        session.known_symbols(sorted({*symbols, *listed})),
        session.fetch_quotes(symbols, settings.pricing),
    )
    if wanted is not None:
        check_symbols(wanted.portfolios, lookups)
    check_contracts(settings, lookups)
    keeps = settings.rebalance.unlisted_positions == "keep"
    known = set_stubs_aside(snapshot, listed, lookups, quotes, keeps_valuable=keeps)
    gone = {one.symbol for one in snapshot.positions} - {one.symbol for one in known.positions}
    priced = [symbol for symbol in symbols if symbol not in gone]
    return known, choose_prices(quotes, known, settings.pricing, priced), dict(lookups)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m src.snapshot",
        description="Print the account's positions, cash and value as one JSON object.\n"
        "Nothing is sent but questions.",
        examples=(
            "python -m src.snapshot --simulate",
            "python -m src.snapshot --config config/settings.local.ini",
            "python -m src.snapshot --csv data/portfolios.csv > snapshot.json",
            "python rebalance.py --from-snapshot snapshot.json",
        ),
    )
    add_config_flag(parser)
    add_csv_flag(parser, default=None)
    add_account_flag(parser)
    add_simulate_flag(parser)
    return parser


if __name__ == "__main__":
    exit_with(main)
