"""Held positions that the broker itself no longer knows: escrow shares, delisted companies.

Such a stub has no contract details and no quote. Worth at most a cent a share by the account's own
price it is left alone, with a note; worth more, or of unknown worth, it stops the plan, because
leaving it out would make net liq wrong. A missing price alone never makes a position a stub.

Source: SRS F-113.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from src.base.errors import Refused
from src.base.money import exact_arithmetic, shares_text, usd_text
from src.core.pricing import has_any_price
from src.core.records.account import AccountSnapshot, Position
from src.core.records.market import Quotes, SymbolLookup
from src.core.records.portfolios import Symbol
from src.core.targets import as_unmanaged

_WORTHLESS_USD: Final = Decimal("0.01")


def set_stubs_aside(
    snapshot: AccountSnapshot,
    listed: Collection[Symbol],
    lookups: Mapping[Symbol, SymbolLookup],
    quotes: Quotes,
    *,
    keeps_valuable: bool = False,
) -> AccountSnapshot:
    """Make positions unmanaged that no model lists, nobody knows and nothing is paid for.

    ``keeps_valuable``: the user wants what no model lists left alone, whatever it is worth.
    Raises: Refused naming those that the account gives a worth, or none at all.
    """
    stubs = [
        one
        for one in snapshot.positions
        if one.symbol not in listed
        and one.symbol in lookups
        and lookups[one.symbol].is_unknown
        and not any(has_any_price(quote) for quote in quotes.get(one.symbol, ()))
    ]
    if not keeps_valuable:
        _refuse_valuable([one for one in stubs if not _is_worthless(one)])
    if not stubs:
        return snapshot
    return replace(
        snapshot,
        positions=tuple(one for one in snapshot.positions if one not in stubs),
        unmanaged=(*snapshot.unmanaged, *(as_unmanaged(one) for one in stubs)),
        warnings=(*snapshot.warnings, _note(stubs)),
    )


def _is_worthless(position: Position) -> bool:
    price = position.market_price_usd
    return price is not None and price <= _WORTHLESS_USD


def _refuse_valuable(stubs: Iterable[Position]) -> None:
    listed = ", ".join(_described(one) for one in stubs)
    if listed:
        raise Refused(
            f"held, but not known to the broker any more, without a price: {listed}; an escrow "
            "or delisted share? Set unlisted_positions = keep in [rebalance] to leave alone what "
            "no model lists, then run again"
        )


@exact_arithmetic()
def _described(position: Position) -> str:
    price = position.market_price_usd
    worth = (
        "of unknown worth"
        if price is None
        else f"worth {usd_text(position.qty_shares * price)} USD by the account's own price"
    )
    return f"{position.symbol} ({shares_text(position.qty_shares)} shares, {worth})"


def _note(stubs: Iterable[Position]) -> str:
    names = ", ".join(_described(one) for one in stubs)
    return (
        f"left alone: {names}: not known to the broker any more and without a price (an escrow "
        "or delisted share?)"
    )
