"""Selected drift → a trade plan that respects cash, leverage, whole shares and the minimum order.

Invariants: cash after ≥ min(F, cash after the sells with no buys), where F holds the cash buffer
and, as holdings are long only, the leverage cap; no sell exceeds the holding; every ticket is at
least the minimum order and lowers its own |drift|; a target of 0 closes the position; planning
again after perfect fills at the same prices gives no ticket.

Source: SRS R-305 to R-307.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from src.base.money import ZERO, exact_arithmetic, share_step
from src.base.settings import RebalanceSettings
from src.core.drift import (
    FREE,
    Leeway,
    Selection,
    keep_in_bounds,
    rank_by_drift,
    redraw_drift,
    select_trades,
)
from src.core.limits import outside_limits
from src.core.plan_hash import hash_plan
from src.core.records.orders import Side
from src.core.records.plan import DriftRow, DriftTable, OrderTicket, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.rounding.best_plan import best_units
from src.core.rounding.lots import CashFrame, Lots
from src.core.skipping import Sized, plan_notes, skipped_trades
from src.core.spending import spend_rest
from src.core.targets import cash_floor
from src.core.valuation import trade_on_paper

Trades = Mapping[Symbol, Decimal]
"""Signed quantities: bought above zero, sold below; symbols that do not trade are absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What stays the same while one plan is made; ``barred`` symbols sit out the current try."""

    rules: RebalanceSettings
    cash_target_weight: Decimal
    floor_usd: Decimal
    leeway: Leeway
    halted: frozenset[Symbol]
    barred: frozenset[Symbol]


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """An account on paper: what it holds, and its drift."""

    account: Valuation
    drift: DriftTable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Signed quantities, the rows and lots that were considered, and what the trades lead to.

    ``selected`` is what the trigger says of the account after them.
    """

    trades: Trades
    wanted: tuple[DriftRow, ...]
    lots: Lots
    after: _State
    selected: Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class _Helpers:
    """Others may join ``beside`` the rows considered; ``so_far`` counts those that did."""

    beside: tuple[DriftRow, ...]
    so_far: int


@exact_arithmetic()
def size_orders(
    selection: Selection,
    account: Valuation,
    rebalance: RebalanceSettings,
    halted: frozenset[Symbol] = frozenset(),
    leeway: Leeway = FREE,
) -> TradePlan:
    """Choose quantities for the selected symbols and show what they lead to.

    ``selection`` was made from the drift against the targets *after* the cash buffer. ``halted``
    symbols get no ticket. ``leeway`` is what the run's wishes leave to the plan.
    """
    cash_target = next(row.target_weight for row in selection.drift.rows if row.symbol == CASH)
    floor = leeway.floor_usd
    if floor is None:
        floor = cash_floor(cash_target, account.net_liq_usd, rebalance)
    desk = _Desk(
        rules=rebalance,
        cash_target_weight=cash_target,
        floor_usd=floor,
        leeway=leeway,
        halted=halted,
        barred=halted,
    )
    outcome = _settle(desk, _State(account=account, drift=selection.drift), selection)
    tickets = _tickets(account, outcome.trades, selection.drift)
    sized = Sized(
        wanted=outcome.wanted,
        trades=outcome.trades,
        before=account,
        after=outcome.after.account,
        drift_after=outcome.after.drift,
        lots=outcome.lots,
        floor_usd=floor,
        cash_target_weight=cash_target,
        halted=halted,
        wishes=leeway.wishes,
    )
    considered = {row.symbol for row in outcome.wanted}
    dropped = tuple(one for one in selection.skipped if one.symbol not in considered)
    return TradePlan(
        account_id=account.account_id,
        tickets=tickets,
        skipped=skipped_trades(sized, rebalance) + dropped,
        before=account,
        after=outcome.after.account,
        drift_before=selection.drift,
        drift_after=outcome.after.drift,
        cash_floor_usd=floor,
        outside_limits=outside_limits(sized, rebalance),
        notes=plan_notes(sized, rebalance),
        wishes=leeway.wishes,
        plan_hash=hash_plan(account, tickets, floor, leeway.wishes),
    )


def _settle(desk: _Desk, before: _State, selection: Selection) -> _Outcome:
    """Trades that leave nothing to do.

    What a further plan would add after perfect fills is merged into this one. Where the merged
    trade of a symbol is too small to place, that symbol sits out and the rest is planned anew.
    Every ticket lowers its own |drift|, so a further plan starts closer and this ends.
    """
    everyone = desk
    outcome = _size_until_none_joins(desk, before, selection)
    while outcome.trades:
        again = _size_until_none_joins(everyone, outcome.after, outcome.selected)
        if not again.trades:
            break
        merged = _merge(outcome.trades, again.trades)
        too_small = _below_minimum(desk, before.account, merged)
        if too_small:
            desk = replace(desk, barred=desk.barred | too_small)
            outcome = _size_until_none_joins(desk, before, selection)
        else:
            wanted = _with_joined(outcome.wanted, before, {row.symbol for row in again.wanted})
            outcome = replace(again, trades=merged, wanted=wanted, lots=outcome.lots)
    return outcome


