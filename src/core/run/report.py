"""The run in figures and words once it is over: exit code, per ticket results, last line.

Slippage is positive when it cost money: bought above, or sold below, the estimate the user saw.
Source: SRS, exit codes and run summary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.base.errors import ExitCode
from src.base.money import (
    ZERO,
    dollars,
    exact_arithmetic,
    leverage_text,
    pct_text,
    price_text,
    shares_text,
    usd_text,
)
from src.base.text import printable
from src.core.orders.commissions import foreign_commissions, foreign_text
from src.core.records.orders import ForeignAmount, Side, TicketStatus
from src.core.records.plan import OrderOutcome, TradePlan
from src.core.run.settlement import Settlement, all_fills
from src.core.settled_buys import run_again_text
from src.core.wishes.withdrawal import freed_text

_BPS: Final = Decimal(10_000)
_TENTH: Final = Decimal("0.1")
_HEADERS: Final = (
    "symbol",
    "side",
    "planned",
    "filled",
    "avg price",
    "comm $",
    "slip bps",
    "status",
)
_LEFT: Final = frozenset({"symbol", "side", "status"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything there is to say about a finished run.

    ``orders_sent`` counts orders that may have reached the broker. ``problems`` are sentences
    that make the run incomplete beyond its tickets: a lost connection, a record not written, a
    stop by alarm. ``was_refused`` and ``was_lost`` say why nothing was sent, if nothing was.
    ``filed`` says where the run's files are, one line each; ``settles_on`` the day when the sells
    settle, where it is known.
    """

    run_id: str
    plan: TradePlan
    outcomes: tuple[OrderOutcome, ...]
    settlement: Settlement = Settlement()
    orders_sent: int = 0
    was_interrupted: bool = False
    was_lost: bool = False
    was_refused: bool = False
    problems: tuple[str, ...] = ()
    filed: tuple[str, ...] = ()
    settles_on: str = ""

    @property
    def unresolved(self) -> tuple[OrderOutcome, ...]:
        """The tickets whose fate is not proven."""
        return tuple(one for one in self.outcomes if one.status is TicketStatus.UNRESOLVED)

    @property
    def exit_code(self) -> ExitCode:
        """The run's exit code by the one rule."""
        return exit_code_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFigures:
    """What one ticket came to; prices and slippage are None without an execution."""

    filled_shares: Decimal
    value_usd: Decimal
    average_price_usd: Decimal | None
    commission_usd: Decimal
    foreign_commissions: tuple[ForeignAmount, ...]
    commissions_missing: int
    slippage_bps: Decimal | None
    slippage_usd: Decimal


def exit_code_of(report: RunReport) -> ExitCode:
    """Once an order was sent: Unresolved 4, else interrupted 130, else anything amiss 4, else 0."""
    if report.unresolved:
        return ExitCode.UNFILLED
    if report.was_interrupted:
        return ExitCode.INTERRUPTED
    if not report.orders_sent:
        return _exit_code_unsent(report)
    is_filled = all(one.status is TicketStatus.FILLED for one in report.outcomes)
    is_whole = not (report.was_lost or report.problems or _account_differs(report))
    return ExitCode.OK if is_filled and is_whole else ExitCode.UNFILLED


def _account_differs(report: RunReport) -> bool:
    """True when the account is not as it ought to be, or nobody could look."""
    return bool(report.settlement.differences) or not report.settlement.was_read


def _exit_code_unsent(report: RunReport) -> ExitCode:
    """A plan of which no order left was refused, be it ticket by ticket: a market that closed."""
    if report.was_lost:
        return ExitCode.LOST
    return ExitCode.REFUSED if report.was_refused or report.outcomes else ExitCode.OK


@exact_arithmetic()
def ticket_figures(outcome: OrderOutcome) -> TicketFigures:
    """Quantity, average price, commission and slippage of one ticket."""
    fills, ticket = outcome.fills, outcome.ticket
    filled = sum((fill.qty_shares for fill in fills), ZERO)
    value = sum((fill.qty_shares * fill.price_usd for fill in fills), ZERO)
    charged = [fill.commission_usd for fill in fills if fill.commission_usd is not None]
    estimated = filled * ticket.est_price_usd
    lost = value - estimated if ticket.side is Side.BUY else estimated - value
    return TicketFigures(
        filled_shares=filled,
        value_usd=value,
        average_price_usd=value / filled if filled else None,
        commission_usd=sum(charged, ZERO),
        foreign_commissions=foreign_commissions(fills),
        commissions_missing=sum(not fill.is_charged for fill in fills),
        slippage_bps=lost * _BPS / estimated if estimated else None,
        slippage_usd=lost,
    )


@exact_arithmetic()
def render_summary(report: RunReport) -> str:
    """The summary for the screen; the last line says what to do next.

    The broker's texts are escaped.
    """
    rows = [_row(outcome) for outcome in report.outcomes]
    lines = [*_table(rows), "", *_reasons(report.outcomes), *_totals(report.outcomes)]
    lines += _account_lines(report)
    lines += [f"WARNING: {text}" for text in report.settlement.warnings]
    lines += [f"PROBLEM: {text}" for text in (*report.settlement.differences, *report.problems)]
    lines += ["", *report.filed] if report.filed else []
    return "\n".join(printable(line) for line in [*lines, "", last_line(report)])


