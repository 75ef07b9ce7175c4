"""Guards about the market and the figures: sessions, halts, suspected splits, net liq check.

Thresholds are the specification's: a price more than 40% below or 60% above the previous close
looks like a split; our net liq and the broker's must agree within 10%, both in USD and with
everything the program ignores (other currencies, unmanaged positions) added to ours.
Source: SRS, guards. Every guard has the signature ``Guard`` and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Final

from src.core.market_state import MarketState, Obstacle, obstacles
from src.core.money import ZERO, exact_arithmetic, exact_sum, price_text, usd_text
from src.core.records import AccountSnapshot, Listing, Session, TradePlan, Valuation
from src.settings import Settings, TradingHours

_SPLIT_LOW: Final = Decimal("0.6")
_SPLIT_HIGH: Final = Decimal("1.6")
_NET_LIQ_TOLERANCE: Final = Decimal("0.1")
_USD: Final = "USD"


def market_open(
    plan: TradePlan, state: MarketState, settings: Settings, now_utc: datetime
) -> tuple[Obstacle, ...]:
    """Every planned symbol is inside a session of its own contract, by the gateway's clock."""
    hours = settings.rebalance.trading_hours
    at_utc = now_utc + state.clock_offset
    closed: dict[datetime | None, list[str]] = {}
    for ticket in plan.tickets:
        sessions = _sessions(state.listings.get(ticket.symbol), hours)
        if not any(one.opens_utc <= at_utc < one.closes_utc for one in sessions):
            closed.setdefault(_next_opening(sessions, at_utc), []).append(ticket.symbol)
    return obstacles(*(_closed_text(symbols, opening) for opening, symbols in closed.items()))


def _sessions(listing: Listing | None, hours: TradingHours) -> tuple[Session, ...]:
    if listing is None:
        return ()
    return listing.regular_sessions if hours == "rth" else listing.extended_sessions


def _next_opening(sessions: Iterable[Session], at_utc: datetime) -> datetime | None:
    return min((one.opens_utc for one in sessions if one.opens_utc > at_utc), default=None)


def _closed_text(symbols: list[str], opening: datetime | None) -> str:
    names = ", ".join(symbols)
    if opening is None:
        return f"the market is closed for {names}; the broker gave no next opening"
    utc = opening.astimezone(timezone.utc)
    return f"the market is closed for {names}; it opens {utc:%Y-%m-%d %H:%M} UTC"


def halted(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """Nothing is sent into a trading halt."""
    found = [one.symbol for one in plan.tickets if one.symbol in state.prices.halted]
    return obstacles(f"trading is halted in {', '.join(found)}") if found else ()


def split_suspected(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """A price far from the previous close looks like a split that holdings do not show yet."""
    closes = state.previous_closes
    return obstacles(
        *(
            f"{symbol} at {price_text(one.price_usd)} is far from its previous close "
            f"{price_text(closes[symbol])}: a split or a wrong price"
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
    theirs = state.snapshot.broker_net_liq_usd
    ours = _everything_usd(plan.before, state.snapshot)
    if theirs is None or ours is None:
        return obstacles(
            "our net liq cannot be compared with the broker's: a figure or a currency rate "
            "is missing"
        )
    with exact_arithmetic():
        is_near = abs(ours - theirs) <= _NET_LIQ_TOLERANCE * abs(theirs)
    if is_near:
        return ()
    return obstacles(
        f"net liq with everything ignored is ${usd_text(ours)}, the broker says "
        f"${usd_text(theirs)}: more than 10% apart"
    )


def _everything_usd(before: Valuation, snapshot: AccountSnapshot) -> Decimal | None:
    """Net liq plus other cash, unmanaged and kept positions, in USD; None without a rate."""
    managed = {one.con_id for one in before.holdings.values()}
    kept = (
        (_USD, one.qty_shares * (one.market_price_usd or ZERO))
        for one in snapshot.positions
        if one.con_id not in managed
    )
    unmanaged = ((one.currency, one.value or ZERO) for one in snapshot.unmanaged)
    amounts = [*snapshot.ignored_cash.items(), *unmanaged, *kept]
    rates = {**snapshot.usd_per_unit, _USD: Decimal(1)}
    if any(amount and currency not in rates for currency, amount in amounts):
        return None
    with exact_arithmetic():
        parts = [amount * rates[currency] for currency, amount in amounts if amount]
    return exact_sum([before.net_liq_usd, *parts])
