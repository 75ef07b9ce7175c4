"""What a ticker really is, said where it could be mistaken.

An instrument that will be bought for the first time is shown with the broker's long name, and a
listed ticker that reads like money with what it is, since cash is written CASH.

Source: SRS F-115.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from src.core.records import CASH, Listing, Side, Symbol, SymbolLookup, TradePlan

_MONEY: Final = frozenset(
    {"AUD", "CAD", "CHF", "CNH", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR"}
    | {"JPY", "KRW", "MXN", "NOK", "NZD", "PLN", "SEK", "SGD", "USD", "ZAR"}
    | {"MONEY", "USDCASH", "CASHUSD"}
)


def named(listing: Listing) -> str:
    """``USD: PROSHARES ULTRA SEMICONDUCTORS, ARCA``."""
    words = (listing.long_name or "no name given", listing.primary_exchange)
    return f"{listing.symbol}: {', '.join(word for word in words if word)}"


def first_buys(plan: TradePlan, listings: Mapping[Symbol, Listing]) -> tuple[str, ...]:
    """Each instrument that this plan buys and the account does not hold yet, with its name."""
    return tuple(
        named(listings[ticket.symbol])
        for ticket in plan.tickets
        if ticket.side is Side.BUY
        and ticket.symbol in listings
        and not plan.before.holdings[ticket.symbol].qty_shares
    )


def money_lookalikes(
    listed: Iterable[Symbol], lookups: Mapping[Symbol, SymbolLookup]
) -> tuple[str, ...]:
    """A warning for each ticker of the models that reads like money and is an instrument."""
    found = ((symbol, lookups[symbol].listing) for symbol in listed if symbol in lookups)
    return tuple(
        f"{symbol} is no cash but an instrument ({named(listing)}); cash is written {CASH}"
        for symbol, listing in found
        if listing is not None and symbol in _MONEY
    )


def instrument_table(listings: Collection[Listing]) -> list[str]:
    """Symbol, long name, exchange and contract id of each, in columns, sorted by symbol."""
    rows = [("symbol", "name", "exchange", "conId")]
    rows += [
        (one.symbol, one.long_name or "-", one.primary_exchange or "-", str(one.con_id))
        for one in sorted(listings, key=lambda one: one.symbol)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
