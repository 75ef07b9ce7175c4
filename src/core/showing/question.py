"""The question before anything is sent, and what changed since the last one.

It stands on its own: whoever reads nothing else sees how many orders go into which account, for how
much, and which holdings are sold because the models give them nothing. One line, however long.

Source: SRS R-406 and R-407.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from src.base.accounts import named_account
from src.base.money import ZERO, dollars, exact_arithmetic, shares_text
from src.base.text import counted, printable
from src.core.records.orders import Side
from src.core.records.plan import OrderTicket, TradePlan
from src.core.records.portfolios import Symbol

_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a question is put: ``unlisted`` are held symbols that no model lists.

    ``wants_account_id``: only the typed account id is a yes. ``label`` is what the user calls the
    account.
    """

    is_paper: bool
    is_simulated: bool = False
    wants_account_id: bool = False
    unlisted: Collection[Symbol] = ()
    label: str = ""


@exact_arithmetic()
def question_text(plan: TradePlan, how: Asked) -> str:
    """``Send 13 orders in DU1234567 (paper): sell 7 for $9.00, buy 6 for $8.00? [y/N]: ``."""
    sells = [one for one in plan.tickets if one.side is Side.SELL]
    buys = [one for one in plan.tickets if one.side is Side.BUY]
    closing = _closing(plan, sells, how.unlisted)
    parts = [_part("sell", sells) + (f" (incl. {closing})" if closing else "")] if sells else []
    parts += [_part("buy", buys)] if buys else []
    kind = "paper" if how.is_paper else "LIVE"
    orders = counted(len(plan.tickets), "order")
    account = named_account(plan.account_id, how.label)
    text = f"Send {orders} in {account} ({kind}): {', '.join(parts)}?"
    end = "Type the account id to send: " if how.wants_account_id else "[y/N]: "
    return f"{'SIMULATED: ' if how.is_simulated else ''}{printable(text)} {end}"


def _part(verb: str, tickets: Collection[OrderTicket]) -> str:
    total = sum((one.est_value_usd for one in tickets), ZERO)
    return f"{verb} {len(tickets)} for {dollars(total)}"


def _closing(plan: TradePlan, sells: Collection[OrderTicket], unlisted: Collection[Symbol]) -> str:
    """The sells that close what the models give nothing, the dearest named, by reason."""
    unwanted = {row.symbol for row in plan.drift_before.rows if not row.target_weight}
    found = sorted(
        (one for one in sells if one.symbol in unwanted),
        key=lambda one: (-one.est_value_usd, one.symbol),
    )
    shown = found[:_MOST_NAMED]
    groups = (
        ("in no model", [one for one in shown if one.symbol in unlisted]),
        ("target 0", [one for one in shown if one.symbol not in unlisted]),
    )
    texts = [
        f"{', '.join(_share_of(plan, one) for one in members)}, {why}"
        for why, members in groups
        if members
    ]
    more = len(found) - len(shown)
    return "; ".join([*texts, f"{more} more such"] if more else texts)


def _share_of(plan: TradePlan, ticket: OrderTicket) -> str:
    held = plan.before.holdings[ticket.symbol].qty_shares
    sold = shares_text(ticket.qty_shares)
    amount = f"ALL {sold}" if ticket.qty_shares == held else f"{sold} of {shares_text(held)}"
    return f"{amount} {ticket.symbol}"


def order_changes(asked: TradePlan, now: TradePlan) -> tuple[str, ...]:
    """What a new plan orders otherwise than the one that was asked about, one line a symbol."""
    before = {one.symbol: one for one in asked.tickets}
    after = {one.symbol: one for one in now.tickets}
    lines = tuple(_changed(before, after))
    return lines or ("no order: they are the same as before",)


def _changed(before: dict[Symbol, OrderTicket], after: dict[Symbol, OrderTicket]) -> Iterator[str]:
    for symbol in dict.fromkeys((*after, *before)):
        was, is_now = before.get(symbol), after.get(symbol)
        if was is None or is_now is None or was.side is not is_now.side:
            yield f"{symbol}: {_order(was)} before, {_order(is_now)} now"
        elif was.qty_shares != is_now.qty_shares:
            yield f"{symbol}: {_order(was)} before, {shares_text(is_now.qty_shares)} now"


def _order(ticket: OrderTicket | None) -> str:
    if ticket is None:
        return "no order"
    return f"{ticket.side.value} {shares_text(ticket.qty_shares)}"
