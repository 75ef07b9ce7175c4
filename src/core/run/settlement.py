"""Do the account's own figures agree with what was executed? The last check of a run.

Positions must be positions before plus fills, share by share. Cash should be cash before plus
sales less purchases less commissions, within 5 USD or 0.05% of the traded value, whichever is
more. Exposure and leverage afterwards are computed from the quantities and the cash that the
broker shows, never from what ought to be there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from src.base.errors import PricingError, Refused
from src.base.money import ZERO, dollars, exact_arithmetic, shares_text
from src.core.cash_effects import cash_effect, cash_tolerance, charged_elsewhere
from src.core.drift import drift_row
from src.core.records.account import AccountSnapshot
from src.core.records.market import Price, PriceBook
from src.core.records.orders import Fill
from src.core.records.plan import DriftTable, OrderOutcome, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.valuation import value_account
from src.core.wishes.withdrawing import set_aside

NOT_READ: Final = "the account could not be read after the last order"
"""Orders were sent and nobody knows what they made of the account: the run is not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the account showed after the last order.

    ``differences`` are positions that do not agree (exit code 4), ``warnings`` plain sentences.
    ``after`` is None when the account could not be read or valued; ``was_read`` tells which.
    """

    after: Valuation | None = None
    drift_after: DriftTable | None = None
    differences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    was_read: bool = True


def all_fills(outcomes: Iterable[OrderOutcome]) -> tuple[Fill, ...]:
    """The executions of all tickets."""
    return tuple(fill for outcome in outcomes for fill in outcome.fills)


@exact_arithmetic()
def position_differences(
    before: AccountSnapshot, after: AccountSnapshot, fills: Iterable[Fill]
) -> tuple[str, ...]:
    """One sentence per managed position that is not what it was plus what was executed."""
    names = {one.con_id: one.symbol for one in (*after.positions, *before.positions)}
    expected = before.held_shares
    for fill in fills:
        signed = fill.side.signed(fill.qty_shares)
        expected[fill.con_id] = expected.get(fill.con_id, ZERO) + signed
        names.setdefault(fill.con_id, fill.symbol)
    shown = managed_as_before(before, after).held_shares
    texts = []
    for con_id in sorted({*expected, *shown}, key=lambda one: (names[one], one)):
        wanted, seen = expected.get(con_id, ZERO), shown.get(con_id, ZERO)
        if wanted != seen:
            texts.append(
                f"{names[con_id]}: the account shows {shares_text(seen)} shares, "
                f"{shares_text(wanted)} expected (before the run plus executions)"
            )
    return tuple(texts)


@exact_arithmetic()
def cash_difference(before: AccountSnapshot, after: AccountSnapshot, fills: Iterable[Fill]) -> str:
    """Both figures when USD cash is not what the executions explain; empty when it is."""
    fills = tuple(fills)
    expected = before.cash_usd + cash_effect(fills) + charged_elsewhere(fills)
    if abs(after.cash_usd - expected) <= cash_tolerance(fills):
        return ""
    return (
        f"USD cash is {dollars(after.cash_usd)}, executions and commissions explain "
        f"{dollars(expected)}: not updated yet, or something else moved it"
    )


def managed_as_before(before: AccountSnapshot, after: AccountSnapshot) -> AccountSnapshot:
    """The later snapshot without positions that this run leaves alone (unlisted ones kept)."""
    left_alone = {one.con_id for one in before.unmanaged}
    positions = tuple(one for one in after.positions if one.con_id not in left_alone)
    return replace(after, positions=positions)


def settle(
    plan: TradePlan,
    before: AccountSnapshot,
    after: AccountSnapshot,
    outcomes: Iterable[OrderOutcome],
) -> Settlement:
    """Hold the account after the run against the account before it and what was executed."""
    fills = all_fills(outcomes)
    managed = managed_as_before(before, after)
    warnings = [cash_difference(before, after, fills)]
    valued: Valuation | None = None
    try:
        valued = _value_after(plan, managed, fills)
    except Refused as error:
        warnings.append(f"the account afterwards cannot be valued: {error}")
    return Settlement(
        after=valued,
        drift_after=None if valued is None else drift_after(plan, valued),
        differences=position_differences(before, after, fills),
        warnings=tuple(text for text in warnings if text),
    )


@exact_arithmetic()
def drift_after(plan: TradePlan, after: Valuation) -> DriftTable:
    """The account's distance from the plan's targets; same rows as before, and what is new.

    Money that was freed to take out is set aside, as it was in the plan.
    """
    freed_usd = plan.wishes.withdraw_usd
    if freed_usd is not None and freed_usd < after.net_liq_usd:
        after = set_aside(after, freed_usd)
    targets = {row.symbol: row.target_weight for row in plan.drift_before.rows}
    rows = []
    for symbol in sorted({*targets, *after.holdings, CASH}):
        holding = after.holdings.get(symbol)
        value = after.cash_usd if symbol == CASH else holding.value_usd if holding else ZERO
        rows.append(drift_row(symbol, targets.get(symbol, ZERO), value, after.net_liq_usd))
    return DriftTable(rows=tuple(rows))


def _value_after(plan: TradePlan, after: AccountSnapshot, fills: Iterable[Fill]) -> Valuation:
    con_ids = {ticket.symbol: ticket.con_id for ticket in plan.tickets}
    prices = _prices_after(plan, after, fills)
    missing = [one.symbol for one in after.positions if one.symbol not in prices.prices]
    if missing:
        raise PricingError(f"no price for {', '.join(missing)}")
    return value_account(after, prices, con_ids)


def _prices_after(plan: TradePlan, after: AccountSnapshot, fills: Iterable[Fill]) -> PriceBook:
    """The account's own market prices; else the last execution's, else the planned ones."""
    planned = {symbol: one.price_usd for symbol, one in plan.before.holdings.items()}
    names = {ticket.con_id: ticket.symbol for ticket in plan.tickets}
    executed = {names.get(fill.con_id, fill.symbol): fill.price_usd for fill in fills}
    market = {one.symbol: one.market_price_usd for one in after.positions if one.market_price_usd}
    return PriceBook(
        prices={
            symbol: _price(symbol, usd) for symbol, usd in (planned | executed | market).items()
        }
    )


def _price(symbol: Symbol, price_usd: Decimal) -> Price:
    return Price(symbol=symbol, price_usd=price_usd, source="account", is_preferred=True)
