"""The plan as a table of at most 80 columns, sorted by |drift|.

Dollars are rounded, never cut: whole accounts with cents where they fit, then whole dollars, then
thousands or millions, and the header says which. No colour.

Source: SRS R-401.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from src.base.money import ZERO, exact_arithmetic, shares_text, weight_to_percent
from src.base.text import printable
from src.core.drift import rank_by_drift
from src.core.records.orders import Side
from src.core.records.plan import DriftRow, Holding, OrderTicket, TradePlan
from src.core.records.portfolios import CASH, Symbol

WIDTH: Final = 80
_MARK: Final = "*"
_NOTHING: Final = "-"
_HEADER_LINES: Final = 2
_HELD: Final = 7
_ALIGNMENTS: Final = ("left", *["right"] * 4, "left", "right", "left", *["right"] * 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """How numbers are shown; ``usd_unit`` dollars make one unit of the money columns."""

    usd_unit: Decimal
    usd_name: str
    usd_places: int
    pct_places: int = 2
    grouped: bool = True
    shows_held: bool = False


_EXACT_STYLES: Final = 2
_STYLES: Final = (
    _Style(usd_unit=Decimal(1), usd_name="$", usd_places=2),
    _Style(usd_unit=Decimal(1), usd_name="$", usd_places=0),
    _Style(usd_unit=Decimal(1), usd_name="$", usd_places=0, grouped=False),
    _Style(usd_unit=Decimal(1000), usd_name="k$", usd_places=0),
    _Style(usd_unit=Decimal(10) ** 6, usd_name="m$", usd_places=1),
    _Style(usd_unit=Decimal(10) ** 6, usd_name="m$", usd_places=0, pct_places=1, grouped=False),
)


@exact_arithmetic()
def render_table(plan: TradePlan, marked: Collection[Symbol]) -> str:
    """One row per held or targeted symbol and one for CASH; ``marked`` symbols carry a ``*``.

    The most exact style that fits 80 columns is taken (the tersest, should none fit); what is held
    is shown where single dollars fit beside it.
    """
    text = ""
    with_held = (replace(style, shows_held=True) for style in _STYLES[:_EXACT_STYLES])
    for style in (*with_held, *_STYLES):
        text = _render(plan, marked, style)
        if max(map(len, text.splitlines())) <= WIDTH:
            break
    return text


def _render(plan: TradePlan, marked: Collection[Symbol], style: _Style) -> str:
    from tabulate import DataRow, TableFormat, tabulate

    one_space_apart = TableFormat(
        lineabove=None,
        linebelowheader=None,
        linebetweenrows=None,
        linebelow=None,
        headerrow=None,
        datarow=DataRow("", " ", ""),
        padding=0,
        with_header_hide=None,
    )
    rows = [*_headers(style), *_rows(plan, marked, style)]
    columns = list(zip(*rows, _ALIGNMENTS, strict=True))
    if not style.shows_held:
        del columns[_HELD]
    *cells, alignments = zip(*columns, strict=True)
    text = tabulate(cells, tablefmt=one_space_apart, disable_numparse=True, colalign=alignments)
    lines = [line.rstrip() for line in str(text).splitlines()]
    lines.insert(_HEADER_LINES, "-" * max(map(len, lines)))
    return "\n".join(lines)


def _headers(style: _Style) -> list[list[str]]:
    usd = style.usd_name
    return [
        ["", "target", "current", "drift", "drift", "", "", "", "price", "value", "after"],
        ["symbol", "%", "%", "%", usd, "action", "qty", "held", "$", usd, "%"],
    ]


def _rows(plan: TradePlan, marked: Collection[Symbol], style: _Style) -> Iterator[list[str]]:
    tickets = {ticket.symbol: ticket for ticket in plan.tickets}
    after = {row.symbol: row.current_weight for row in plan.drift_after.rows}
    for row in rank_by_drift(plan.drift_before.rows):
        name = printable(row.symbol) + (_MARK if row.symbol in marked else "")
        yield [
            name,
            _pct(row.target_weight, style),
            _pct(row.current_weight, style),
            _pct(row.drift_weight, style, "+"),
            _usd(row.drift_usd, style, "+"),
            *_trade(row, tickets.get(row.symbol), plan.before.holdings, style),
            _pct(after[row.symbol], style),
        ]


def _trade(
    row: DriftRow,
    ticket: OrderTicket | None,
    holdings: Mapping[Symbol, Holding],
    style: _Style,
) -> list[str]:
    """Action, quantity, what is held (a sell is some "of" it), price and value."""
    if row.symbol == CASH:
        return [_NOTHING, "", "", "", ""]
    holding = holdings[row.symbol]
    held = shares_text(holding.qty_shares) if holding.qty_shares else ""
    price = _price(holding.price_usd)
    if ticket is None:
        return [_NOTHING, "", held, price, ""]
    held = f"of {held}" if held and ticket.side is Side.SELL else held
    value = _usd(ticket.est_value_usd, style)
    return [ticket.side.value, shares_text(ticket.qty_shares), held, price, value]


def _pct(weight: Decimal, style: _Style, sign: str = "") -> str:
    return _number(weight_to_percent(weight), style.pct_places, sign)


def _usd(amount_usd: Decimal, style: _Style, sign: str = "") -> str:
    grouping = "," if style.grouped else ""
    return _number(amount_usd / style.usd_unit, style.usd_places, sign + grouping)


def _price(price_usd: Decimal) -> str:
    """Cents for ordinary prices, four decimals below one dollar."""
    return _number(price_usd, 2 if price_usd >= 1 else 4, "")


def _number(value: Decimal, places: int, flags: str) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    if not rounded:
        return format(abs(rounded), "f")
    return format(rounded, flags + "f")


def drift_sum(plan_rows: Collection[DriftRow]) -> tuple[Decimal, Decimal]:
    """Σ|drift| over all rows, CASH included, as a weight and in USD."""
    weight = sum((abs(row.drift_weight) for row in plan_rows), ZERO)
    return weight, sum((abs(row.drift_usd) for row in plan_rows), ZERO)


def wrapped(text: str, bullet: str) -> list[str]:
    """A text that may hold anything, escaped, as lines of at most 80 columns."""
    return textwrap.wrap(
        printable(text),
        width=WIDTH,
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_on_hyphens=False,
    )
