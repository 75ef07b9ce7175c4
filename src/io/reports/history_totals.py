"""Runs added up per month, per account and in all, through pandas: the one place that loads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timezone
from typing import TYPE_CHECKING, Final

from src.base.money import ZERO
from src.core.history.runs import Amounts, PastRun, PastTotal

if TYPE_CHECKING:
    import pandas as pd

_SUMS: Final = ["orders", "bought", "sold", "commission", "open", "slippage", "quoted", "unknown"]


def with_totals(
    runs: Sequence[PastRun],
) -> tuple[tuple[PastTotal, ...], tuple[PastTotal, ...], PastTotal]:
    """The totals of each month that has a run, of each account, and of all; of one run or more."""
    frame = _frame(runs)
    monthly = frame.set_index("begun").resample("MS")
    months = _totals(monthly.size(), monthly[_SUMS].sum(), "%Y-%m")
    by_account = frame.groupby("account")
    accounts = _totals(by_account.size(), by_account[_SUMS].sum())
    everything = frame.groupby(lambda _: "in all")
    (total,) = _totals(everything.size(), everything[_SUMS].sum())
    return tuple(months), tuple(accounts), total


def _frame(runs: Sequence[PastRun]) -> pd.DataFrame:
    """A row per run; money stays Decimal. What is unknown counts as 0 and is told apart."""
    import pandas as pd

    return pd.DataFrame(
        {
            "begun": pd.to_datetime(
                [one.started_utc.astimezone(timezone.utc).replace(tzinfo=None) for one in runs]
            ),
            "account": [one.account_id for one in runs],
            "orders": [one.orders for one in runs],
            "bought": [one.amounts.bought_usd for one in runs],
            "sold": [one.amounts.sold_usd for one in runs],
            "commission": [one.amounts.commission_usd for one in runs],
            "open": [one.amounts.commissions_open for one in runs],
            "slippage": [one.amounts.slippage_usd or ZERO for one in runs],
            "quoted": [one.amounts.quoted_usd or ZERO for one in runs],
            "unknown": [int(one.amounts.slippage_usd is None) for one in runs],
        }
    )


def _totals(sizes: pd.Series, sums: pd.DataFrame, form: str = "") -> Iterator[PastTotal]:
    for name, size in sizes.items():
        if not size:
            continue  # a month between two runs
        row = sums.loc[name]
        is_unknown = bool(row["unknown"])
        yield PastTotal(
            name=name.strftime(form) if form else str(name),
            runs=int(size),
            orders=int(row["orders"]),
            amounts=Amounts(
                bought_usd=row["bought"],
                sold_usd=row["sold"],
                commission_usd=row["commission"],
                commissions_open=int(row["open"]),
                slippage_usd=None if is_unknown else row["slippage"],
                quoted_usd=None if is_unknown else row["quoted"],
            ),
        )
