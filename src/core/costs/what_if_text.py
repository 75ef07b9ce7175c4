"""What a plan will cost, as lines for a person and as an object for a program.

Source: SRS R-421.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from src.base.json_values import Json, json_number
from src.base.money import ZERO, dollars, exact_arithmetic
from src.base.text import counted
from src.core.costs.what_if import Margins, PlanCosts, TicketCost
from src.core.records.plan import TradePlan
from src.core.records.portfolios import Symbol
from src.core.showing.preview_table import wrapped

_TITLE: Final = "What it will cost, as the broker says now (--what-if):"
_UNKNOWN: Final = "unknown"


@exact_arithmetic()
def cost_lines(costs: PlanCosts, plan: TradePlan) -> tuple[str, ...]:
    """At most 80 columns; margins stand beside the planned leverage where the plan borrows."""
    if costs.problem:
        return (_TITLE, *wrapped(f"{_UNKNOWN}: {costs.problem}", "- "))
    if not costs.tickets:
        return ()
    return (
        _TITLE,
        *wrapped(_commission_text(costs), "- "),
        f"{'':20}{'now':>17}{'after':>21}",
        *(f"{name:20}{_usd(one):>17}{_usd(two):>21}" for name, one, two in _rows(costs)),
        *_leverage_line(plan),
        *wrapped(_how_added(costs), "- "),
        *(line for one in costs.tickets for text in _remarks(one) for line in wrapped(text, "- ")),
    )


@exact_arithmetic()
def costs_as_json(costs: PlanCosts | None) -> Json:
    """Null without the flag; figures that are not known are null."""
    if costs is None:
        return None
    usd = costs.commissions().get("USD")
    return {
        "problem": costs.problem,
        "commission_from_usd": _number(usd and usd[0]),
        "commission_to_usd": _number(usd and usd[1]),
        "commission_unknown": list(costs.without_commission()),
        "before": _margins(costs.before),
        "after": _margins(costs.after),
        "tickets": [_ticket(one) for one in costs.tickets],
    }


def _rows(costs: PlanCosts) -> Iterator[tuple[str, Decimal | None, Decimal | None]]:
    before, after = costs.before, costs.after
    yield "Initial margin", before.initial, after.initial
    yield "Maintenance margin", before.maintenance, after.maintenance
    yield "Excess liquidity", before.excess, after.excess


def _leverage_line(plan: TradePlan) -> Iterator[str]:
    if plan.before.cash_usd < ZERO or plan.after.cash_usd < ZERO:
        before, after = plan.before.leverage, plan.after.leverage
        yield f"{'Leverage, planned':20}{before:>17.4f}{after:>21.4f}"


def _commission_text(costs: PlanCosts) -> str:
    sums = costs.commissions()
    parts = [_range(currency, *amounts) for currency, amounts in sorted(sums.items())]
    known = len(costs.tickets) - len(costs.without_commission())
    text = f"commissions {' and '.join(parts)} for {counted(known, 'order')}" if parts else ""
    missing = _listed(costs.without_commission())
    if not missing:
        return text
    return f"{text}; {_UNKNOWN} for {missing}" if text else f"commissions {_UNKNOWN}: {missing}"


def _range(currency: str, least: Decimal, most: Decimal) -> str:
    if currency != "USD":
        return (
            f"{currency} {least:,.2f} to {most:,.2f}" if least < most else f"{currency} {most:,.2f}"
        )
    return f"{dollars(least)} to {dollars(most)}" if least < most else dollars(most)


def _how_added(costs: PlanCosts) -> str:
    missing = [one.symbol for one in costs.tickets if one.figures.change == Margins()]
    if missing:
        return f"margins after are {_UNKNOWN}: no figures for {_listed(missing)}"
    if costs.usd_per_base is None:
        return f"margins are {_UNKNOWN} in USD: the broker tells no rate for the base currency"
    return "after: now and the changes of the single orders, added up"


def _remarks(one: TicketCost) -> Iterator[str]:
    if one.refusal:
        yield f"{one.symbol}: refused ({one.refusal})"
    if one.unknown:
        yield f"{one.symbol}: {_UNKNOWN} ({one.unknown})"
    yield from (f"{one.symbol}: {text}" for text in one.warnings)


def _listed(symbols: Iterable[Symbol]) -> str:
    return ", ".join(symbols)


def _usd(amount_usd: Decimal | None) -> str:
    return _UNKNOWN if amount_usd is None else dollars(amount_usd)


def _ticket(one: TicketCost) -> dict[str, Json]:
    least, most = one.figures.commissions or (None, None)
    return {
        "symbol": one.symbol,
        "side": one.side.value,
        "commission_from": _number(least),
        "commission_to": _number(most),
        "commission_currency": one.figures.currency or None,
        "refusal": one.refusal or None,
        "unknown": one.unknown or None,
        "warnings": list(one.warnings),
    }


def _margins(margins: Margins) -> dict[str, Json]:
    return {
        "initial_margin_usd": _number(margins.initial),
        "maintenance_margin_usd": _number(margins.maintenance),
        "excess_liquidity_usd": _number(margins.excess),
    }


def _number(value: Decimal | None) -> Json:
    return None if value is None else json_number(value)
