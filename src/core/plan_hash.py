"""A short proof of which plan was approved: the same inputs give the same digest.

The text hashed holds one line per fact: account, cash, floor, each holding with its price, each
ticket in order. Numbers are written without exponent and trailing zeros.

Source: SRS R-307.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256

from src.core.money import plain_text
from src.core.records import OrderTicket, Valuation


def hash_plan(account: Valuation, tickets: tuple[OrderTicket, ...], floor_usd: Decimal) -> str:
    """SHA-256, in hex, over the plan's canonical text."""
    return sha256("\n".join(_lines(account, tickets, floor_usd)).encode("utf-8")).hexdigest()


def _lines(
    account: Valuation, tickets: tuple[OrderTicket, ...], floor_usd: Decimal
) -> Iterator[str]:
    yield f"account {account.account_id}"
    yield f"cash {plain_text(account.cash_usd)}"
    yield f"floor {plain_text(floor_usd)}"
    for symbol in sorted(account.holdings):
        one = account.holdings[symbol]
        numbers = f"{plain_text(one.qty_shares)} {plain_text(one.price_usd)}"
        yield f"holding {symbol} {one.con_id} {numbers}"
    for ticket in tickets:
        numbers = f"{plain_text(ticket.qty_shares)} {plain_text(ticket.est_price_usd)}"
        yield f"ticket {ticket.side.value} {ticket.symbol} {ticket.con_id} {numbers}"
