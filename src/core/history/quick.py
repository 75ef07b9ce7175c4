"""What a plainly closed run came to, read straight from the texts of its events.

Years of runs are told in a fraction of a second this way, where decoding and folding every event
takes many. Nothing is decided here: whatever is not plain (an open run, an order not sent, a
correction, an execution that contradicts its ticket's last word) gives None, and
``src.core.history.fold`` tells it. A test holds one against the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, Literal, TypedDict

from src.base.json_values import Json
from src.base.money import ZERO, exact_arithmetic
from src.core.history.runs import PastRun, PastTicket, added_up, distance_from, mean_quote
from src.core.journal.version import SCHEMA_VERSION
from src.core.orders.executions import execution_key

_HEAD: Final = '{"event":'
_KIND: Final = '"kind":"'
_TAIL: Final = f'","schema":{SCHEMA_VERSION}}}'
_PASSED_OVER: Final = frozenset(
    {"Approved", "Sent", "Acknowledged", "OrderNoticed", "CancelRequested", "OrderEnded"}
    | {"ReportWritten"}
)
"""They change neither a ticket's last word nor its executions."""
_JSON: Final = json.JSONDecoder()


class _Ticket(TypedDict):
    con_id: int
    symbol: str
    side: str
    qty_shares: str


class _Drift(TypedDict):
    symbol: str
    target_weight: str
    drift_weight: str


class _Fill(TypedDict):
    account_id: str
    order_ref: str
    exec_id: str
    con_id: int
    side: str
    qty_shares: str
    price_usd: str
    commission_usd: str | None


class _Holding(TypedDict):
    value_usd: str


class _After(TypedDict):
    holdings: dict[str, _Holding]
    cash_usd: str
    net_liq_usd: str


class _Event(TypedDict, total=False):
    """The fields of any event that is read here; which ones are there depends on its kind."""

    line: int
    qty_shares: str
    request: _Fill
    quote_usd: str | None
    fill: _Fill
    exec_id: str
    commission_usd: str | None
    status: str
    exit_code: int
    after: _After | None


class _NotPlain(Exception):
    """This run has to be folded."""


def quick_run(run_id: str, texts: Iterable[str]) -> PastRun | None:
    """What the texts of a run's events amount to; None where only folding them can tell."""
    reading = _Reading(run_id)
    try:
        with exact_arithmetic():
            for text in texts:
                reading.take(text)
            return reading.result()
    except (_NotPlain, KeyError, ValueError, TypeError, IndexError, InvalidOperation):
        return None


