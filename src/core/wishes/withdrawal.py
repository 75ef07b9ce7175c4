"""The plan that frees money to take out, and what became of it after the run.

Source: SRS R-317 and R-318.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from src.base.errors import PlanError, Refused
from src.base.money import ZERO, dollars, exact_arithmetic, share_step
from src.base.settings import RebalanceSettings
from src.core.cash_effects import cash_effect
from src.core.drift import redraw_drift
from src.core.plan_hash import hash_plan
from src.core.records.orders import Fill, Side
from src.core.records.plan import OrderTicket, Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import Wishes
from src.core.targets import hold_buffer
from src.core.valuation import trade_on_paper
from src.core.wishes.targets import left_alone, wished_drift
from src.core.wishes.withdrawing import choose_sells, most_usd, sell_choices, set_aside

_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """The account, the mix and the rules that a withdrawal is planned from."""

    account: Valuation
    mix: Targets
    rules: RebalanceSettings

    def stays_usd(self, usd: Decimal) -> Decimal:
        """Cash that stays when so much is taken: the CASH target of the rest, or today's debt.

        Raises: PlanError where the buffer leaves no such account.
        """
        rest = set_aside(self.account, usd)
        target_usd = hold_buffer(self.mix, rest, self.rules).weights[CASH] * rest.net_liq_usd
        return max(target_usd, min(ZERO, self.account.cash_usd))


@exact_arithmetic()
def plan_withdrawal(
    account: Valuation,
    mix: Targets,
    rules: RebalanceSettings,
    wishes: Wishes,
    halted: frozenset[Symbol] = frozenset(),
) -> TradePlan:
    """Sells only, until the amount is free.

    Raises: Refused with the most that is possible where it is out of reach.
    """
    usd = wishes.withdraw_usd or ZERO
    purse = Purse(account=account, mix=mix, rules=rules)
    named = {symbol for symbol in account.holdings if symbol not in wishes.only}
    barred = halted | frozenset(wishes.skip) | (frozenset(named) if wishes.only else frozenset())
    _check_reach(purse, usd, barred)
    rest = set_aside(account, usd)
    held = hold_buffer(mix, rest, rules)
    drift = wished_drift(rest, held, wishes)
    choices = sell_choices(account, drift, rules, barred)
    floor_usd = usd + purse.stays_usd(usd)
    needed_usd = floor_usd - account.cash_usd
    units = choose_sells(choices, needed_usd) if needed_usd > ZERO else {}
    step = share_step(allow_fractional=rules.allow_fractional)
    tickets = tuple(
        _ticket(account, one.symbol, units[one.symbol] * step)
        for one in choices
        if one.symbol in units
    )
    trades = {one.symbol: -one.qty_shares for one in tickets}
    after = trade_on_paper(account, trades)
    return TradePlan(
        account_id=account.account_id,
        tickets=tickets,
        skipped=left_alone(rest, held, rules, wishes),
        before=account,
        after=after,
        drift_before=drift,
        drift_after=redraw_drift(drift, set_aside(after, usd), trades),
        cash_floor_usd=floor_usd,
        notes=(_note(account, tickets, usd, floor_usd),),
        wishes=wishes,
        plan_hash=hash_plan(account, tickets, floor_usd, wishes),
    )


def freed_usd(plan: TradePlan, fills: Iterable[Fill]) -> Decimal:
    """What of the wished amount is free by the run's executions; 0 for a plan of another kind."""
    usd = plan.wishes.withdraw_usd or ZERO
    stays_usd = plan.cash_floor_usd - usd
    with exact_arithmetic():
        free_usd = plan.before.cash_usd + cash_effect(fills) - stays_usd
        return max(ZERO, min(usd, free_usd))


def missing_text(plan: TradePlan, fills: Iterable[Fill]) -> tuple[str, ...]:
    """The sum that is missing after the run; nothing where all is free, or none was asked for."""
    usd = plan.wishes.withdraw_usd or ZERO
    free_usd = freed_usd(plan, fills)
    if free_usd >= usd:
        return ()
    missing = dollars(usd - free_usd)
    return (f"{dollars(free_usd)} of {dollars(usd)} is free to take out, {missing} is missing",)


def freed_text(plan: TradePlan, fills: Iterable[Fill], settles_on: str = "") -> tuple[str, ...]:
    """The proven sum and when it is usable, for the last line; nothing for another kind of plan.

    ``settles_on`` is the day when the sells settle, in words; empty where it is not known.
    """
    if plan.wishes.withdraw_usd is None:
        return ()
    free = dollars(freed_usd(plan, fills))
    day = settles_on or "the next trading day"
    return (f"{free} is free to take out once the sells have settled, on {day}.",)


def _check_reach(purse: Purse, usd: Decimal, barred: frozenset[Symbol]) -> None:
    if _is_possible(purse, usd, barred):
        return
    low, high = ZERO, max(ZERO, min(usd, purse.account.net_liq_usd))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _is_possible(purse, middle, barred) else (low, middle)
    most = low.to_integral_value(rounding=ROUND_FLOOR)
    most += _is_possible(purse, most + 1, barred)
    raise Refused(
        f"--withdraw {dollars(usd)} is out of reach: at most {dollars(most)} can be freed, after "
        "the CASH target of the rest, commissions and 0.5% for falling prices"
    )


def _is_possible(purse: Purse, usd: Decimal, barred: frozenset[Symbol]) -> bool:
    account, rules = purse.account, purse.rules
    if usd >= account.net_liq_usd:
        return False
    try:
        needed_usd = usd + purse.stays_usd(usd) - account.cash_usd
    except PlanError:  # the buffer is more than the rest
        return False
    rest = set_aside(account, usd)
    drift = wished_drift(rest, hold_buffer(purse.mix, rest, rules), Wishes())
    return needed_usd <= most_usd(sell_choices(account, drift, rules, barred))


def _note(
    account: Valuation, tickets: tuple[OrderTicket, ...], usd: Decimal, floor_usd: Decimal
) -> str:
    stays = f"{dollars(floor_usd - usd)} of cash stays"
    if not tickets:
        free = dollars(account.cash_usd - (floor_usd - usd))
        return f"nothing to sell: {free} is free, {dollars(usd)} can be taken out"
    return f"weights are of the account without {dollars(usd)}; {stays}"


def _ticket(account: Valuation, symbol: Symbol, qty: Decimal) -> OrderTicket:
    holding = account.holdings[symbol]
    return OrderTicket(
        con_id=holding.con_id,
        symbol=symbol,
        side=Side.SELL,
        qty_shares=qty,
        est_price_usd=holding.price_usd,
        est_value_usd=qty * holding.price_usd,
    )
