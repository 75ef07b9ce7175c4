"""The wishes of one run as what a plan works with: changed targets, a floor, and who may sell.

The planning line takes them as data. A wish never makes a plan that the plain rules forbid: the
leverage cap, the reserve and the minimum order hold with all of them.

Source: SRS R-312 to R-314.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from src.base.errors import InputError
from src.base.json_values import Json, json_number
from src.base.money import ZERO, dollars, exact_arithmetic, without_noise
from src.base.settings import RebalanceSettings
from src.base.text import did_you_mean, printable
from src.core.drift import Leeway, measure_drift, select_trades
from src.core.records.account import AccountSnapshot
from src.core.records.plan import DriftTable, SkippedTrade, Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import NO_WISHES, Wishes
from src.core.sizing import size_orders
from src.core.targets import cash_floor, hold_buffer
from src.core.wishes.invest_notes import invest_notes
from src.core.wishes.targets import left_alone, wished_targets
from src.core.wishes.withdrawal import plan_withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the wishes come to for one account.

    ``left_alone`` are the symbols that get no ticket because of them, ``notes`` what else they do.
    """

    targets: Targets
    drift: DriftTable
    leeway: Leeway
    left_alone: tuple[SkippedTrade, ...] = ()
    notes: tuple[str, ...] = ()


@exact_arithmetic()
def plan_with_wishes(
    account: Valuation,
    mix: Targets,
    rules: RebalanceSettings,
    wishes: Wishes = NO_WISHES,
    halted: frozenset[Symbol] = frozenset(),
) -> TradePlan:
    """From a valued account and the mixed targets to a plan that follows the wishes.

    Raises: PlanError, and Refused for an amount to take out that is out of reach.
    """
    if wishes.withdraw_usd is not None:
        return plan_withdrawal(account, mix, rules, wishes, halted)
    held = hold_buffer(mix, account, rules)
    brief = make_brief(account, held, rules, wishes)
    selection = select_trades(brief.drift, rules, brief.leeway)
    plan = size_orders(selection, account, rules, halted, brief.leeway)
    notes = (*plan.notes, *brief.notes, *invest_notes(plan, rules))
    return replace(plan, skipped=plan.skipped + brief.left_alone, notes=notes)


def make_brief(
    account: Valuation, held: Targets, rules: RebalanceSettings, wishes: Wishes
) -> Brief:
    """Turn wishes into targets and leeway; ``held`` are the targets after the cash buffer.

    Raises: PlanError as measuring drift does.
    """
    targets, note = wished_targets(account, held, wishes)
    drift = measure_drift(account, targets)
    return Brief(
        targets=targets,
        drift=drift,
        leeway=Leeway(wishes=wishes, floor_usd=_floor_usd(account, held, rules, wishes)),
        left_alone=left_alone(account, held, rules, wishes),
        notes=(note,) if note else (),
    )


def wishable(snapshot: AccountSnapshot, targets: Targets) -> frozenset[Symbol]:
    """What a wish may name: all that is held or targeted."""
    known = {symbol for symbol, weight in targets.weights.items() if weight}
    known |= {one.symbol for one in snapshot.positions}
    return frozenset(known | {one.symbol for one in snapshot.unmanaged})


def wishes_here(wishes: Wishes, known: Collection[Symbol]) -> Wishes:
    """The wishes for an account that knows no more than these; ``--only`` what is not, is kept."""
    only = tuple(symbol for symbol in wishes.only if symbol in known)
    skip = tuple(symbol for symbol in wishes.skip if symbol in known)
    return replace(wishes, skip=skip, only=only or wishes.only)


def check_wish_names(wishes: Wishes, accounts: Iterable[Collection[Symbol]]) -> None:
    """Every named symbol is held or targeted in one of the accounts, of which each knows these.

    Raises: InputError naming all that are not.
    """
    known = {symbol for one in accounts for symbol in one}
    named = [("--skip", one) for one in wishes.skip] + [("--only", one) for one in wishes.only]
    strangers = [(flag, symbol) for flag, symbol in named if symbol not in known]
    if strangers:
        raise InputError("; ".join(_stranger(flag, symbol, known) for flag, symbol in strangers))


def wish_lines(wishes: Wishes) -> tuple[str, ...]:
    """One sentence per wish, for the preview's head and the run's records."""
    lines = (
        f"wish: {', '.join(wishes.skip)} left alone (--skip)" if wishes.skip else "",
        f"wish: only {', '.join(wishes.only)} traded (--only)" if wishes.only else "",
        "wish: nothing is sold (--no-sell)" if wishes.no_sell else "",
        f"wish: {_invest_text(wishes)}" if wishes.invest else "",
        f"wish: {_withdrawn(wishes)} is freed (--withdraw)" if wishes.withdraw_usd else "",
    )
    return tuple(line for line in lines if line)


def wishes_as_json(wishes: Wishes) -> dict[str, Json]:
    """Only what was asked for; an empty object without wishes."""
    found: dict[str, Json] = {}
    if wishes.invest:
        found["invest"] = True
        found["invest_usd"] = None if wishes.invest_usd is None else json_number(wishes.invest_usd)
    if wishes.withdraw_usd is not None:
        found["withdraw_usd"] = json_number(wishes.withdraw_usd)
    if wishes.no_sell:
        found["no_sell"] = True
    if wishes.skip:
        found["skip"] = list(wishes.skip)
    if wishes.only:
        found["only"] = list(wishes.only)
    return found


def _stranger(flag: str, symbol: Symbol, known: Collection[Symbol]) -> str:
    hint = did_you_mean(symbol, sorted(known))
    return f"{flag} {printable(symbol)}: neither held nor in the models' targets" + (
        f", {hint}" if hint else ""
    )


def _floor_usd(
    account: Valuation, held: Targets, rules: RebalanceSettings, wishes: Wishes
) -> Decimal | None:
    """The cash that buys leave: F of the models' own CASH target, or with some wishes the target.

    F is never above that target. Without wishes None: the plan works F out itself.
    """
    if wishes == NO_WISHES:
        return None
    target_usd = without_noise(held.weights[CASH] * account.net_liq_usd)
    if wishes.invest:
        return _invest_floor_usd(account, target_usd, wishes.invest_usd)
    if wishes.no_sell or wishes.only:
        return target_usd
    return cash_floor(held.weights[CASH], account.net_liq_usd, rules)


def _invest_floor_usd(
    account: Valuation, target_usd: Decimal, invest_usd: Decimal | None
) -> Decimal:
    """Down to the CASH target; without an amount nothing is borrowed, with one no more is spent."""
    least_usd = ZERO if invest_usd is None else account.cash_usd - invest_usd
    return max(target_usd, least_usd)


def _withdrawn(wishes: Wishes) -> str:
    return dollars(wishes.withdraw_usd or ZERO)


def _invest_text(wishes: Wishes) -> str:
    if wishes.invest_usd is None:
        return "cash above its target is invested (--invest)"
    return f"{dollars(wishes.invest_usd)} is invested (--invest)"