class _Reading:
    """One run on its way to a ``PastRun``; lines count from 1, as in the journal."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._plan = ""
        self._tickets: list[_Ticket] = []
        self._limits: dict[int, Decimal] = {}
        self._words: dict[int, str] = {}
        self._lines: dict[str, int] = {}  # order ref -> line
        self._quotes: dict[str, str | None] = {}  # order ref -> quote
        self._fills: dict[str, tuple[int, _Fill]] = {}
        self._commissions: dict[str, Decimal | None] = {}
        self._closed: _Event = {}

    def take(self, text: str) -> None:
        """Take in one event; raises where the run is not plain."""
        if not (text.startswith(_HEAD) and text.endswith(_TAIL)):
            raise _NotPlain
        kind = text[text.rindex(_KIND) + len(_KIND) : -len(_TAIL)]
        if kind in _PASSED_OVER:
            return
        if kind == "PlanRecorded":
            self._take_plan(text)
            return
        event: _Event = _JSON.raw_decode(text, len(_HEAD))[0]
        if kind == "FillRecorded":
            self._take_fill(event["fill"])
        elif kind == "CommissionRecorded":
            self._take_commission(event["exec_id"], event["commission_usd"])
        elif kind == "IntentRecorded":
            self._lines[event["request"]["order_ref"]] = event["line"]
            self._quotes[event["request"]["order_ref"]] = event.get("quote_usd")
        elif kind == "TicketEnded":
            self._words[event["line"]] = event["status"]
        elif kind == "TicketRefitted":
            self._limits[event["line"]] = Decimal(event["qty_shares"])
        elif kind == "RunClosed":
            self._closed = event
        else:
            raise _NotPlain

    def _take_plan(self, text: str) -> None:
        if self._lines:
            raise _NotPlain
        self._plan = text
        self._tickets = _part(text, "tickets")
        self._limits = {
            line: Decimal(one["qty_shares"]) for line, one in enumerate(self._tickets, start=1)
        }

    def _take_fill(self, fill: _Fill) -> None:
        line, key = self._lines[fill["order_ref"]], execution_key(fill["exec_id"])
        ticket = self._tickets[line - 1]
        is_as_ordered = fill["side"] == ticket["side"] and fill["con_id"] == ticket["con_id"]
        if key in self._fills or not is_as_ordered or fill["qty_shares"].startswith("-"):
            raise _NotPlain
        self._fills[key] = (line, fill)
        usd = fill["commission_usd"]
        self._commissions[key] = None if usd is None else Decimal(usd)

    def _take_commission(self, exec_id: str, usd: str | None) -> None:
        key = execution_key(exec_id)
        if usd is None or self._commissions[key] is not None:
            raise _NotPlain
        self._commissions[key] = Decimal(usd)

    def result(self) -> PastRun:
        """The run; raises where it is not plain."""
        if not self._closed or not self._lines:
            raise _NotPlain
        account_id: str = _part(self._plan, "account_id")
        if any(fill["account_id"] != account_id for _, fill in self._fills.values()):
            raise _NotPlain
        tickets = self._past_tickets()
        drift: list[_Drift] = _part(self._plan, "drift_before")["rows"]
        return PastRun(
            run_id=self._run_id,
            account_id=account_id,
            started_utc=datetime.fromisoformat(_part(self._plan, "started_utc")),
            is_simulated=_part(self._plan, "is_simulated"),
            state="closed",
            exit_code=self._closed["exit_code"],
            orders=len(self._lines),
            net_liq_usd=Decimal(_part(self._plan, "before")["net_liq_usd"]),
            drift_before=sum((abs(Decimal(row["drift_weight"])) for row in drift), ZERO),
            drift_after=_drift_after(drift, self._closed["after"]),
            tickets=tickets,
            amounts=added_up(tickets),
            wishes=_wishes(self._plan),
        )

    def _past_tickets(self) -> tuple[PastTicket, ...]:
        shares = dict.fromkeys(self._limits, ZERO)
        values, commissions = dict(shares), dict(shares)
        missing = dict.fromkeys(self._limits, 0)
        parts: dict[int, list[tuple[Decimal, Decimal | None]]] = {line: [] for line in self._limits}
        for key, (line, fill) in self._fills.items():
            qty_shares, usd = Decimal(fill["qty_shares"]), self._commissions[key]
            shares[line] += qty_shares
            values[line] += qty_shares * Decimal(fill["price_usd"])
            commissions[line] += usd or ZERO
            missing[line] += usd is None
            quote_usd = self._quotes[fill["order_ref"]]
            parts[line].append((qty_shares, None if quote_usd is None else Decimal(quote_usd)))
        return tuple(
            PastTicket(
                symbol=one["symbol"],
                side=one["side"],
                planned_shares=Decimal(one["qty_shares"]),
                filled_shares=shares[line],
                value_usd=values[line],
                commission_usd=commissions[line],
                commissions_open=missing[line],
                status=_believed(self._words[line], shares[line], self._limits[line]),
                quote_usd=mean_quote(parts[line]),
            )
            for line, one in enumerate(self._tickets, start=1)
        )


_Part = Literal[
    "tickets",
    "account_id",
    "before",
    "drift_before",
    "started_utc",
    "is_simulated",
    "wishes",
]


def _part(plan: str, name: _Part):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """One field of a recorded plan; the key with its quotation marks stands in no other text."""
    return _JSON.raw_decode(plan, plan.index(f'"{name}":') + len(name) + 3)[0]


def _wishes(plan: str) -> dict[str, Json]:
    """Those that JSON has as the journal has them: said or not, or a list of symbols."""
    if '"wishes":' not in plan:
        return {}  # written before there were any
    recorded: dict[str, Json] = _part(plan, "wishes")
    followed: dict[str, Json] = {name: value for name, value in recorded.items() if value}
    if not all(value is True or isinstance(value, list) for value in followed.values()):
        raise _NotPlain
    return followed


def _drift_after(drift: list[_Drift], after: _After | None) -> Decimal | None:
    if after is None:
        return None
    targets = {row["symbol"]: Decimal(row["target_weight"]) for row in drift}
    values = {symbol: Decimal(one["value_usd"]) for symbol, one in after["holdings"].items()}
    values["CASH"] = Decimal(after["cash_usd"])
    return distance_from(targets, values, Decimal(after["net_liq_usd"]))


def _believed(status: str, filled: Decimal, limit: Decimal) -> str:
    """A ticket's last word where its executions plainly agree with it."""
    if filled == ZERO:
        agrees = status in ("Cancelled", "Rejected", "Skipped")
    else:
        agrees = status == ("Filled" if filled == limit else "PartiallyFilled")
    if not agrees or filled > limit:
        raise _NotPlain
    return status
