"""The pages: one run whole, a plan that was only looked at, and several runs over time.

Account ids stand in full; whoever writes the page masks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from itertools import groupby

from src.base.money import ZERO, dollars, exact_arithmetic, price_text, shares_text
from src.base.text import counted
from src.core.cash_effects import cash_effect, charged_elsewhere
from src.core.history.fold import summed_up
from src.core.history.page import Page, Section, bar_chart, line_chart, percent, table
from src.core.history.runs import Amounts, History, PastRun, PastTicket, PastTotal
from src.core.journal.codec import event_from_text
from src.core.records.orders import Fill
from src.core.records.plan import DriftTable, TradePlan, Valuation
from src.core.run.fold import fold
from src.core.run.outcome import run_outcomes
from src.core.run.settlement import all_fills, drift_after
from src.core.run.state import RunState
from src.core.wishes.effect import wish_lines

_UNKNOWN = "?"


@exact_arithmetic()
def run_page(state: RunState) -> Page:
    """A recorded run: where it began, what was executed, where it ended."""
    plan, run = state.plan.plan, summed_up(state)
    after = state.closed.after if state.closed else None
    ends = None if after is None else drift_after(plan, after)
    outcomes = run_outcomes(state)
    fills = all_fills(outcomes)
    ended = "not closed yet" if run.exit_code is None else f"exit code {run.exit_code}"
    lead = (
        f"Run {run.run_id} began {_utc(run.started_utc)}: {run.state}, {ended}.",
        f"{counted(run.orders, 'order')} sent.",
        *wish_lines(plan.wishes),
    )
    told = [f"{one.ticket.symbol}: {one.error}" for one in outcomes if one.error]
    told += [f"{one.ticket.symbol}: {note}" for one in outcomes for note in one.notes]
    closing = state.closed.notes if state.closed else ()
    sections = (
        _account(plan.before, after, "after the run"),
        _drift(plan.drift_before, ends, "after"),
        _allocation(plan.drift_before, ends, "after"),
        _orders(run.tickets),
        _costs(run.amounts),
        _conservation(plan.before, after, fills),
        _warnings((*closing, *told, *plan.notes, plan.outside_limits, *_skipped(plan))),
    )
    title = f"Rebalance of account {plan.account_id}"
    return Page(title, lead, _shown(sections), run.is_simulated)


def page_of_texts(texts: Iterable[str]) -> Page:
    """A run's page from its events as the journal holds them."""
    return run_page(fold(event_from_text(text) for text in texts))


@exact_arithmetic()
def plan_page(plan: TradePlan, started_utc: datetime, *, is_simulated: bool) -> Page:
    """A plan of which nothing was sent: where the account is and where the plan would bring it."""
    lead = (f"Dry run of {_utc(started_utc)}: nothing was sent.", *wish_lines(plan.wishes))
    rows = [
        (one.symbol, one.side.value, shares_text(one.qty_shares), dollars(one.est_value_usd))
        for one in plan.tickets
    ]
    orders = table(("symbol", "side", "shares", "value"), rows, texts=2)
    sections = (
        _account(plan.before, plan.after, "after the plan"),
        _drift(plan.drift_before, plan.drift_after, "planned"),
        _allocation(plan.drift_before, plan.drift_after, "planned"),
        Section("Orders of the plan", () if rows else ("None.",), table=orders if rows else None),
        _warnings((*plan.notes, plan.outside_limits, *_skipped(plan))),
    )
    return Page(f"Plan for account {plan.account_id}", lead, _shown(sections), is_simulated)


@exact_arithmetic()
def history_page(history: History) -> Page:
    """Runs over time: per account net liq, drift and cost, then every run and the totals."""
    sections: list[Section | None] = []
    by_account = sorted(history.runs, key=lambda one: one.account_id)
    for account_id, found in groupby(by_account, key=lambda one: one.account_id):
        sections += _over_time(account_id, tuple(found))
    named = [*history.months, *history.accounts, *([history.total] if history.total else [])]
    if named:
        columns = ("", "runs", "orders", "bought", "sold", "commissions", "slippage")
        sections.append(Section("Totals", table=table(columns, [_total(one) for one in named])))
    sections.append(_warnings(history.unread))
    lead = (f"{counted(len(history.runs), 'run')}, from this computer's journals.",)
    return Page("History", lead, _shown(sections), history.sought.is_simulated)


