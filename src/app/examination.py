"""The part of a doctor's checks that asks the broker.

It connects as a run does, so that it meets what a run would meet; where it fails, it says how far
it came. Nothing can be sent: what it holds is a ``MarketReader``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from src.app.proposing.inputs import now_utc
from src.app.proposing.session import client_ids_beside, reach_broker
from src.base.errors import ClientIdTaken, ExitCode, InputError, RebalancerError, Refused
from src.base.money import dollars
from src.base.text import counted
from src.broker.client.guarded_client import Progress
from src.broker.reading.trial import Trial, try_to_connect
from src.core.account.account_rules import kind_text, unknown_kind
from src.core.health import checkup
from src.core.health.findings import Finding, bad, doubtful, failed, good
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, SymbolLookup
from src.core.records.portfolios import Symbol
from src.core.stubs import set_stubs_aside
from src.core.targets import apply_unlisted, symbols_to_price
from src.io.cross_checks import check_contracts
from src.io.portfolio_csv import check_symbols

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src.app.proposing.inputs import Inputs
    from src.base.settings import IbkrSettings, Settings
    from src.broker.reading.market_reader import MarketReader

USUAL_PORTS: Final = {
    4002: "IB Gateway paper",
    7497: "TWS paper",
    4001: "IB Gateway live",
    7496: "TWS live",
}
_LOOK_SEC: Final = 0.5
_NO_GREETING: Final = (
    "the API may be off, this address not among the Trusted IPs, or a dialog may wait for a click"
)
_NO_LOGIN: Final = (
    "look at the window of TWS or IB Gateway: a dialog may wait for a click (a disclaimer, an "
    "update, this connection); an IBKR Lite account has no API at all"
)

Tell = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """What the steps share."""

    view: MarketReader
    settings: Settings
    inputs: Inputs | None
    tell: Tell


async def examine(
    settings: Settings, inputs: Inputs | None, tell: Tell, *, simulate: bool
) -> list[Finding]:
    """Connect and look at everything; what is to be told last is returned."""
    async with (
        reach_broker(settings, simulate=simulate) as ibkr,
        _connected(ibkr, settings, tell) as (trial, taken),
    ):
        if trial.view is None:
            tell(*filter(None, [taken]))
            return []
        visit = _Visit(view=trial.view, settings=settings, inputs=inputs, tell=tell)
        tell(checkup.login(ibkr, trial.view.managed_accounts))
        client_id = taken or good("client id", f"{ibkr.client_id} is free")
        return await _look_around(visit, client_id, _zone_of(trial, ibkr))


# --- connecting -----------------------------------------------------------------------------


@asynccontextmanager
async def _connected(
    ibkr: IbkrSettings, settings: Settings, tell: Tell
) -> AsyncIterator[tuple[Trial, Finding | None]]:
    """The first attempt that is not turned away for its client id, and what was wrong with ours."""
    taken: Finding | None = None
    async with AsyncExitStack() as stack:
        for client_id in client_ids_beside(ibkr.client_id):
            placed = ibkr._replace(client_id=client_id)
            trial = await stack.enter_async_context(try_to_connect(placed, settings.contracts))
            if not isinstance(trial.error, ClientIdTaken):
                break
            taken = taken or bad(
                "client id",
                f"{ibkr.client_id} is in use: a run under way, or another program",
                "wait for its end, close that program, or set another client_id in [ibkr]",
                ExitCode.LOST,
            )
        tell(*await _steps(trial, ibkr))
        yield trial, taken


async def _steps(trial: Trial, ibkr: IbkrSettings) -> list[Finding]:
    """How far it came: port, handshake, login, account."""
    error, place = trial.error, f"{ibkr.host}:{ibkr.port}"
    if error is not None and trial.progress is Progress.NOTHING:
        return [failed("port", error, await _other_ports(ibkr))]
    found = [good("port", f"{place} accepts connections")]
    if error is not None and trial.progress is Progress.CONNECTED:
        is_version = "server version" in str(error)
        return [*found, failed("gateway", error, "" if is_version else _NO_GREETING)]
    found.append(good("gateway", f"answers, server version {trial.server_version}"))
    if error is None or isinstance(error, ClientIdTaken):
        return found
    if trial.progress is Progress.ANSWERED:
        return [*found, failed("login", error, _NO_LOGIN)]
    return [*found, failed("login" if isinstance(error, Refused) else "account", error)]


async def _other_ports(ibkr: IbkrSettings) -> str:
    """What to set, where another of the usual ports is the one that listens."""
    others = [port for port in USUAL_PORTS if port != ibkr.port]
    heard = await asyncio.gather(*(_listens(ibkr.host, port) for port in others))
    named = [
        f"port = {port} ({USUAL_PORTS[port]})"
        for port, is_there in zip(others, heard, strict=True)
        if is_there
    ]
    return f"something listens at another port: set {' or '.join(named)} in [ibkr]" if named else ""


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _LOOK_SEC)
    except (OSError, asyncio.TimeoutError):
        return False
    writer.close()
    return True


# --- asking ---------------------------------------------------------------------------------


async def _look_around(visit: _Visit, client_id: Finding, zone: tzinfo | None) -> list[Finding]:
    """API, client id, clock, account, prices, hours, orders; then nightly restart and kind."""
    orders = await _orders(visit)
    visit.tell(client_id)
    at_utc = now_utc() + await _clock(visit)
    snapshot = await _account(visit)
    if snapshot is None:
        visit.tell(orders)
        return []
    listings = await _instruments(visit, snapshot, at_utc)
    visit.tell(orders)
    hours = visit.settings.rebalance.trading_hours
    return [checkup.nightly_restart(listings, hours, zone, at_utc), _kind(snapshot)]


async def _orders(visit: _Visit) -> Finding:
    """Tell whether the API is read-only; what works is told later."""
    try:
        orders = await visit.view.fetch_working_orders()
    except RebalancerError as error:
        return failed("working orders", error)
    visit.tell(checkup.read_only_api(orders))
    return checkup.working_orders(orders, visit.view.account_id)


async def _clock(visit: _Visit) -> timedelta:
    try:
        offset = await visit.view.fetch_clock_offset()
    except RebalancerError as error:
        visit.tell(failed("clock", error))
        return timedelta(0)
    visit.tell(checkup.clock(offset))
    return offset


async def _account(visit: _Visit) -> AccountSnapshot | None:
    try:
        snapshot = await visit.view.fetch_snapshot()
        if visit.inputs is not None:
            listed = visit.inputs.portfolios.symbols
            snapshot = apply_unlisted(snapshot, listed, visit.settings.rebalance)
    except RebalancerError as error:
        visit.tell(failed("account", error))
        return None
    held = counted(len(snapshot.positions), "position")
    visit.tell(
        good("account", f"figures are complete: {held}, cash {dollars(snapshot.cash_usd)}"),
        *(doubtful("account", text) for text in snapshot.warnings),
    )
    return snapshot


def _kind(snapshot: AccountSnapshot) -> Finding:
    unknown = unknown_kind(snapshot.terms)
    if unknown:
        return doubtful("account kind", unknown)
    return good("account kind", kind_text(snapshot.terms))


async def _instruments(
    visit: _Visit, snapshot: AccountSnapshot, at_utc: datetime
) -> dict[Symbol, Listing]:
    """What each symbol is, which prices it gets, and when it is traded."""
    lookups = await _lookups(visit, snapshot)
    await _prices(visit, snapshot, lookups)
    listings = {s: one.listing for s, one in lookups.items() if one.listing is not None}
    hours = visit.settings.rebalance.trading_hours
    visit.tell(*checkup.hours(listings, hours, at_utc, datetime.astimezone))
    return listings


async def _prices(
    visit: _Visit, snapshot: AccountSnapshot, lookups: Mapping[Symbol, SymbolLookup]
) -> None:
    symbols, pricing = _needed(visit, snapshot), visit.settings.pricing
    listed = visit.inputs.portfolios.symbols if visit.inputs is not None else ()
    try:
        quotes = await visit.view.fetch_quotes(symbols, pricing)
        known = set_stubs_aside(snapshot, listed, lookups, quotes)
    except RebalancerError as error:
        visit.tell(failed("market data", error))
        return
    gone = {one.symbol for one in snapshot.positions} - {one.symbol for one in known.positions}
    priced = [symbol for symbol in symbols if symbol not in gone]
    visit.tell(*checkup.market_data(quotes, known, pricing, priced))


async def _lookups(visit: _Visit, snapshot: AccountSnapshot) -> Mapping[Symbol, SymbolLookup]:
    """What the broker knows of every symbol; nothing where it does not answer."""
    inputs = visit.inputs
    listed = inputs.portfolios.symbols if inputs is not None else ()
    try:
        lookups = await visit.view.known_symbols(sorted({*_needed(visit, snapshot), *listed}))
    except RebalancerError as error:
        visit.tell(failed("symbols", error))
        return {}
    try:
        warnings = check_symbols(inputs.portfolios, lookups) if inputs is not None else ()
        check_contracts(visit.settings, lookups)
    except InputError as error:
        for one in error.problems:
            text, hint = f"{one.where}: {one.what}", one.hint or "correct it"
            visit.tell(bad("symbols", text, hint, ExitCode.INPUT))
        return lookups
    visit.tell(
        good("symbols", f"{counted(len(lookups), 'symbol')} known to the broker"),
        *(doubtful("symbols", text) for text in warnings),
    )
    return lookups


def _needed(visit: _Visit, snapshot: AccountSnapshot) -> list[Symbol]:
    held = {one.symbol for one in snapshot.positions}
    targets = visit.inputs.targets if visit.inputs is not None else None
    return sorted(held if targets is None else symbols_to_price(snapshot, targets))


def _zone_of(trial: Trial, ibkr: IbkrSettings) -> tzinfo | None:
    """The gateway's zone; one on this computer that does not tell it has this computer's."""
    is_here = ibkr.host.lower() == "localhost" or ibkr.host.startswith(("127.", "::1"))
    return trial.gateway_zone or (now_utc().astimezone().tzinfo if is_here else None)
