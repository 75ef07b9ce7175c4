"""Whether an account can carry an order: Reg-T-like for margin accounts, cash for cash accounts.

Margin: equity with loan minus initial margin, after the order and all working purchases, must not
be negative. Cash: settled money must cover them, and 5% more of what is no limit order. Sales are
always carried.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from src.simulator.accounts.account import ZERO, Account
from src.simulator.market.prices import Market
from src.simulator.orders.state import LiveOrder

_MAINTENANCE_SHARE = Decimal("0.5")
_MARKET_RESERVE = Decimal("1.05")


class MarginPreview(NamedTuple):
    """Margin figures before an order and what it changes, in the account's base currency."""

    initial_before: Decimal
    maintenance_before: Decimal
    equity_before: Decimal
    initial_change: Decimal
    maintenance_change: Decimal
    equity_change: Decimal


def preview_margin(
    account: Account, market: Market, live: LiveOrder, commission: Decimal
) -> MarginPreview:
    """What the order would do to the account's margin."""
    figures, rate = account.measure(), account.rate(live.contract.currency)
    value = _cost(market, live) * rate * (1 if live.is_buy else -1)
    return MarginPreview(
        initial_before=figures.initial_margin,
        maintenance_before=figures.maintenance_margin,
        equity_before=figures.equity_with_loan,
        initial_change=value * account.initial_rate(),
        maintenance_change=value * account.initial_rate() * _MAINTENANCE_SHARE,
        equity_change=-commission * rate,
    )


def refusal_text(
    account: Account, market: Market, live: LiveOrder, working: list[LiveOrder]
) -> str:
    """Why the account cannot carry the purchase, in TWS's words; empty if it can."""
    if not live.is_buy:
        return ""
    purchases = [live, *(o for o in working if o.is_buy and o.order.account == account.account_id)]
    if account.setup.type == "cash" or account.setup.settles_later:
        return _cash_refusal(account, market, live, purchases)
    figures = account.measure()
    needed = sum((_cost(market, o) * account.rate(o.contract.currency) for o in purchases), ZERO)
    initial = figures.initial_margin + needed * account.initial_rate()
    if initial <= figures.equity_with_loan:
        return ""
    return (
        "Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED"
        f" POSITION YOUR EQUITY WITH LOAN VALUE [{figures.equity_with_loan:.2f} {account.base}]"
        f" MUST EXCEED THE INITIAL MARGIN [{initial:.2f} {account.base}]"
    )


def _cash_refusal(
    account: Account, market: Market, live: LiveOrder, purchases: list[LiveOrder]
) -> str:
    """Settled cash of all currencies must cover the working purchases with their reserve.

    Nothing is borrowed, so the currency's own cash must cover them too.
    """
    currency = live.contract.currency
    rate = account.rate(currency)
    same = (order for order in purchases if order.contract.currency == currency)
    needed = sum((_cost(market, order) * _reserve(order) for order in same), ZERO) * rate
    available = min(account.settled_cash(), account.cash.get(currency, ZERO) * rate)
    if needed <= available:
        return ""
    return (
        "Order rejected - reason:Available settled cash converted to base:"
        f" {available:.2f} {account.base} Cash needed for this order and other pending orders:"
        f" {needed:.2f} {account.base}"
    )


def _reserve(order: LiveOrder) -> Decimal:
    """More is set aside where nothing limits the price."""
    return Decimal(1) if order.order.order_type == "LMT" else _MARKET_RESERVE


def _cost(market: Market, live: LiveOrder) -> Decimal:
    price = market.quote(live.contract).ask
    return live.remaining * price * live.contract.units_per_contract