def _shown(sections: Iterable[Section | None]) -> tuple[Section, ...]:
    return tuple(one for one in sections if one is not None)


def _account(before: Valuation, after: Valuation | None, later: str) -> Section:
    def row(name: str, first: str, second: str) -> tuple[str, str, str]:
        return name, first, second if after is not None else _UNKNOWN

    then = after or before
    rows = (
        row("Net liq", dollars(before.net_liq_usd), dollars(then.net_liq_usd)),
        row("Cash", dollars(before.cash_usd), dollars(then.cash_usd)),
        row(
            "Gross exposure",
            dollars(before.gross_exposure_usd),
            dollars(then.gross_exposure_usd),
        ),
        row("Leverage", f"{before.leverage:.4f}", f"{then.leverage:.4f}"),
    )
    lines = () if after is not None else ("The account afterwards is not on record.",)
    return Section("Account", lines, table=table(("", "before", later), rows))


def _drift(before: DriftTable, after: DriftTable | None, later: str) -> Section:
    ends = {} if after is None else {row.symbol: row for row in after.rows}
    rows = sorted(before.rows, key=lambda row: (-abs(row.drift_weight), row.symbol))
    new = [ends[symbol] for symbol in sorted(ends.keys() - {row.symbol for row in rows})]
    drawn: list[tuple[str, tuple[Decimal | None, ...]]] = [
        (row.symbol, (row.drift_weight, ends[row.symbol].drift_weight if ends else None))
        for row in rows
    ]
    drawn += [(row.symbol, (None, row.drift_weight)) for row in new]
    told = [
        (
            row.symbol,
            percent(row.target_weight),
            percent(row.current_weight),
            percent(row.drift_weight, "+"),
            percent(ends[row.symbol].current_weight) if ends else _UNKNOWN,
            percent(ends[row.symbol].drift_weight, "+") if ends else _UNKNOWN,
        )
        for row in rows
    ]
    told += [
        (
            *(row.symbol, "0.00%", _UNKNOWN, _UNKNOWN),
            *(percent(row.current_weight), percent(row.drift_weight, "+")),
        )
        for row in new
    ]
    total = sum((abs(row.drift_weight) for row in before.rows), ZERO)
    left = None if after is None else sum((abs(row.drift_weight) for row in after.rows), ZERO)
    line = f"All lines added up: {percent(total)} of net liq before, {percent(left)} {later}."
    columns = ("symbol", "target", "held", "drift", f"held {later}", f"drift {later}")
    chart = bar_chart("Drift per symbol", ("before", later), drawn)
    return Section("Drift", (line,), chart, table(columns, told))


def _allocation(before: DriftTable, after: DriftTable | None, later: str) -> Section:
    rows = before.rows if after is None else after.rows
    drawn = [
        (row.symbol, (row.target_weight, row.current_weight))
        for row in sorted(rows, key=lambda row: (-row.target_weight, row.symbol))
    ]
    held = "held" if after is None else f"held {later}"
    chart = bar_chart("Allocation, in weights of net liq", ("target", held), drawn)
    return Section("Allocation", ("The figures stand in the table above.",), chart)


def _orders(tickets: Sequence[PastTicket]) -> Section:
    columns = (
        *("symbol", "side", "status", "planned", "filled"),
        *("average price", "value", "commission", "slippage"),
    )
    rows = [
        (
            one.symbol,
            one.side,
            one.status,
            shares_text(one.planned_shares),
            shares_text(one.filled_shares),
            "-" if one.average_price_usd is None else price_text(one.average_price_usd),
            dollars(one.value_usd),
            _commission(one.commission_usd, one.commissions_open),
            _usd(one.slippage_usd),
        )
        for one in tickets
    ]
    if not rows:
        return Section("Orders", ("None.",))
    return Section("Orders", table=table(columns, rows, texts=3))


