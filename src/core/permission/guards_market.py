"""Guards about the market and the figures: sessions, halts, suspected splits, net liq check.

Thresholds are the specification's: a price more than 40% below or 60% above the previous close
looks like a split; ``broker_net_liq_check`` says when our net liq and the broker's disagree.
Source: SRS, guards. Every guard has the signature ``Guard`` and asks nobody.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from src.base.money import exact_arithmetic, plain_text, price_text
from src.base.settings import Settings
from src.core.account.net_liq_check import broker_net_liq_check
from src.core.calendar.act_times import LocalTime, act_time_text
from src.core.calendar.sessions import is_open, next_open, sessions_of
from src.core.permission.market_state import MarketState, Obstacle, obstacles
from src.core.records.plan import TradePlan

_SPLIT_LOW: Final = Decimal("0.6")
_SPLIT_HIGH: Final = Decimal("1.6")


def market_open(
    plan: TradePlan, state: MarketState, settings: Settings, now_utc: datetime
) -> tuple[Obstacle, ...]:
    """Every planned symbol is inside a session of its own contract, by the gateway's clock."""
    hours = settings.rebalance.trading_hours
    at_utc = now_utc + state.clock_offset
    closed: dict[tuple[datetime | None, str], list[str]] = {}
    unread: dict[str, list[str]] = {}
    strange = [ticket.symbol for ticket in plan.tickets if ticket.symbol not in state.listings]
    for ticket in plan.tickets:
        listing = state.listings.get(ticket.symbol)
        sessions = sessions_of(listing, hours)
        if listing is None:
            continue
        if listing.hours_problem and not sessions:
            unread.setdefault(listing.hours_problem, []).append(ticket.symbol)
        elif not is_open(sessions, at_utc):
            opening = (next_open(sessions, at_utc), listing.time_zone)
            closed.setdefault(opening, []).append(ticket.symbol)
    return obstacles(
        *([_strange_text(strange)] if strange else []),
        *(
            _closed_text(symbols, opening_utc, zone_name, state.local_time)
            for (opening_utc, zone_name), symbols in closed.items()
        ),
        *(_unread_text(symbols, problem) for problem, symbols in unread.items()),
    )


def _strange_text(symbols: list[str]) -> str:
    return (
        f"the broker names no single instrument for {', '.join(symbols)}, so its hours are not "
        "known and nothing is sent; set unlisted_positions = keep in [rebalance] to leave alone "
        "what no model lists"
    )


def _unread_text(symbols: list[str], problem: str) -> str:
    names = ", ".join(symbols)
    return (
        f"when {names} is traded is not known: {problem}; install the newest tzdata and this "
        "program's newest version, and trade it in TWS until then"
    )


def _closed_text(
    symbols: list[str], opening_utc: datetime | None, zone_name: str, local_time: LocalTime | None
) -> str:
    names = ", ".join(symbols)
    if opening_utc is None:
        return f"the market is closed for {names}; the broker gave no next opening, try tomorrow"
    opens = act_time_text(opening_utc, zone_name, local_time)
    return f"the market is closed for {names}; it opens {opens}, run again then"


def outside_regular_hours(
    plan: TradePlan, state: MarketState, settings: Settings, now_utc: datetime
) -> tuple[Obstacle, ...]:
    """With extended hours allowed, say what becomes of market orders outside regular ones."""
    if settings.rebalance.trading_hours == "rth":
        return ()
    at_utc = now_utc + state.clock_offset
    listings = {one.symbol: state.listings.get(one.symbol) for one in plan.tickets}
    early = [name for name, one in listings.items() if not is_open(sessions_of(one, "rth"), at_utc)]
    if not early:
        return ()
    limit = plain_text(settings.execution.order_timeout_sec)
    text = (
        f"outside regular hours for {', '.join(early)}: orders go as plain market, and IBKR may "
        f"hold them until the open (399, 2109); order_timeout_sec cancels them after {limit} s"
    )
    return (Obstacle(text=text, is_warning=True),)


def halted(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """Nothing is sent into a trading halt."""
    found = [one.symbol for one in plan.tickets if one.symbol in state.prices.halted]
    return (
        obstacles(f"trading is halted in {', '.join(found)}; run again when it goes on")
        if found
        else ()
    )


def split_suspected(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """A price far from the previous close looks like a split that holdings do not show yet."""
    closes = state.previous_closes
    return obstacles(
        *(
            f"{symbol} at {price_text(one.price_usd)} is far from its previous close "
            f"{price_text(closes[symbol])}: a split or a wrong price; look it up in TWS, and run "
            "again when both agree"
            for symbol, one in sorted(plan.before.holdings.items())
            if symbol in closes and _is_far(one.price_usd, closes[symbol])
        )
    )


def _is_far(price_usd: Decimal, close_usd: Decimal) -> bool:
    with exact_arithmetic():
        return not _SPLIT_LOW * close_usd <= price_usd <= _SPLIT_HIGH * close_usd


def broker_net_liq(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """Our net liq plus all that is ignored agrees with the broker's within 10%."""
    check = broker_net_liq_check(state.snapshot, plan.before)
    return obstacles(*check.warnings) if check.forbids_trading else ()
