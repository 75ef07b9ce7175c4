"""The two CSV schemas of a run and their rows, as text: pure, nothing is written here.

A run that plans leaves one pre-trade row per held or targeted symbol and one for CASH; a run that
trades leaves one post-trade row per ticket. Weights, drift and leverage carry four decimals, USD
two, prices four, quantities up to four without trailing zeros. Text cells are made safe for
spreadsheets; the figures never need it. Source: SRS, reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Final

from src.base.money import (
    ZERO,
    exact_arithmetic,
    leverage_text,
    pct_text,
    price_text,
    shares_text,
    usd_text,
)
from src.base.text import csv_text
from src.core.orders.commissions import foreign_commissions, foreign_text
from src.core.records.orders import Fill, OrderStyle
from src.core.records.plan import DriftRow, OrderOutcome, OrderTicket, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol

Row = tuple[str, ...]

PRE_COLUMNS: Final[Row] = (
    "timestamp_run",
    "account_id",
    "symbol",
    "is_cash",
    "target_wt_pct",
    "current_wt_pct",
    "drift_pct",
    "drift_usd",
    "action",
    "qty_shares",
    "est_price",
    "order_type",
    "algo",
    "est_value_usd",
    "pre_gross_exposure",
    "post_gross_exposure",
    "pre_leverage",
    "post_leverage",
)
POST_COLUMNS: Final[Row] = (
    "timestamp_run",
    "account_id",
    "symbol",
    "qty_shares",
    "fill_price",
    "fill_value_usd",
    "post_gross_exposure",
    "post_leverage",
    "status",
    "error",
    "notes",
)
ORDER_CELLS: Final[Mapping[OrderStyle, tuple[str, str]]] = {
    OrderStyle.ADAPTIVE: ("MKT", "adaptive"),
    OrderStyle.MIDPRICE: ("MIDPRICE", "midprice"),
    OrderStyle.PLAIN: ("MKT", "none"),
}
"""Per style, the cells ``order_type`` and ``algo``."""

_NO_ORDER: Final = ("", "")
_ONE_DOLLAR: Final = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRun:
    """Which run the rows belong to; a simulated one says so behind its account id.

    ``remark`` is true of the whole run and stands in the notes of each post-trade row.
    """

    started_utc: datetime
    account_id: str
    is_simulated: bool = False
    remark: str = ""


def pre_trade_rows(
    run: ReportRun, plan: TradePlan, styles: Mapping[Symbol, OrderStyle]
) -> tuple[Row, ...]:
    """One row per held or targeted symbol in order of symbol, then CASH.

    ``styles`` names, for every symbol with a ticket, how it is going to be sent.
    """
    tickets = {ticket.symbol: ticket for ticket in plan.tickets}
    drift = sorted(plan.drift_before.rows, key=lambda row: (row.symbol == CASH, row.symbol))
    account_cells = (
        usd_text(plan.before.gross_exposure_usd),
        usd_text(plan.after.gross_exposure_usd),
        leverage_text(plan.before.leverage),
        leverage_text(plan.after.leverage),
    )
    return tuple(
        (
            *_run_cells(run),
            *_drift_cells(row),
            *_order_cells(tickets.get(row.symbol), _price(row.symbol, plan.before), styles),
            *account_cells,
        )
        for row in drift
    )


def post_trade_rows(
    run: ReportRun, outcomes: tuple[OrderOutcome, ...], after: Valuation | None
) -> tuple[Row, ...]:
    """One row per ticket in the order given; quantities and values are negative for sells.

    ``after`` is the account as it was read after the last order; None, when it could not be
    read, leaves those cells empty. Fills are the effective ones of all attempts together.
    """
    account_cells = ("", "")
    if after is not None:
        account_cells = (usd_text(after.gross_exposure_usd), leverage_text(after.leverage))
    return tuple(
        (
            *_run_cells(run),
            csv_text(outcome.ticket.symbol),
            *_fill_cells(outcome.fills),
            *account_cells,
            outcome.status.value,
            csv_text(outcome.error),
            csv_text("; ".join(_notes(run, outcome))),
        )
        for outcome in outcomes
    )


def _notes(run: ReportRun, outcome: OrderOutcome) -> Row:
    remarks = (run.remark,) if run.remark else ()
    return (*_commission_notes(outcome.fills), *outcome.notes, *remarks)


def _run_cells(run: ReportRun) -> Row:
    stamp = run.started_utc.astimezone(timezone.utc).isoformat(timespec="seconds")
    mark = " (SIMULATED)" if run.is_simulated else ""
    return (stamp, csv_text(run.account_id + mark))


def _drift_cells(row: DriftRow) -> Row:
    return (
        csv_text(row.symbol),
        "true" if row.symbol == CASH else "false",
        pct_text(row.target_weight),
        pct_text(row.current_weight),
        pct_text(row.drift_weight),
        usd_text(row.drift_usd),
    )


def _order_cells(
    ticket: OrderTicket | None, price_usd: Decimal, styles: Mapping[Symbol, OrderStyle]
) -> Row:
    if ticket is None:
        return ("NONE", "0", price_text(price_usd), *_NO_ORDER, usd_text(ZERO))
    return (
        ticket.side.value,
        shares_text(ticket.qty_shares),
        price_text(ticket.est_price_usd),
        *ORDER_CELLS[styles[ticket.symbol]],
        usd_text(ticket.est_value_usd),
    )


def _price(symbol: Symbol, before: Valuation) -> Decimal:
    return _ONE_DOLLAR if symbol == CASH else before.holdings[symbol].price_usd


def _fill_cells(fills: tuple[Fill, ...]) -> Row:
    """Signed quantity, average price (empty without a fill) and signed value."""
    with exact_arithmetic():
        signed = [fill.side.signed(fill.qty_shares) for fill in fills]
        qty_shares = sum(signed, ZERO)
        value_usd = sum(
            (qty * fill.price_usd for qty, fill in zip(signed, fills, strict=True)), ZERO
        )
        average = price_text(value_usd / qty_shares) if qty_shares else ""
    return (shares_text(qty_shares), average, usd_text(value_usd))


def _commission_notes(fills: tuple[Fill, ...]) -> Row:
    """What the broker charged so far, and for how many executions it has not said."""
    if not fills:
        return ()
    known = [fill.commission_usd for fill in fills if fill.commission_usd is not None]
    foreign = foreign_text(foreign_commissions(fills))
    if not known and not foreign:
        return ("commission pending",)
    with exact_arithmetic():
        in_usd = f"{usd_text(sum(known, ZERO))} USD" if known else ""
    text = "commission " + " and ".join(part for part in (in_usd, foreign) if part)
    missing = sum(not fill.is_charged for fill in fills)
    return (f"{text} and pending for {missing} of {len(fills)} fills" if missing else text,)