def _costs(amounts: Amounts) -> Section:
    bps = amounts.slippage_bps
    rows = (
        ("Bought", dollars(amounts.bought_usd)),
        ("Sold", dollars(amounts.sold_usd)),
        ("Commissions", _commission(amounts.commission_usd, amounts.commissions_open)),
        ("Slippage", _usd(amounts.slippage_usd) + ("" if bps is None else f" ({bps:.1f} bps)")),
    )
    lines = ("Slippage: average fill against the quote when sent; above 0 it cost money.",)
    return Section("What it cost", lines, table=table(("", "USD"), rows))


def _conservation(
    before: Valuation, after: Valuation | None, fills: Sequence[Fill]
) -> Section | None:
    """Shares and cash before, plus what was executed, against the account afterwards."""
    if after is None or not fills:
        return None
    moved: dict[str, Decimal] = {}
    for fill in fills:
        signed = fill.side.signed(fill.qty_shares)
        moved[fill.symbol] = moved.get(fill.symbol, ZERO) + signed
    cash_usd = cash_effect(fills) + charged_elsewhere(fills)
    rows = []
    for symbol in sorted(moved):
        first = before.holdings[symbol].qty_shares if symbol in before.holdings else ZERO
        last = after.holdings[symbol].qty_shares if symbol in after.holdings else ZERO
        expected = first + moved[symbol]
        figures = (first, moved[symbol], expected, last, last - expected)
        rows.append((symbol, *(shares_text(one) for one in figures)))
    expected = before.cash_usd + cash_usd
    money = (before.cash_usd, cash_usd, expected, after.cash_usd, after.cash_usd - expected)
    rows.append(("USD cash", *(dollars(one) for one in money)))
    columns = ("", "before", "executed", "expected", "in the account", "difference")
    lines = ("Shares and cash before, plus what was executed, against the account afterwards.",)
    return Section("Does it add up?", lines, table=table(columns, rows))


def _warnings(texts: Iterable[str]) -> Section | None:
    lines = tuple(dict.fromkeys(text for text in texts if text))
    return Section("To know", lines, is_warning=True) if lines else None


def _skipped(plan: TradePlan) -> list[str]:
    return [f"{one.symbol} is not traded: {one.reason}" for one in plan.skipped]


def _over_time(account_id: str, runs: Sequence[PastRun]) -> list[Section]:
    """The three charts of an account, and the table of its runs."""
    worth: list[tuple[str, Decimal, str]] = []
    drift, cost, spent_usd = list(worth), list(worth), ZERO
    for run in runs:
        day = _day(run.started_utc)
        spent_usd += run.amounts.commission_usd
        worth.append((day, run.net_liq_usd, dollars(run.net_liq_usd)))
        drift.append((day, run.drift_before, percent(run.drift_before)))
        cost.append((day, spent_usd, dollars(spent_usd)))
    name = f"Account {account_id}"
    columns = (
        *("run", "ended", "net liq", "drift before", "after"),
        *("orders", "bought", "sold", "commissions", "slippage"),
    )
    rows = [
        (
            run.run_id,
            run.state if run.exit_code is None else f"{run.state}, {run.exit_code}",
            dollars(run.net_liq_usd),
            percent(run.drift_before),
            percent(run.drift_after),
            str(run.orders),
            *_amounts(run.amounts),
        )
        for run in runs
    ]
    return [
        Section(f"{name}: net liq at the start of each run", chart=line_chart("Net liq", worth)),
        Section(f"{name}: drift before each run", chart=line_chart("Drift", drift)),
        Section(f"{name}: commissions, added up", chart=line_chart("Commissions", cost)),
        Section(f"{name}: its runs", table=table(columns, rows, texts=2)),
    ]


def _total(total: PastTotal) -> tuple[str, ...]:
    return (total.name, str(total.runs), str(total.orders), *_amounts(total.amounts))


def _amounts(amounts: Amounts) -> tuple[str, ...]:
    return (
        dollars(amounts.bought_usd),
        dollars(amounts.sold_usd),
        _commission(amounts.commission_usd, amounts.commissions_open),
        _usd(amounts.slippage_usd),
    )


def _commission(usd: Decimal, still_open: int) -> str:
    if not still_open:
        return dollars(usd)
    return f"{dollars(usd)} + ?" if usd else _UNKNOWN


def _usd(amount: Decimal | None) -> str:
    return _UNKNOWN if amount is None else dollars(amount)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d}"
