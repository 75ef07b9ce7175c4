"""What a simulated run starts from: its scenario, and settings with the [ibkr] section replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from src.base.accounts import is_master
from src.base.errors import InputError
from src.base.settings import IbkrSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from src.simulator.exchange import Exchange
    from src.simulator.gateway.server import SimulatedGateway
    from src.simulator.scenario.records import Scenario
    from src.terminal.options import Rehearsal


def load_rehearsal(rehearsal: Rehearsal) -> Scenario:
    """The scenario to play.

    Raises: InputError naming the file, and the path in it, of what is wrong.
    """
    from src.simulator.scenario.records import ScenarioError, find_scenario, load_scenario

    keep = rehearsal.keep
    try:
        file = find_scenario(rehearsal.scenario)
        return load_scenario(file, moves=True, kept=keep if keep and keep.exists() else None)
    except ScenarioError as error:
        raise InputError(f"--simulate: {error}") from error


def simulated_settings(
    settings: Settings, rehearsal: Rehearsal, *, read_only: bool
) -> tuple[Settings, ...]:
    """Put the scenario's accounts in place of [ibkr] and all [account:NAME].

    ``read_only`` is the command line's flag. Host and port are known when the embedded gateway
    listens; the live switch is off, and what was doubtful about the user's own connection settings
    no longer matters. Of several accounts each has its name, and its folder for reports.
    Raises: as ``load_rehearsal``; InputError for a file whose accounts have all models themselves.
    """
    if not settings.models:
        raise InputError(f"--simulate: the mix of {settings.source} is missing: write [models]")
    every = load_rehearsal(rehearsal).accounts
    accounts = [one for one in every if not is_master(one.account_id)] or every[:1]
    plain = settings._replace(warnings=())
    if len(accounts) == 1:
        ibkr = IbkrSettings(account_id=accounts[0].account_id, read_only=read_only)
        return (plain._replace(ibkr=ibkr),)
    folder = settings.io.report_dir
    return tuple(
        plain._replace(
            ibkr=IbkrSettings(account_id=one.account_id, read_only=read_only),
            io=settings.io._replace(report_dir=folder / one.name),
            name=one.name,
            label=one.name,
        )
        for one in accounts
    )


def kept_refs(rehearsal: Rehearsal) -> frozenset[str]:
    """The references of all orders that the kept gateway remembers; none where none is kept."""
    if rehearsal.keep is None:
        return frozenset()
    return frozenset(order.order_ref for order in load_rehearsal(rehearsal).orders)


@asynccontextmanager
async def rehearsing(rehearsal: Rehearsal, *, trading: bool) -> AsyncIterator[SimulatedGateway]:
    """The embedded gateway while the block runs; who trades leaves the account in its file.

    Raises: as ``load_rehearsal``; InputError where that file cannot be written.
    """
    from src.simulator.gateway.server import SimulatedGateway, utc_now

    scenario = load_rehearsal(rehearsal)
    if rehearsal.keep is None:
        from src.simulator.exchange import Exchange

        async with SimulatedGateway(Exchange(scenario, utc_now())) as gateway:
            yield gateway
        return
    from src.simulator.keeping import begin

    exchange = begin(scenario, utc_now())
    exchange.advance(utc_now())
    gateway = SimulatedGateway(exchange)
    if trading:
        gateway.on_order_news = partial(_save, exchange, rehearsal.keep)
    try:
        gateway.on_order_news()
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"--keep: {rehearsal.keep} cannot be written: {why}") from error
    async with gateway:
        yield gateway
    gateway.on_order_news()


def _save(exchange: Exchange, file: Path) -> None:
    from src.simulator.gateway.server import utc_now
    from src.simulator.keeping import save_scenario

    save_scenario(exchange.kept(utc_now()), file)