def _size_until_none_joins(desk: _Desk, before: _State, selection: Selection) -> _Outcome:
    """Size, look at the result as the trigger would, and let what it newly selects join in."""
    wanted = selection.ranked
    lots = Lots(before.account, desk.rules, _reach_usd(desk, before.account))
    helpers = 0
    while True:
        trades = _size(desk, before.account, _affordable(desk, before.account, wanted), lots)
        after = _after(before, trades)
        result = select_trades(after.drift, desk.rules, desk.leeway)
        more = _with_joined(wanted, before, {row.symbol for row in result.ranked})
        if len(more) == len(wanted):
            helping = _still_needed(desk, after, lots, _Helpers(beside=wanted, so_far=helpers))
            more = _with_joined(wanted, before, helping)
            helpers += len(helping)
        if len(more) == len(wanted):
            return _Outcome(trades=trades, wanted=wanted, lots=lots, after=after, selected=result)
        wanted = more


def _reach_usd(desk: _Desk, account: Valuation) -> Decimal | None:
    """How much of new money a buy may take; None where no buy passes its target."""
    return account.cash_usd - desk.floor_usd if desk.leeway.wishes.invest else None


def _with_joined(
    wanted: tuple[DriftRow, ...], before: _State, symbols: Collection[Symbol]
) -> tuple[DriftRow, ...]:
    """``wanted`` and the named rows, ranked by their drift before any trade."""
    joining = frozenset(symbols) - {row.symbol for row in wanted}
    if not joining:
        return wanted
    joined = (row for row in before.drift.rows if row.symbol in joining)
    return tuple(rank_by_drift([*wanted, *joined]))


def _still_needed(desk: _Desk, after: _State, lots: Lots, asked: _Helpers) -> frozenset[Symbol]:
    """What should join because cash or leverage is out of bounds as it really is now.

    The trigger takes everything it selects to reach its target. What was considered is as near as
    whole shares, halts and the minimum let it, so others must take over what it leaves. Each time
    at least as many join as before, so that a thousand holdings are not asked one by one.
    """
    fixed = {row.symbol for row in asked.beside} | desk.barred
    fixed |= {row.symbol for row in after.drift.rows if desk.leeway.bars(row)}
    while True:
        joining = keep_in_bounds(after.drift, desk.rules, (), fixed, at_least=max(1, asked.so_far))
        choices = map(lots.choice, joining)
        stuck = {choice.symbol for choice in choices if choice.low > choice.high}
        if not stuck:
            return frozenset(row.symbol for row in joining)
        fixed |= stuck


def _affordable(desk: _Desk, account: Valuation, rows: Sequence[DriftRow]) -> list[DriftRow]:
    """All sells, and the buys that could be paid for if every sell sold everything it holds."""
    free = [row for row in rows if row.symbol not in desk.barred]
    holdings = account.holdings
    sells = [holdings[row.symbol].value_usd for row in free if row.drift_weight > ZERO]
    budget = account.cash_usd + sum(sells, ZERO) - desk.floor_usd
    dearest = budget / share_step(allow_fractional=desk.rules.allow_fractional)
    return [
        row for row in free if row.drift_weight > ZERO or holdings[row.symbol].price_usd <= dearest
    ]


def _size(desk: _Desk, account: Valuation, rows: Sequence[DriftRow], lots: Lots) -> Trades:
    """Quantities for the given rows (in rank order), all decided together."""
    choices = [choice for choice in map(lots.choice, rows) if choice.low <= choice.high]
    frame = CashFrame(
        net_liq_usd=account.net_liq_usd,
        cash_usd=account.cash_usd,
        target_usd=desk.cash_target_weight * account.net_liq_usd,
        floor_usd=desk.floor_usd,
    )
    rule = lots.cash_rule(frame)
    units = best_units(choices, rule)
    if desk.leeway.wishes.invest:
        units = spend_rest(choices, units, rule)
    return {
        choice.symbol: choice.sign * count * lots.step
        for choice, count in zip(choices, units, strict=True)
        if count
    }


def _after(before: _State, trades: Trades) -> _State:
    """The account and its drift once the trades have filled in full at the same prices."""
    account = trade_on_paper(before.account, trades)
    return _State(account=account, drift=redraw_drift(before.drift, account, trades))


def _merge(first: Trades, second: Trades) -> Trades:
    total = dict(first)
    for symbol, qty in second.items():
        total[symbol] = total.get(symbol, ZERO) + qty
    return {symbol: qty for symbol, qty in total.items() if qty}


def _below_minimum(desk: _Desk, account: Valuation, trades: Trades) -> frozenset[Symbol]:
    return frozenset(
        symbol
        for symbol, qty in trades.items()
        if abs(qty) * account.holdings[symbol].price_usd < desk.rules.min_order_usd
    )


def _tickets(account: Valuation, trades: Trades, drift: DriftTable) -> tuple[OrderTicket, ...]:
    """Sells, then buys, each in rank order."""
    ranked = rank_by_drift(row for row in drift.rows if row.symbol in trades)
    tickets = [_ticket(account, row.symbol, trades[row.symbol]) for row in ranked]
    return tuple(_of(Side.SELL, tickets)) + tuple(_of(Side.BUY, tickets))


def _of(side: Side, tickets: Iterable[OrderTicket]) -> Iterable[OrderTicket]:
    return (ticket for ticket in tickets if ticket.side is side)


def _ticket(account: Valuation, symbol: Symbol, qty: Decimal) -> OrderTicket:
    holding = account.holdings[symbol]
    return OrderTicket(
        con_id=holding.con_id,
        symbol=symbol,
        side=Side.BUY if qty > ZERO else Side.SELL,
        qty_shares=abs(qty),
        est_price_usd=holding.price_usd,
        est_value_usd=abs(qty) * holding.price_usd,
    )
