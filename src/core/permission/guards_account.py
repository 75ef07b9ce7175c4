"""Guards about who trades: the account, the login, the gateway, other runs, the clock.

Source: SRS, guards. Every guard has the signature ``Guard`` and asks nobody.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from src.base.accounts import is_account, is_master, live_accounts, master_refusal
from src.base.settings import Settings
from src.core.orders.codes import READ_ONLY_ADVICE
from src.core.permission.market_state import MarketState, Obstacle, obstacles
from src.core.permission.recent_trades import shown_late, unknown_trades
from src.core.records.plan import TradePlan

_MAX_CLOCK_OFFSET_SEC: Final = 60


def managed_account(
    plan: TradePlan, state: MarketState, settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """The configured account belongs to the login, and everything read is about it."""
    account = settings.ibkr.account_id
    if not is_account(account):
        return obstacles(f"{account} is not one account (an advisor's group?)")
    if is_master(account):
        return obstacles(master_refusal(account, state.managed_accounts))
    if account not in state.managed_accounts:
        known = ", ".join(state.managed_accounts) or "none"
        return obstacles(f"account {account} is not in this login (accounts: {known})")
    if plan.account_id != account or state.snapshot.account_id != account:
        return obstacles(f"the figures are not those of account {account}")
    return ()


def live_account(
    _plan: TradePlan, state: MarketState, settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """Paper is the default: one live account in the login makes it a live session.

    The masters DF… and DI… of paper logins are no such evidence.
    """
    live = live_accounts(state.managed_accounts)
    if settings.ibkr.allow_live or not live:
        return ()
    names = ", ".join(live)
    return obstacles(
        f"this is a live login ({names}) and allow_live is false; "
        "use a paper login or set allow_live = true in [ibkr]"
    )


def read_only_api(
    _plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """A gateway in read-only mode neither lists orders nor takes them."""
    if state.working_orders is not None:
        return ()
    return obstacles(
        f"the gateway's read-only API hides working orders and refuses new ones; {READ_ONLY_ADVICE}"
    )


def other_run(
    _plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """One trading run per account at a time."""
    return obstacles(state.lock_holder) if state.lock_holder else ()


def open_runs(
    _plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """Earlier runs are settled, or the user took them over by name."""
    return obstacles(*(open_run_text(run_id) for run_id in state.open_runs))


def open_run_text(run_id: str) -> str:
    """The sentence that blocks trading while a run is not settled; it names the way out."""
    return (
        f"run {run_id} left orders whose fate is not proven; settle it with --recover, "
        f"or take it over with --recover --accept {run_id}"
    )


def recent_trades(
    _plan: TradePlan, state: MarketState, _settings: Settings, now: datetime
) -> tuple[Obstacle, ...]:
    """The figures are those of after the last run, not of before it."""
    late = shown_late(state.recent_trades, state.snapshot, now, state.clock_offset)
    return obstacles(*late, *unknown_trades(state.unknown_fills, now, state.clock_offset))


def clock(
    _plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """A clock far from the gateway's is worth a warning."""
    offset_sec = abs(round(state.clock_offset.total_seconds()))
    if offset_sec <= _MAX_CLOCK_OFFSET_SEC:
        return ()
    text = f"this computer's clock and the gateway's differ by {offset_sec} s"
    return (Obstacle(text=text, is_warning=True),)
