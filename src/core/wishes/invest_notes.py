"""What a plan that invests new money has to say: nothing fits, or less than was asked for.

Source: SRS R-315.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from src.base.money import ZERO, dollars
from src.base.settings import RebalanceSettings
from src.core.records.plan import DriftRow, TradePlan
from src.core.records.portfolios import CASH
from src.core.rounding.lots import Lots


def invest_notes(plan: TradePlan, rules: RebalanceSettings) -> tuple[str, ...]:
    """Sentences for the notes; none for a plan that does not invest."""
    if not plan.wishes.invest:
        return ()
    return (*_less_than_asked(plan), *_nothing_fits(plan, rules))


def borrowed_text(plan: TradePlan) -> str:
    """What new money adds to debt, for the place above the prompt; empty for none."""
    debt_usd = min(plan.before.cash_usd, ZERO) - min(plan.after.cash_usd, ZERO)
    if not plan.wishes.invest or debt_usd <= ZERO:
        return ""
    return f"{dollars(debt_usd)} of what is invested is borrowed on margin"


def _less_than_asked(plan: TradePlan) -> Iterator[str]:
    amount_usd = plan.wishes.invest_usd
    there_usd = plan.before.cash_usd - plan.cash_floor_usd
    if amount_usd is not None and there_usd < amount_usd:
        there = dollars(max(there_usd, ZERO))
        target = dollars(plan.cash_floor_usd)
        yield (
            f"{dollars(amount_usd)} was to be invested, but only {there} is above the CASH target "
            f"of {target}"
        )


def _nothing_fits(plan: TradePlan, rules: RebalanceSettings) -> Iterator[str]:
    """Why no order is made, and which amount would do."""
    if plan.tickets:
        return
    rows = [row for row in plan.drift_before.rows if row.symbol != CASH and row.drift_usd < ZERO]
    if not rows:
        yield "nothing to invest in: no holding is below its target"
        return
    there_usd = max(plan.before.cash_usd - plan.cash_floor_usd, ZERO)
    least_usd = min(_least_orders(plan, rules, rows))
    if there_usd < least_usd:
        missing = dollars(least_usd - there_usd)
        yield (
            f"nothing to invest: {dollars(there_usd)} can be spent, the least order costs "
            f"{dollars(least_usd)}; {_what_would_do(plan, least_usd, missing)}"
        )


def _what_would_do(plan: TradePlan, least_usd: Decimal, missing: str) -> str:
    idle_usd = next(row.drift_usd for row in plan.drift_before.rows if row.symbol == CASH)
    if plan.wishes.invest_usd is not None and idle_usd >= least_usd:
        return f"--invest {least_usd:.2f} would do"
    return f"{missing} more cash would do"


def _least_orders(
    plan: TradePlan, rules: RebalanceSettings, rows: list[DriftRow]
) -> Iterator[Decimal]:
    """What the smallest order of each symbol costs, the minimum order kept."""
    lots = Lots(plan.before, rules)
    for row in rows:
        yield lots.choice(row).low * lots.step * plan.before.holdings[row.symbol].price_usd
