"""A short proof of which plan was approved: the same inputs give the same digest.

The text hashed holds one line per fact: account, cash, floor, each holding with its price, each
ticket in order, and each wish. Numbers are written without exponent and trailing zeros.

Source: SRS R-307.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256

from src.base.money import plain_text
from src.core.records.plan import OrderTicket, Valuation
from src.core.records.wishes import NO_WISHES, Wishes


def hash_plan(
    account: Valuation,
    tickets: tuple[OrderTicket, ...],
    floor_usd: Decimal,
    wishes: Wishes = NO_WISHES,
) -> str:
    """SHA-256, in hex, over the plan's canonical text."""
    lines = (*_lines(account, tickets, floor_usd), *_wish_lines(wishes))
    return sha256("\n".join(lines).encode("utf-8")).hexdigest()


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


def _wish_lines(wishes: Wishes) -> Iterator[str]:
    """Nothing without wishes, so that such plans keep the hash they always had."""
    if wishes.no_sell:
        yield "wish no sell"
    if wishes.invest:
        yield f"wish invest {_amount(wishes.invest_usd)}"
    if wishes.withdraw_usd is not None:
        yield f"wish withdraw {plain_text(wishes.withdraw_usd)}"
    for verb, symbols in (("skip", wishes.skip), ("only", wishes.only)):
        for symbol in sorted(symbols):
            yield f"wish {verb} {symbol}"


def _amount(usd: Decimal | None) -> str:
    return "all" if usd is None else plain_text(usd)
