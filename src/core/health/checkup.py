"""What a doctor concludes from what the broker said: pure, one function per check.

Source: SRS R-613.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from src.base.accounts import live_accounts
from src.base.errors import ExitCode, PricingError
from src.base.settings import IbkrSettings, PricingSettings, TradingHours
from src.base.text import counted
from src.core.calendar.act_times import LocalTime, act_time_text
from src.core.calendar.sessions import is_open, next_open, sessions_of
from src.core.health.findings import Finding, bad, doubtful, good
from src.core.orders.codes import READ_ONLY_ADVICE
from src.core.permission.guards_orders import describe_order
from src.core.pricing import choose_prices
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, Price, Quote, Quotes, Session
from src.core.records.orders import WorkingOrder
from src.core.records.portfolios import Symbol

NIGHTLY_RESTART: Final = time(23, 45)
"""When a gateway restarts by default, by its own clock."""

_RESTART_LASTS: Final = timedelta(minutes=5)
_DAYS_LOOKED_AT: Final = 7
_MAX_CLOCK_OFFSET_SEC: Final = 60
_MOST_NAMED: Final = 10
_CODE: Final = re.compile(r"\b(\d{3,5}): ")
_COMPETING: Final = frozenset({"10197"})
_NOT_SUBSCRIBED: Final = frozenset({"354", "10089", "10090", "10091", "10168", "10186", "10189"})


def login(ibkr: IbkrSettings, accounts: Collection[str]) -> Finding:
    """Whose login it is: paper or live."""
    names = ", ".join(accounts)
    live = live_accounts(accounts)
    if not live:
        return good("login", f"a paper login with {names}")
    if ibkr.allow_live:
        text = f"a LIVE login with {names}, and allow_live is true: orders use real money"
        return doubtful("login", text)
    return doubtful(
        "login",
        f"a live login ({', '.join(live)}) and allow_live is false: --confirm is refused",
        "log in with the paper user, or set allow_live = true in [ibkr]",
    )


def read_only_api(orders: Collection[WorkingOrder] | None) -> Finding:
    """Whether the gateway takes orders, as far as it lists them."""
    if orders is not None:
        return good("API", "not read-only")
    text = "the gateway's API is read-only: fine for a look, but no order can be sent"
    return doubtful("API", text, f"to trade, {READ_ONLY_ADVICE}")


def clock(offset: timedelta) -> Finding:
    """The computer's clock beside the gateway's."""
    seconds = round(offset.total_seconds())
    if abs(seconds) <= _MAX_CLOCK_OFFSET_SEC:
        return good("clock", f"{abs(seconds)} s off the gateway's")
    return doubtful(
        "clock",
        f"this computer's clock and the gateway's differ by {abs(seconds)} s",
        "let both set their clocks over the network (NTP)",
    )


def market_data(
    quotes: Quotes, snapshot: AccountSnapshot, pricing: PricingSettings, symbols: Iterable[Symbol]
) -> list[Finding]:
    """Which data each symbol gets, the worst first; those alike together."""
    groups: dict[str, dict[str, list[Symbol]]] = {}
    for symbol in sorted(symbols):
        stages = quotes.get(symbol, ())
        kind, why = _data_of(symbol, stages, snapshot, pricing)
        groups.setdefault(kind, {}).setdefault(why, []).append(symbol)
    order = ("none", "account", "delayed", "other", "live")
    return [
        _data_finding(kind, why, names)
        for kind in order
        for why, names in groups.get(kind, {}).items()
    ]


def _data_of(
    symbol: Symbol, stages: Iterable[Quote], snapshot: AccountSnapshot, pricing: PricingSettings
) -> tuple[str, str]:
    """The kind of price that would be used, and what the broker said where it is not live."""
    refusal = next((quote.refusal for quote in stages if quote.refusal), "")
    try:
        book = choose_prices({symbol: tuple(stages)}, snapshot, pricing, (symbol,))
    except PricingError as error:
        return "none", refusal or str(error).partition(" (")[0]
    price: Price = book.prices[symbol]
    if price.is_preferred:
        return "live", ""
    kinds = ("account", "delayed")
    kind = next((one for one in kinds if price.source.startswith(one)), "other")
    return kind, refusal or ("" if kind == "account" else price.source)


def _data_finding(kind: str, why: str, names: list[Symbol]) -> Finding:
    shown = ", ".join(names[:_MOST_NAMED]) + (" ..." if len(names) > _MOST_NAMED else "")
    about, because = "market data", f" ({why})" if why else ""
    if kind == "live":
        return good(about, f"live for {counted(len(names), 'symbol')}: {shown}")
    if kind == "none":
        return bad(about, f"none for {shown}{because}", _data_fix(why), ExitCode.REFUSED)
    words = {
        "account": "only the account's own price for",
        "delayed": "delayed for",
        "other": "a snapshot or the last known price for",
    }
    return doubtful(about, f"{words[kind]} {shown}{because}", _data_fix(why))


def _data_fix(why: str) -> str:
    codes = set(_CODE.findall(why))
    if codes & _COMPETING:
        return (
            "end the other session that uses this user's market data (TWS, Client Portal or the "
            "phone; for a paper user its live user too)"
        )
    if codes & _NOT_SUBSCRIBED:
        return (
            "subscribe to the data, or share the live user's with the paper user (Client Portal: "
            "Settings, Paper Trading Account)"
        )
    return "look whether TWS itself shows a live price, and at price_source in [pricing]"


def hours(
    listings: Mapping[Symbol, Listing],
    kind: TradingHours,
    at_utc: datetime,
    local_time: LocalTime,
) -> list[Finding]:
    """Whether these trade now, until when, or when they open; those alike together."""
    found: dict[tuple[str, datetime | None, str], list[Symbol]] = {}
    for symbol, one in sorted(listings.items()):
        sessions = sessions_of(one, kind)
        until = _closes(sessions, at_utc)
        moment = until or next_open(sessions, at_utc)
        state = "closed" if until is None else "open"
        if one.hours_problem and not sessions:
            state = f"not known: {one.hours_problem}"
        found.setdefault((state, moment, one.time_zone), []).append(symbol)
    return [
        _hours_finding(state, moment, zone, names, local_time)
        for (state, moment, zone), names in found.items()
    ]


def _closes(sessions: Iterable[Session], at_utc: datetime) -> datetime | None:
    return next((s.closes_utc for s in sessions if s.opens_utc <= at_utc < s.closes_utc), None)


def _hours_finding(
    state: str, moment: datetime | None, zone: str, names: list[Symbol], local_time: LocalTime
) -> Finding:
    about, count = "trading hours", counted(len(names), "symbol")
    shown = f"{count} ({', '.join(names[:_MOST_NAMED])})" if len(names) < _MOST_NAMED else count
    told = "" if moment is None else act_time_text(moment, zone, local_time)
    if state == "open":
        return good(about, f"open for {shown} until {told}")
    if state == "closed":
        opens = f"it opens {told}" if told else "no next opening is known"
        fix = "run --confirm then; a look is possible at any time"
        return doubtful(about, f"closed for {shown}; {opens}", fix)
    fix = "install the newest tzdata and this program's newest version"
    return doubtful(about, f"{shown}: {state}", fix)


def working_orders(orders: Collection[WorkingOrder] | None, account_id: str) -> Finding:
    """Everybody's open orders of the account."""
    about = "working orders"
    if orders is None:
        return doubtful(about, "not told by a read-only API")
    found = [one for one in orders if one.account_id == account_id]
    if not found:
        return good(about, "none")
    listed = "; ".join(describe_order(one) for one in found[:_MOST_NAMED])
    fix = "cancel them in TWS, or wait: a symbol with an order of somebody else is not traded"
    return doubtful(about, listed, fix)


def nightly_restart(
    listings: Mapping[Symbol, Listing], kind: TradingHours, zone: tzinfo | None, at_utc: datetime
) -> Finding:
    """Whether the gateway's restart falls into trading hours, by the clock of the gateway."""
    about, when = "nightly restart", f"{NIGHTLY_RESTART:%H:%M} of the gateway's clock"
    if zone is None:
        return doubtful(about, f"{when}, by default; its time zone is not told")
    today = at_utc.astimezone(zone).date()
    restarts = [
        datetime.combine(today + timedelta(days=day), NIGHTLY_RESTART, zone)
        for day in range(_DAYS_LOOKED_AT)
    ]
    sessions = {one for listing in listings.values() for one in sessions_of(listing, kind)}
    hit = [
        moment
        for moment in restarts
        if any(is_open(sessions, moment + part) for part in (timedelta(0), _RESTART_LASTS))
    ]
    if not hit:
        return good(about, f"{when}, by default: outside trading hours")
    return doubtful(
        about,
        f"{when}, by default, falls into trading hours: orders are followed again after it",
        "set Auto restart to another time (Configure > Settings > Lock and Exit)",
    )
