"""Snapshot × prices → what the account is worth: the one definition of the figures.

Net liq is USD cash plus the market value of managed positions; gross exposure is Σ|quantity ×
price| over them; leverage is gross exposure / net liq. Other currencies and unmanaged positions
are outside.

Source: SRS R-203, R-204 and section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from src.base.errors import Refused
from src.base.money import ZERO, exact_arithmetic, usd_text
from src.core.records.account import AccountSnapshot, Position
from src.core.records.market import PriceBook
from src.core.records.plan import Holding, Valuation
from src.core.records.portfolios import Symbol


@exact_arithmetic()
def value_account(
    snapshot: AccountSnapshot, prices: PriceBook, con_ids: Mapping[Symbol, int]
) -> Valuation:
    """Value every held symbol, and list the priced but unheld ones with 0 shares.

    ``con_ids`` are the qualified contracts of the listed symbols (0 or missing: unknown).

    Raises: Refused if net liq is not positive, a quantity is negative, or one symbol means two
    contracts.
    """
    held = _by_symbol(snapshot, con_ids)
    holdings = {}
    for symbol in sorted(held.keys() | prices.prices.keys()):
        position = held.get(symbol)
        price = prices.prices[symbol].price_usd
        qty = position.qty_shares if position else ZERO
        holdings[symbol] = Holding(
            symbol=symbol,
            con_id=position.con_id if position else con_ids.get(symbol, 0),
            qty_shares=qty,
            price_usd=price,
            value_usd=qty * price,
        )
    return _valuation(snapshot.account_id, holdings, snapshot.cash_usd)


@exact_arithmetic()
def trade_on_paper(account: Valuation, trades: Mapping[Symbol, Decimal]) -> Valuation:
    """The account after perfect fills at its own prices; quantities are signed, buys above zero."""
    holdings = dict(account.holdings)
    cash = account.cash_usd
    for symbol, qty in trades.items():
        old = holdings[symbol]
        cash -= qty * old.price_usd
        shares = old.qty_shares + qty
        holdings[symbol] = Holding(
            symbol=symbol,
            con_id=old.con_id,
            qty_shares=shares,
            price_usd=old.price_usd,
            value_usd=shares * old.price_usd,
        )
    return _valuation(account.account_id, holdings, cash)


def _valuation(account_id: str, holdings: Mapping[Symbol, Holding], cash_usd: Decimal) -> Valuation:
    gross = sum([holding.value_usd for holding in holdings.values()], ZERO)
    net_liq = cash_usd + gross
    if not net_liq > ZERO:
        raise Refused(
            f"net liq is {usd_text(net_liq)} USD (cash {usd_text(cash_usd)}, positions "
            f"{usd_text(gross)}); there is nothing to rebalance"
        )
    return Valuation(
        account_id=account_id,
        holdings=holdings,
        cash_usd=cash_usd,
        net_liq_usd=net_liq,
        gross_exposure_usd=gross,
        leverage=gross / net_liq,
    )


def _by_symbol(snapshot: AccountSnapshot, con_ids: Mapping[Symbol, int]) -> dict[Symbol, Position]:
    held: dict[Symbol, Position] = {}
    for position in snapshot.positions:
        listed_id = con_ids.get(position.symbol, 0)
        earlier = held.get(position.symbol)
        if earlier is not None or listed_id not in (0, position.con_id):
            other = earlier.con_id if earlier else listed_id
            raise Refused(
                f"{position.symbol} means two contracts here, conId {position.con_id} and "
                f"{other} (a rename or a second listing); write {position.symbol} = and the conId "
                "that is meant below [contracts] in the settings, or settle this at the broker"
            )
        if position.qty_shares < ZERO:
            raise Refused(f"{position.symbol} is held short; cover it by hand first")
        held[position.symbol] = position
    return held
