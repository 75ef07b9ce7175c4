"""Snapshot × prices → what the account is worth: the one definition of the figures.

Net liq is USD cash plus the market value of managed positions; gross exposure is Σ|quantity ×
price| over them; leverage is gross exposure / net liq. Other currencies and unmanaged positions
are outside.

Source: SRS R-203, R-204 and section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.core.money import ONE, ZERO, exact_arithmetic, usd_text
from src.core.records import (
    AccountSnapshot,
    Holding,
    Position,
    PriceBook,
    Symbol,
    Valuation,
)
from src.errors import Refused

_WARN_APART: Final = Decimal("0.01")
_FORBID_APART: Final = Decimal("0.1")
_SIZE_NOT_WORTH: Final = frozenset({"CASH", "CFD", "FUT"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLiqCheck:
    """Our figures against the broker's own net liq, in USD; None where a rate is missing."""

    ours_usd: Decimal | None
    broker_usd: Decimal | None
    warnings: tuple[str, ...] = ()
    forbids_trading: bool = False


@exact_arithmetic()
def broker_net_liq_check(snapshot: AccountSnapshot, account: Valuation) -> NetLiqCheck:
    """Compare net liq plus everything ignored with the broker's figure.

    More than 1% apart is a warning with all parts, since it means a wrong or stale price. More than
    10%, or no rate to convert with, forbids trading. The worth that is shown with futures and
    virtual currency positions is a contract's size or stands in the cash already; where the
    figures agree better without it, it is left out.
    """
    checks = [
        _compared(snapshot, account, _ignored_parts(snapshot, leave_out))
        for leave_out in (frozenset[str](), _SIZE_NOT_WORTH)
    ]
    return min(checks, key=_distance)


def _compared(
    snapshot: AccountSnapshot, account: Valuation, parts: list[tuple[str, Decimal | None]]
) -> NetLiqCheck:
    broker = snapshot.broker_net_liq_usd
    known = [usd for _, usd in parts if usd is not None]
    if broker is None or len(known) < len(parts):
        text = "the broker's net liq cannot be compared with ours: no rate to USD for " + (
            ", ".join(name for name, usd in parts if usd is None) or "the account's base currency"
        )
        return NetLiqCheck(ours_usd=None, broker_usd=broker, warnings=(text,), forbids_trading=True)
    ours = account.net_liq_usd + sum(known, ZERO)
    apart = abs(ours - broker)
    if apart <= _WARN_APART * abs(broker):
        return NetLiqCheck(ours_usd=ours, broker_usd=broker)
    listed = "".join(f" + {name} {usd_text(usd)}" for name, usd in parts if usd)
    text = (
        f"net liq {usd_text(account.net_liq_usd)}{listed} = {usd_text(ours)} USD, but the broker "
        f"says {usd_text(broker)} USD; a price may be wrong or stale"
    )
    return NetLiqCheck(
        ours_usd=ours,
        broker_usd=broker,
        warnings=(text,),
        forbids_trading=apart > _FORBID_APART * abs(broker),
    )


def _distance(check: NetLiqCheck) -> Decimal:
    """How far the two figures are apart, in USD; endless where they cannot be compared."""
    if check.ours_usd is None or check.broker_usd is None:
        return Decimal("Infinity")
    return abs(check.ours_usd - check.broker_usd)


def _ignored_parts(
    snapshot: AccountSnapshot, leave_out: frozenset[str]
) -> list[tuple[str, Decimal | None]]:
    """Name and USD value of everything outside our net liq; None where no rate is known."""
    rates = {**snapshot.usd_per_unit, "USD": ONE}
    amounts = [(f"{name} cash", name, cash) for name, cash in sorted(snapshot.ignored_cash.items())]
    amounts += [
        (f"{one.symbol} ({one.sec_type})", one.currency, one.value)
        for one in snapshot.unmanaged
        if one.value is not None and one.sec_type not in leave_out
    ]
    parts: list[tuple[str, Decimal | None]] = []
    for name, currency, amount in amounts:
        rate = rates.get(currency)
        if amount:
            parts.append((name, None if rate is None else amount * rate))
    return parts


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
                f"{other} (a rename or a second listing); settle this at the broker first"
            )
        if position.qty_shares < ZERO:
            raise Refused(f"{position.symbol} is held short; cover it by hand first")
        held[position.symbol] = position
    return held
