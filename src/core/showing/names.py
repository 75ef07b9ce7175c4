"""What a ticker really is, said where it could be mistaken.

An instrument that will be bought for the first time is shown with the broker's long name, and a
listed ticker that reads like money with what it is, since cash is written CASH.

Source: SRS F-115.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from src.core.records.portfolios import CASH, Symbol
from src.core.showing.spelling import reads_like_money

if TYPE_CHECKING:
    from src.core.records.account import AccountSnapshot
    from src.core.records.market import Listing, SymbolLookup
    from src.core.records.plan import TradePlan

_TABLE_CHARS: Final = 80
_GAP: Final = "  "
_NAME: Final = 1


def named(listing: Listing) -> str:
    """``USD: PROSHARES ULTRA SEMICONDUCTORS, ARCA``."""
    words = (listing.long_name or "no name given", listing.primary_exchange)
    return f"{listing.symbol}: {', '.join(word for word in words if word)}"


def in_words(listing: Listing) -> str:
    """``BRK B (BERKSHIRE HATHAWAY INC-CL B)``."""
    return f"{listing.symbol} ({listing.long_name})" if listing.long_name else listing.symbol


def first_buys(plan: TradePlan, listings: Mapping[Symbol, Listing]) -> tuple[str, ...]:
    """Each instrument that this plan buys and the account does not hold yet, with its name."""
    from src.core.records.orders import Side

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
        if listing is not None and reads_like_money(symbol)
    )


def money_words(listed: Iterable[Symbol]) -> tuple[str, ...]:
    """The same warning where nothing was looked up."""
    return tuple(
        f"{symbol} reads like money but is taken as a ticker; cash is written {CASH}"
        for symbol in listed
        if reads_like_money(symbol)
    )


def unclear_holdings(
    snapshot: AccountSnapshot, lookups: Mapping[Symbol, SymbolLookup]
) -> tuple[str, ...]:
    """A warning, with the line that settles it, for each holding whose ticker is ambiguous."""
    return tuple(
        f"{one.symbol} is held, and the broker knows several instruments of this name: write "
        f"{one.symbol} = {one.con_id} below [contracts] in the settings to trade it"
        for one in snapshot.positions
        if one.symbol in lookups and lookups[one.symbol].choices
    )


def instrument_table(listings: Collection[Listing]) -> list[str]:
    """Symbol, long name, exchange and contract id of each, sorted by symbol, in 80 columns.

    A name that would make the table wider is cut.
    """
    rows = [("symbol", "name", "exchange", "conId")]
    rows += [
        (one.symbol, one.long_name or "-", one.primary_exchange or "-", str(one.con_id))
        for one in sorted(listings, key=lambda one: one.symbol)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    too_wide = sum(widths) + len(_GAP) * (len(widths) - 1) - _TABLE_CHARS
    widths[_NAME] = max(widths[_NAME] - max(too_wide, 0), len(rows[0][_NAME]))
    return [
        _GAP.join(
            _cut(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 3]}..."
