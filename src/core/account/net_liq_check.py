"""Our net liq held against the broker's own, and the likeliest reason where they differ.

Ours plus everything that is ignored (other cash, unmanaged positions), each converted to USD, has
to come near the broker's figure. Where it does not, the reason is looked for among figures that
are known, never assumed: each has an amount it would explain, and the one that leaves least of the
difference unexplained is named.

Source: SRS R-205, F-31.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.base.money import ONE, ZERO, exact_arithmetic, price_text, usd_text
from src.core.records.account import AccountSnapshot
from src.core.records.plan import Valuation

_WARN_APART: Final = Decimal("0.01")
_FORBID_APART: Final = Decimal("0.1")
_EXPLAINED: Final = Decimal("0.5")
"""A reason is named when it leaves at most this share of the difference unexplained."""

_STOCKS: Final = "StockMarketValue"
_SIZE_NOT_WORTH: Final = frozenset({"CASH", "CFD", "FUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLiqCheck:
    """Our figures against the broker's own net liq, in USD; None where a rate is missing."""

    ours_usd: Decimal | None
    broker_usd: Decimal | None
    warnings: tuple[str, ...] = ()
    forbids_trading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """What may lie behind a difference; ``usd`` is what it adds to the broker's figure."""

    text: str
    usd: Decimal


@exact_arithmetic()
def broker_net_liq_check(snapshot: AccountSnapshot, account: Valuation) -> NetLiqCheck:
    """Compare net liq plus everything ignored with the broker's figure.

    More than 1% apart is a warning with all parts and the likeliest reason. More than 10%, or no
    rate to convert with, forbids trading. The worth that is shown with futures and virtual
    currency positions is a contract's size or stands in the cash already; where the figures agree
    better without it, it is left out.
    """
    checks = [
        _compared(snapshot, account, _ignored_parts(snapshot, account, leave_out))
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
        f"says {usd_text(broker)} USD; {_likeliest(snapshot, account, broker - ours)}"
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
    snapshot: AccountSnapshot, account: Valuation, leave_out: frozenset[str]
) -> list[tuple[str, Decimal | None]]:
    """Name and USD value of everything outside our net liq; None where no rate is known."""
    rates = {**snapshot.usd_per_unit, "USD": ONE}
    amounts = [(f"{name} cash", name, cash) for name, cash in sorted(snapshot.ignored_cash.items())]
    amounts += [
        (f"{one.symbol} ({one.sec_type})", one.currency, one.value)
        for one in snapshot.unmanaged
        if one.value is not None and one.sec_type not in leave_out
    ]
    amounts += _class_amounts(snapshot, account)
    parts: list[tuple[str, Decimal | None]] = []
    for name, currency, amount in amounts:
        rate = rates.get(currency)
        if amount:
            parts.append((name, None if rate is None else amount * rate))
    return parts


def _class_amounts(
    snapshot: AccountSnapshot, account: Valuation
) -> Iterator[tuple[str, str, Decimal]]:
    """The ledger's worth of whole classes, where single positions have none.

    Stocks in USD are the managed ones, priced here, and perhaps others that are left alone.
    """
    others = any(
        (one.sec_type, one.currency, one.value) == ("STK", "USD", None)
        for one in snapshot.unmanaged
    )
    for one in snapshot.class_worth:
        if (one.name, one.currency) != (_STOCKS, "USD"):
            yield f"{one.name} {one.currency}", one.currency, one.amount
        elif others:
            yield "other stocks USD", "USD", one.amount - account.gross_exposure_usd


# --- why ------------------------------------------------------------------------------------


def _likeliest(snapshot: AccountSnapshot, account: Valuation, missing_usd: Decimal) -> str:
    """The reason that explains most of what the broker's figure has more than ours (or less)."""
    reasons = sorted(_reasons(snapshot, account), key=lambda one: abs(missing_usd - one.usd))
    if reasons and abs(missing_usd - reasons[0].usd) <= _EXPLAINED * abs(missing_usd):
        return f"the likeliest reason: {reasons[0].text}"
    unvalued = [one.symbol for one in snapshot.unmanaged if one.value is None]
    if unvalued and not snapshot.class_worth:
        return f"the likeliest reason: the worth of {', '.join(unvalued)} is not known here"
    prices = [one for one in _price_reasons(snapshot, account) if one.usd]
    if prices:
        farthest = max(prices, key=lambda one: abs(one.usd))
        return f"nothing explains it by itself; the price that differs most: {farthest.text}"
    if snapshot.positions and not any(one.market_price_usd for one in snapshot.positions):
        return "nothing explains it; the account's own prices are not known here to compare with"
    return (
        "nothing explains it: neither cash, accruals, unmanaged positions nor prices; compare "
        "with the account window of TWS, then run again"
    )


def _reasons(snapshot: AccountSnapshot, account: Valuation) -> Iterator[_Reason]:
    second = snapshot.second_figures
    if second.other_cash_usd is not None:
        text = f"the other figure of USD cash, {usd_text(second.other_cash_usd)} USD"
        yield _Reason(text=text, usd=second.other_cash_usd - snapshot.cash_usd)
    for name, amount in (
        ("dividends not paid yet (AccruedDividend)", second.accrued_dividend_usd),
        ("interest not paid yet (AccruedCash)", second.accrued_cash_usd),
    ):
        if amount:
            yield _Reason(text=f"{name}, {usd_text(amount)} USD", usd=amount)
    rates = {**snapshot.usd_per_unit, "USD": ONE}
    for one in snapshot.unmanaged:
        if one.value and one.currency in rates:
            worth = one.value * rates[one.currency]
            text = f"{one.symbol} ({one.sec_type}), shown with {usd_text(worth)} USD"
            yield _Reason(text=text, usd=-worth)
    yield from _price_reasons(snapshot, account)


def _price_reasons(snapshot: AccountSnapshot, account: Valuation) -> Iterator[_Reason]:
    """For each symbol what the account's own price makes of it, compared with ours.

    The account's has single precision: what reads the same is no difference.
    """
    for one in snapshot.positions:
        held = account.holdings.get(one.symbol)
        if held is None or not one.market_price_usd:
            continue
        here, there = price_text(held.price_usd), price_text(one.market_price_usd)
        if here != there:
            yield _Reason(
                text=f"the price of {one.symbol}, {here} here and {there} in the account",
                usd=one.qty_shares * (one.market_price_usd - held.price_usd),
            )
