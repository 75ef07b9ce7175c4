"""History for people: tables of at most 80 columns, without colour.

Dollars are rounded, never cut: with cents where they fit, then whole, then thousands or millions,
and the header says which. A ``?`` is what no journal says. Accounts stand as ``shown``, masked.

Source: SRS R-606.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timezone
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import groupby
from typing import Final, NamedTuple

from src.base.json_values import Json
from src.base.money import exact_arithmetic, price_text, shares_text, weight_to_percent
from src.base.text import counted, printable
from src.core.history.runs import Amounts, History, PastRun, PastTicket, PastTotal

WIDTH: Final = 80
_UNKNOWN: Final = "?"
_NOTHING: Final = "-"
_LEFT: Final = frozenset({"run", "month", "total", "symbol", "side", "status"})
_LEGEND: Final = (
    "Days are UTC. Slippage: average fill against the quote when sent; above 0 it cost money.",
    "?: not recorded, still pending, or charged in another currency than USD.",
)


class _Style(NamedTuple):
    """``unit_usd`` dollars make one unit of the money columns."""

    unit_usd: Decimal
    name: str
    places: int


_STYLES: Final = (
    _Style(Decimal(1), "$", 2),
    _Style(Decimal(1), "$", 0),
    _Style(Decimal(1000), "k$", 0),
    _Style(Decimal(10) ** 6, "m$", 1),
)
_Lines = Callable[[_Style], list[str]]


@exact_arithmetic()
def render_history(history: History, shown: Mapping[str, str]) -> str:
    """A table of runs per account, then the totals per month and in all."""
    by_account = sorted(history.runs, key=lambda one: one.account_id)
    lines: list[str] = []
    for account_id, found in groupby(by_account, key=lambda one: one.account_id):
        runs = tuple(found)
        lines += [f"Account {_name(account_id, shown)}: {counted(len(runs), 'run')}"]
        lines += [*_fitting(partial(_run_table, runs)), *_wish_lines(runs), ""]
    if history.total is not None:
        named = [one._replace(name=_name(one.name, shown)) for one in history.accounts]
        sums = [*(named if len(named) > 1 else ()), history.total]
        lines += [*_fitting(partial(_total_table, "month", history.months)), ""]
        lines += [*_fitting(partial(_total_table, "total", sums)), ""]
    return "\n".join([*lines, *(part for text in _LEGEND for part in textwrap.wrap(text, WIDTH))])


@exact_arithmetic()
def render_run(run: PastRun, shown: Mapping[str, str]) -> str:
    """One run whole: each ticket with its executions, what it cost, and why it is not filled."""
    began = run.started_utc.astimezone(timezone.utc)
    ended = "not closed yet" if run.exit_code is None else f"exit code {run.exit_code}"
    sent = f"{counted(run.orders, 'order')} sent"
    lines = [
        f"Run {printable(run.run_id)} of {_name(run.account_id, shown)}",
        f"began {began:%Y-%m-%d %H:%M:%S} UTC; {run.state}, {ended}; {sent}",
        f"Sum of drift: {_pct(run.drift_before)}% before, {_pct(run.drift_after)}% after",
        *_wish_lines([run]),
        "",
        *_fitting(partial(_ticket_table, run.tickets)),
        "",
        *_reasons(run.tickets),
        *_fitting(partial(_total_table, "total", [PastTotal("run", 1, run.orders, run.amounts)])),
        "",
    ]
    return "\n".join([*lines, *(part for text in _LEGEND for part in textwrap.wrap(text, WIDTH))])


def _run_table(runs: Iterable[PastRun], style: _Style) -> list[str]:
    usd = style.name
    header = ("", "", "", "", "", "slip", "slip", "drift%", "drift%", "")
    names = ("run", "ord", f"bought {usd}", f"sold {usd}", "comm $", "$", "bps", "before", "after")
    rows = [
        (
            printable(one.run_id),
            str(one.orders),
            *_amounts(one.amounts, style),
            _pct(one.drift_before),
            _pct(one.drift_after),
            "open" if one.exit_code is None else str(one.exit_code),
        )
        for one in runs
    ]
    return _columns([header, (*names, "exit"), *rows])


def _total_table(kind: str, totals: Iterable[PastTotal], style: _Style) -> list[str]:
    usd = style.name
    names = (kind, "runs", "orders", f"bought {usd}", f"sold {usd}", "comm $", "slip $", "slip bps")
    rows = [
        (
            printable(one.name),
            str(one.runs),
            str(one.orders),
            *_amounts(one.amounts, style),
        )
        for one in totals
    ]
    return _columns([names, *rows])


def _ticket_table(tickets: Iterable[PastTicket], style: _Style) -> list[str]:
    names = ("symbol", "side", "planned", "filled", "avg price", f"value {style.name}", "comm $")
    rows = [
        (
            printable(one.symbol),
            one.side,
            shares_text(one.planned_shares),
            shares_text(one.filled_shares),
            _NOTHING if one.average_price_usd is None else price_text(one.average_price_usd),
            _usd(one.value_usd, style),
            _commission(one.commission_usd, one.commissions_open),
            _UNKNOWN if one.slippage_usd is None else _number(one.slippage_usd, 2),
            one.status,
        )
        for one in tickets
    ]
    return _columns([(*names, "slip $", "status"), *rows])


def _reasons(tickets: Iterable[PastTicket]) -> list[str]:
    """What was said of each ticket, those with the same text together, wrapped."""
    symbols: dict[str, list[str]] = {}
    for one in tickets:
        said = "; ".join(part for part in (one.error, *one.notes) if part)
        if said:
            symbols.setdefault(said, []).append(one.symbol)
    lines: list[str] = []
    for said, names in symbols.items():
        text = printable(f"{', '.join(names)}: {said}")
        lines += textwrap.wrap(text, WIDTH, subsequent_indent="  ")
    return [*lines, ""] if lines else []


def _wish_lines(runs: Iterable[PastRun]) -> list[str]:
    """The flags of each run that followed wishes, wrapped."""
    lines: list[str] = []
    for run in runs:
        flags = [_flag(name, value) for name, value in run.wishes.items()]
        if flags:
            text = printable(f"{run.run_id} followed {' '.join(flags)}")
            lines += textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return lines


def _flag(name: str, value: Json) -> str:
    """``--no-sell``, ``--skip SPY,EFA``."""
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    return f"{flag} {','.join(map(str, value)) if isinstance(value, list) else value}"


def _fitting(lines: _Lines) -> list[str]:
    """The most exact style that fits 80 columns; the tersest, should none."""
    made: list[str] = []
    for style in _STYLES:
        made = lines(style)
        if max(map(len, made)) <= WIDTH:
            break
    return made


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Names to the left, figures to the right, one space apart, a rule under the header."""
    named = next(row for row in rows if row[0])
    widths = [max(len(row[column]) for row in rows) for column in range(len(named))]
    lines = [
        " ".join(
            cell.ljust(width) if name in _LEFT else cell.rjust(width)
            for name, cell, width in zip(named, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    lines.insert(rows.index(named) + 1, "-" * max(map(len, lines)))
    return lines


def _amounts(amounts: Amounts, style: _Style) -> tuple[str, ...]:
    usd, bps = amounts.slippage_usd, amounts.slippage_bps
    return (
        _usd(amounts.bought_usd, style),
        _usd(amounts.sold_usd, style),
        _commission(amounts.commission_usd, amounts.commissions_open),
        _UNKNOWN if usd is None else _number(usd, 2),
        (_UNKNOWN if usd is None else _NOTHING) if bps is None else _number(bps, 1),
    )


def _commission(usd: Decimal, still_open: int) -> str:
    """With a question mark where it is not all."""
    return _number(usd, 2) + (_UNKNOWN if still_open else "")


def _pct(weight: Decimal | None) -> str:
    return _UNKNOWN if weight is None else _number(weight_to_percent(weight), 2)


def _usd(amount_usd: Decimal, style: _Style) -> str:
    return _number(amount_usd / style.unit_usd, style.places)


def _number(value: Decimal, places: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return format(rounded or abs(rounded), ",f")


def _name(account_id: str, shown: Mapping[str, str]) -> str:
    return shown.get(account_id, account_id)
