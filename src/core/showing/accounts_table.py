"""Several accounts side by side: the table before anything is asked, and what became of each.

Figures are those of the plans; the total is for information, as every account is planned and traded
by itself. At most 80 columns; money in whole dollars, or in thousands or millions where these are
too long.

Source: SRS R-418.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.base.json_values import Json, json_number
from src.base.money import ZERO, exact_arithmetic, weight_to_percent
from src.base.text import printable
from src.core.records.orders import Side
from src.core.records.plan import TradePlan
from src.core.showing.preview_table import WIDTH, drift_sum, wrapped

_HEADERS: Final = ("account", "net liq", "cash", "off %", "after", "#", "sell", "buy", "lev")
_WIDTHS: Final = (16, 11, 10, 6, 6, 3, 8, 8, 4)
_MONEY: Final = frozenset({"net liq", "cash", "sell", "buy"})
_UNITS: Final = ((Decimal(1), "$"), (Decimal(1000), "k$"), (Decimal(10) ** 6, "m$"))
_TOTAL: Final = "total (for info)"
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One account: its plan, or the ``problem`` that left it without one.

    ``obstacles`` are what forbids trading a plan.
    """

    label: str
    account_id: str
    plan: TradePlan | None = None
    problem: str = ""
    obstacles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """What the total row adds up."""

    net_liq_usd: Decimal
    cash_usd: Decimal
    tickets: int
    sells_usd: Decimal
    buys_usd: Decimal


@exact_arithmetic()
def accounts_table(lines: Sequence[AccountLine]) -> str:
    """A row for each account and one for all, then what stands in the way, by account."""
    text = ""
    for unit, name in _UNITS:
        text = _table(lines, unit, name)
        if max(map(len, text.splitlines())) <= WIDTH:
            break
    remarks = [part for one in lines for part in _remarks(one)]
    return "\n".join([text, *([""] if remarks else []), *remarks])


def _table(lines: Sequence[AccountLine], unit: Decimal, name: str) -> str:
    sums = _added(one.plan for one in lines if one.plan is not None)
    heads = tuple(f"{one} {name}" if one in _MONEY else one for one in _HEADERS)
    total = (_TOTAL, *_money(sums, unit), "", "", str(sums.tickets), *_traded(sums, unit), "")
    rules = tuple("-" * width for width in _WIDTHS)
    rows = (heads, rules, *(_row(one, unit) for one in lines), total)
    return "\n".join(_joined(cells).rstrip() for cells in rows)


def total_as_json(lines: Iterable[AccountLine]) -> dict[str, Json]:
    """The total row for programs."""
    sums = _added(one.plan for one in lines if one.plan is not None)
    return {
        "net_liq_usd": json_number(sums.net_liq_usd),
        "cash_usd": json_number(sums.cash_usd),
        "tickets": sums.tickets,
        "sells_usd": json_number(sums.sells_usd),
        "buys_usd": json_number(sums.buys_usd),
    }


def _row(line: AccountLine, unit: Decimal) -> tuple[str, ...]:
    label = printable(line.label)[: _WIDTHS[0]]
    if line.plan is None:
        return (label, *[_NOTHING] * (len(_WIDTHS) - 1))
    plan, sums = line.plan, _added([line.plan])
    off = (drift_sum(one.rows)[0] for one in (plan.drift_before, plan.drift_after))
    return (
        label,
        *_money(sums, unit),
        *(f"{weight_to_percent(one):.2f}" for one in off),
        str(sums.tickets),
        *_traded(sums, unit),
        f"{plan.before.leverage:.2f}",
    )


def _added(plans: Iterable[TradePlan]) -> _Sums:
    known = list(plans)
    tickets = [one for plan in known for one in plan.tickets]
    values = {
        side: sum((one.est_value_usd for one in tickets if one.side is side), ZERO) for side in Side
    }
    return _Sums(
        net_liq_usd=sum((plan.before.net_liq_usd for plan in known), ZERO),
        cash_usd=sum((plan.before.cash_usd for plan in known), ZERO),
        tickets=len(tickets),
        sells_usd=values[Side.SELL],
        buys_usd=values[Side.BUY],
    )


def _money(sums: _Sums, unit: Decimal) -> tuple[str, str]:
    return f"{sums.net_liq_usd / unit:,.0f}", f"{sums.cash_usd / unit:,.0f}"


def _traded(sums: _Sums, unit: Decimal) -> tuple[str, str]:
    return f"{sums.sells_usd / unit:,.0f}", f"{sums.buys_usd / unit:,.0f}"


def _joined(cells: Sequence[str]) -> str:
    first, *others = zip(cells, _WIDTHS, strict=True)
    return " ".join([f"{first[0]:<{first[1]}}", *(f"{text:>{size}}" for text, size in others)])


def _remarks(line: AccountLine) -> list[str]:
    texts = [line.problem] if line.problem else [f"trading: {one}" for one in line.obstacles]
    name = printable(line.label)
    return [part for text in texts for part in wrapped(f"{name}: {text}", "- ")]