def last_line(report: RunReport) -> str:
    """What was sent, what filled, what is unresolved, and what to do next."""
    filled = sum(one.status is TicketStatus.FILLED for one in report.outcomes)
    orders = _count(report.orders_sent, "order")
    tickets = f"{filled} of {_count(len(report.outcomes), 'ticket')} filled"
    names = ", ".join(one.ticket.symbol for one in report.unresolved)
    doubt = f"unresolved: {names}" if names else "nothing unresolved"
    freed = freed_text(report.plan, all_fills(report.outcomes), report.settles_on)
    return " ".join((f"{orders} sent; {tickets}; {doubt}.", *freed, _next_step(report)))


def _next_step(report: RunReport) -> str:
    if report.unresolved:
        return (
            "Look at these orders in TWS, then run: python rebalance.py --recover "
            f"(--accept {report.run_id} if they cannot be proven)."
        )
    code = report.exit_code
    if code is ExitCode.OK:
        return run_again_text(report.plan) or "Nothing left to do."
    if _account_differs(report):
        return "Compare the positions in TWS before the next run."
    if code is ExitCode.INTERRUPTED:
        return "You stopped the run; start it again to plan the rest anew."
    rest = "Read the reasons above; the next run plans what is left anew."
    return f"{rest} {run_again_text(report.plan)}".rstrip()


def _row(outcome: OrderOutcome) -> tuple[str, ...]:
    figures, ticket = ticket_figures(outcome), outcome.ticket
    average, slippage = figures.average_price_usd, figures.slippage_bps
    commission = usd_text(figures.commission_usd) if outcome.fills else "-"
    is_partial = bool(figures.commissions_missing or figures.foreign_commissions)
    return (
        ticket.symbol,
        ticket.side.value,
        shares_text(ticket.qty_shares),
        shares_text(figures.filled_shares),
        "-" if average is None else price_text(average),
        f"{commission}?" if is_partial else commission,
        "-" if slippage is None else f"{slippage.quantize(_TENTH) + ZERO:f}",
        outcome.status.value,
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns of equal width, text to the left, figures to the right."""
    lines = [_HEADERS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADERS))]
    return [
        " ".join(
            cell.ljust(width) if name in _LEFT else cell.rjust(width)
            for name, cell, width in zip(_HEADERS, line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _reasons(outcomes: Iterable[OrderOutcome]) -> list[str]:
    """Why tickets are not filled; those with the same reason together."""
    symbols: dict[tuple[TicketStatus, str], list[str]] = {}
    for one in outcomes:
        if one.status is not TicketStatus.FILLED and one.error:
            symbols.setdefault((one.status, one.error), []).append(one.ticket.symbol)
    return [
        f"{status.value} {', '.join(names)}: {error}" for (status, error), names in symbols.items()
    ]


def _totals(outcomes: tuple[OrderOutcome, ...]) -> list[str]:
    figures = [(one.ticket.side, ticket_figures(one)) for one in outcomes]
    bought = sum((f.value_usd for side, f in figures if side is Side.BUY), ZERO)
    sold = sum((f.value_usd for side, f in figures if side is Side.SELL), ZERO)
    commission = sum((f.commission_usd for _, f in figures), ZERO)
    slippage = sum((f.slippage_usd for _, f in figures), ZERO)
    missing = sum(f.commissions_missing for _, f in figures)
    pending = f" (? {_count(missing, 'commission')} pending)" if missing else ""
    foreign = foreign_text(foreign_commissions(all_fills(outcomes)))
    also = f" and {foreign}" if foreign else ""
    traded = f"Bought {dollars(bought)}, sold {dollars(sold)}"
    return [
        f"{traded}, commissions {dollars(commission)}{also}{pending}",
        f"Slippage against the estimates {dollars(slippage)} (positive: it cost money)",
    ]


def _account_lines(report: RunReport) -> list[str]:
    after, drift = report.settlement.after, report.settlement.drift_after
    if after is None:
        return ["What the account is worth after the last order is not known."]
    exposure, leverage = dollars(after.gross_exposure_usd), leverage_text(after.leverage)
    cash = dollars(after.cash_usd)
    lines = [f"Account now: cash {cash}, exposure {exposure}, leverage {leverage}"]
    if drift is not None and drift.rows:
        ranked = sorted(drift.rows, key=lambda row: (-abs(row.drift_weight), row.symbol))
        total = sum((abs(row.drift_weight) for row in drift.rows), ZERO)
        worst = ", ".join(f"{row.symbol} {_signed_pct(row.drift_weight)}" for row in ranked[:3])
        lines.append(f"Drift now: {pct_text(total)}% in all, largest {worst}")
    return lines


def _signed_pct(weight: Decimal) -> str:
    return f"{'+' if weight > ZERO else ''}{pct_text(weight)}%"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
