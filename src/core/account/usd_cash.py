"""Which of the broker's two figures of USD cash is the money that is there.

TotalCashBalance and CashBalance are usually equal. In an account whose idle cash is swept into
insured deposits CashBalance counts it twice, so TotalCashBalance comes first; but where the two
differ, neither is believed by its name: the one that the account's own net liquidation in USD
leaves room for is taken, and failing that the lower one, since money that is not there cannot be
spent. What an account without dollars, or with a debt in them, is told stands here too.

Source: SRS F-107, F-112.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.base.money import exact_arithmetic, usd_text

_SAME_USD: Final = Decimal(1)
_FIT: Final = Decimal("0.1")
"""A figure fits when it misses by less than this share of what lies between the two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsdCash:
    """The figure taken; ``other_usd`` and ``warning`` only where the other one differs."""

    usd: Decimal
    other_usd: Decimal | None = None
    warning: str = ""


@exact_arithmetic()
def choose_usd_cash(
    total_usd: Decimal | None, balance_usd: Decimal | None, implied_usd: Collection[Decimal] = ()
) -> UsdCash | None:
    """Take one of TotalCashBalance and CashBalance; None when there is neither.

    ``implied_usd`` is what the net liquidation in USD leaves for cash beside the ledger's other
    USD values; more than one where it may or may not hold the gain of futures.
    """
    if total_usd is None or balance_usd is None:
        only = balance_usd if total_usd is None else total_usd
        return None if only is None else UsdCash(usd=only)
    gap = abs(total_usd - balance_usd)
    if gap <= _SAME_USD:
        return UsdCash(usd=total_usd)
    near_usd = max(_FIT * gap, _SAME_USD / 2)
    fits_total, fits_balance = (
        any(abs(one - figure) <= near_usd for one in implied_usd)
        for figure in (total_usd, balance_usd)
    )
    if fits_total == fits_balance:
        taken, why = min(total_usd, balance_usd), "as the lower one: neither can be proven"
    else:
        taken = total_usd if fits_total else balance_usd
        why = "because it fits the account's net liquidation in USD"
    names = {total_usd: "TotalCashBalance", balance_usd: "CashBalance"}
    other = balance_usd if taken == total_usd else total_usd
    return UsdCash(
        usd=taken,
        other_usd=other,
        warning=(
            f"the broker gives two figures of USD cash, {usd_text(total_usd)} (TotalCashBalance) "
            f"and {usd_text(balance_usd)} (CashBalance, which counts swept deposits twice); "
            f"{names[taken]} is taken, {why}"
        ),
    )


def no_dollars(ignored_cash: Mapping[str, Decimal], positions: Collection[str]) -> str:
    """Why an account that never held dollars cannot be rebalanced, and what to do first."""
    held = [*_amounts(ignored_cash), *positions]
    return (
        "the account has no US dollars: the broker lists no USD row in its ledger. It holds "
        f"{', '.join(held) or 'nothing else either'}. Buy dollars first (in TWS or Client Portal, "
        "Convert Currency), then run again"
    )


@exact_arithmetic()
def covered_debt(
    cash_usd: Decimal, ignored_cash: Mapping[str, Decimal], usd_per_unit: Mapping[str, Decimal]
) -> str:
    """The sentence about a debt in dollars that other cash would repay; empty without one."""
    owned = {code: amount for code, amount in ignored_cash.items() if amount > 0}
    worth = sum((owned[code] * usd_per_unit.get(code, Decimal(0)) for code in owned), Decimal(0))
    if cash_usd >= 0 or worth < -cash_usd:
        return ""
    return (
        f"USD cash is {usd_text(cash_usd)} while {', '.join(_amounts(owned))} would cover it "
        f"(worth {usd_text(worth)} USD): this plan sells funds to repay the debt; converting "
        "currency may be what is meant"
    )


def _amounts(cash: Mapping[str, Decimal]) -> list[str]:
    return [f"{code} {usd_text(cash[code])} cash" for code in sorted(cash)]
