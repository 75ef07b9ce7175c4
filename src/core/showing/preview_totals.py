"""What a plan adds up to: orders, the account before and after, and what stays off target and why.

Source: SRS R-401 and R-410.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from src.base.money import dollars, weight_to_percent
from src.base.settings import RebalanceSettings
from src.core.drift import rank_by_drift
from src.core.gains import estimated_gains
from src.core.records.account import AccountSnapshot
from src.core.records.orders import Side
from src.core.records.plan import OrderTicket, SkipCode, TradePlan, Valuation
from src.core.records.portfolios import CASH
from src.core.showing.preview_table import drift_sum, wrapped


def totals(
    plan: TradePlan, snapshot: AccountSnapshot, rules: RebalanceSettings | None
) -> list[str]:
    """Counts and sums of the orders, the account before and after, and what stays off target."""
    return [
        *(_orders(plan) if plan.tickets else _no_orders(plan, rules)),
        *_gains(plan, snapshot),
        "",
        f"{'':16}{'before':>21}{'after':>21}",
        _before_after("Net liq", plan, lambda one: dollars(one.net_liq_usd)),
        _before_after("Cash", plan, lambda one: dollars(one.cash_usd)),
        _before_after("Gross exposure", plan, lambda one: dollars(one.gross_exposure_usd)),
        _before_after("Leverage", plan, lambda one: f"{one.leverage:.4f}"),
        *_remaining(plan),
    ]


def _orders(plan: TradePlan) -> list[str]:
    sells, buys = _side(plan, Side.SELL), _side(plan, Side.BUY)
    count = f"{len(plan.tickets)} order{'s' if len(plan.tickets) > 1 else ''}"
    return [
        f"{count}: {len(sells)} to sell, {len(buys)} to buy",
        f"{'Gross sells':16}{_gross(sells):>21}",
        f"{'Gross buys':16}{_gross(buys):>21}",
    ]


def _no_orders(plan: TradePlan, rules: RebalanceSettings | None) -> list[str]:
    """That there is nothing to trade, and how far the largest drift is from its band."""
    text = "Nothing to trade."
    if rules is not None:
        largest = rank_by_drift(plan.drift_before.rows)[0]
        text += f" The largest drift is {largest.symbol} {_percent(largest.drift_weight, '+')}%"
        if rules.trigger_mode == "total_drift":
            assets = [row for row in plan.drift_before.rows if row.symbol != CASH]
            band = _percent(rules.portfolio_total_band_weight)
            text += f"; without CASH all add up to {_percent(drift_sum(assets)[0])}%, the band for"
            text += f" that is {band}%."
        else:
            text += f", the band of each is {_percent(rules.per_holding_band_weight)}%."
    return wrapped(text, "")


def _gains(plan: TradePlan, snapshot: AccountSnapshot) -> list[str]:
    gains = estimated_gains(plan, snapshot)
    known = [gain for gain in gains.values() if gain is not None]
    unknown = ", ".join(symbol for symbol, gain in gains.items() if gain is None)
    parts = [dollars(sum(known, Decimal(0)))] if known else []
    parts += [f"unknown for {unknown}"] if unknown else []
    text = f"Estimated gain of the sells, by average cost: {', '.join(parts)}"
    return wrapped(text, "") if parts else []


def _side(plan: TradePlan, side: Side) -> list[OrderTicket]:
    return [ticket for ticket in plan.tickets if ticket.side is side]


def _gross(tickets: Iterable[OrderTicket]) -> str:
    return dollars(sum((ticket.est_value_usd for ticket in tickets), Decimal(0)))


def _before_after(name: str, plan: TradePlan, show: Callable[[Valuation], str]) -> str:
    return f"{name:16}{show(plan.before):>21}{show(plan.after):>21}"


def _remaining(plan: TradePlan) -> list[str]:
    was, was_usd = drift_sum(plan.drift_before.rows)
    left, left_usd = drift_sum(plan.drift_after.rows)
    text = (
        f"Remaining drift, all lines added up: {_percent(left)}% of net liq, "
        f"{dollars(left_usd)} (now {_percent(was)}%, {dollars(was_usd)})"
    )
    parts = [f"{name} {dollars(usd)}" for name, usd in _causes(plan) if usd]
    return [*wrapped(text, ""), *(wrapped(f"of it: {', '.join(parts)}", "") if parts else [])]


def _causes(plan: TradePlan) -> Iterator[tuple[str, Decimal]]:
    """What is left off target, by why; the parts add up to the whole."""
    traded = {one.symbol for one in plan.tickets}
    other = {one.symbol for one in plan.skipped if one.code is not SkipCode.MINIMUM}
    rows = [row for row in plan.drift_after.rows if row.symbol != CASH]
    quiet = [row for row in rows if row.symbol not in traded | other]
    yield "bands and minimum leave", drift_sum(quiet)[1]
    yield "rounding leaves", drift_sum([row for row in rows if row.symbol in traded])[1]
    barred = [row for row in rows if row.symbol in other - traded]
    yield "other reasons (Not traded) leave", drift_sum(barred)[1]
    yield "in CASH", drift_sum([row for row in plan.drift_after.rows if row.symbol == CASH])[1]


def _percent(weight: Decimal, sign: str = "") -> str:
    return f"{weight_to_percent(weight):{sign}.2f}"
