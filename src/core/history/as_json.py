"""History for other programs: one JSON object, and CSV rows with fixed columns.

Accounts are named in full. JSON null and an empty cell mean: not known, or there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timezone
from decimal import Decimal
from typing import Final

from src.base.json_values import Json, json_number
from src.base.money import price_text, shares_text, usd_text, weight_to_percent
from src.base.text import csv_text
from src.core.history.runs import Amounts, History, PastRun, PastTicket, PastTotal

SCHEMA: Final = "rebalance-history/1"
CSV_COLUMNS: Final = (
    *("date", "account", "run", "symbol", "side", "quantity"),
    *("price", "value", "commission", "slippage", "status"),
)


def history_as_json(history: History) -> dict[str, Json]:
    """The object that ``--json`` prints; ``json.dumps`` turns it into text."""
    sought = history.sought
    return {
        "schema": SCHEMA,
        "is_simulated": sought.is_simulated,
        "since": sought.since.isoformat() if sought.since else None,
        "until": sought.until.isoformat() if sought.until else None,
        "runs": [run_as_json(run, is_whole=bool(sought.run_id)) for run in history.runs],
        "months": [{"month": one.name, **_total(one)} for one in history.months],
        "accounts": [{"account_id": one.name, **_total(one)} for one in history.accounts],
        "total": _total(history.total) if history.total else None,
        "unread": list(history.unread),
    }


def run_as_json(run: PastRun, *, is_whole: bool) -> dict[str, Json]:
    """One run as an object; ``is_whole``: with why its tickets are not filled."""
    return {
        "run_id": run.run_id,
        "account_id": run.account_id,
        "started_utc": run.started_utc.astimezone(timezone.utc).isoformat(),
        "state": run.state,
        "exit_code": run.exit_code,
        "wishes": dict(run.wishes),
        "orders": run.orders,
        **_amounts(run.amounts),
        "net_liq_usd": json_number(run.net_liq_usd),
        "drift_before_pct": json_number(weight_to_percent(run.drift_before)),
        "drift_after_pct": (
            None if run.drift_after is None else json_number(weight_to_percent(run.drift_after))
        ),
        "tickets": [_ticket(one, is_whole=is_whole) for one in run.tickets],
    }


def _ticket(ticket: PastTicket, *, is_whole: bool) -> dict[str, Json]:
    told: dict[str, Json] = {"error": ticket.error, "notes": list(ticket.notes)}
    return {
        "symbol": ticket.symbol,
        "side": ticket.side,
        "planned_shares": json_number(ticket.planned_shares),
        "filled_shares": json_number(ticket.filled_shares),
        "price_usd": _known(ticket.average_price_usd),
        "value_usd": json_number(ticket.value_usd),
        "commission_usd": json_number(ticket.commission_usd),
        "commissions_open": ticket.commissions_open,
        "slippage_usd": _known(ticket.slippage_usd),
        "status": ticket.status,
        **(told if is_whole else {}),
    }


def _total(total: PastTotal) -> dict[str, Json]:
    return {
        "runs": total.runs,
        "orders": total.orders,
        **_amounts(total.amounts),
    }


def _amounts(amounts: Amounts) -> dict[str, Json]:
    return {
        "bought_usd": json_number(amounts.bought_usd),
        "sold_usd": json_number(amounts.sold_usd),
        "commission_usd": json_number(amounts.commission_usd),
        "commissions_open": amounts.commissions_open,
        "slippage_usd": _known(amounts.slippage_usd),
        "slippage_bps": _known(amounts.slippage_bps),
    }


def _known(value: Decimal | None) -> Json:
    return None if value is None else json_number(value)


def csv_rows(history: History) -> Iterator[tuple[str, ...]]:
    """The columns' names, then one row per ticket; no cell can start a spreadsheet formula."""
    yield CSV_COLUMNS
    for run in history.runs:
        mark = " (SIMULATED)" if run.is_simulated else ""
        day = run.started_utc.astimezone(timezone.utc).date().isoformat()
        for one in run.tickets:
            price, slippage = one.average_price_usd, one.slippage_usd
            is_charged = one.commission_usd or not one.commissions_open
            yield (
                day,
                csv_text(run.account_id + mark),
                csv_text(run.run_id),
                csv_text(one.symbol),
                one.side,
                shares_text(one.filled_shares),
                "" if price is None else price_text(price),
                usd_text(one.value_usd),
                usd_text(one.commission_usd) if is_charged else "",
                "" if slippage is None else usd_text(slippage),
                one.status,
            )
