"""A plan as text for a person to say yes or no to: the table, then what it adds up to.

At most 80 columns, no colour, and everything that came from a file or the gateway is escaped. What
a yes depends on stands at the end, right above the prompt: warnings, what stays outside its limit,
holdings sold because their target is 0, what changed since the last question, simulated.

Source: SRS R-401 and F-51.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from src.base.accounts import named_account
from src.base.money import dollars, exact_arithmetic, plain_text, shares_text
from src.base.settings import RebalanceSettings
from src.core.account.account_rules import kind_text
from src.core.records.account import AccountSnapshot, AccountTerms, UnmanagedPosition
from src.core.records.market import Price, PriceBook
from src.core.records.plan import TradePlan
from src.core.records.portfolios import CASH, Symbol
from src.core.settled_buys import waiting_text
from src.core.showing.preview_table import render_table, wrapped
from src.core.showing.preview_totals import totals
from src.core.wishes.effect import wish_lines
from src.core.wishes.invest_notes import borrowed_text

SIMULATED: Final = "SIMULATED: this is the embedded practice gateway, no real money moves"
_UNLISTED: Final = "not in model, will be sold"
_UNWEIGHTED: Final = "target 0 in the models, will be sold"
_HASH_CHARS: Final = 12
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewContext:
    """What the preview tells besides the plan.

    ``unlisted`` are held symbols that no model lists. ``now_utc`` gives prices an age (None: not
    shown). ``first_buys`` names what is bought and not held yet. ``notices`` are printed at the
    top (such as "dry run: nothing will be sent"), ``warnings`` near the end; both are plain
    sentences. ``alerts`` and ``reminders`` tell of earlier wishes, at the top and at the end.
    ``costs`` are lines about what the plan will cost. ``changes`` are the orders that differ from
    the plan that was asked about before. ``rules`` give the band that nothing to trade is judged
    by. ``label`` is what the user calls the account.
    """

    snapshot: AccountSnapshot
    is_paper: bool = True
    is_simulated: bool = False
    now_utc: datetime | None = None
    unlisted: frozenset[Symbol] = frozenset()
    first_buys: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    reminders: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    rules: RebalanceSettings | None = None
    label: str = ""


@exact_arithmetic()
def render_preview(plan: TradePlan, prices: PriceBook, context: PreviewContext) -> str:
    """The whole preview, without a final line break."""
    unlisted, unweighted = _closing(plan, context)
    parts = [
        [line for text in context.alerts for line in wrapped(text, "")],
        _head(plan, context),
        [render_table(plan, unlisted | unweighted)],
        _legend(plan, unlisted, unweighted),
        totals(plan, context.snapshot, context.rules),
        _section("Not traded:", (f"{one.symbol}: {one.reason}" for one in plan.skipped)),
        _section("Bought for the first time:", context.first_buys),
        _section("Left alone, not part of net liq:", _ignored(context.snapshot)),
        _section("Prices that are not the preferred source:", _other_prices(prices, context)),
        _section("Notes:", plan.notes),
        _section("Warnings:", _unique([*prices.warnings, *context.warnings])),
        _section("Outside its limit after this plan:", [plan.outside_limits]),
        list(context.costs),
        [f"Plan {plan.plan_hash[:_HASH_CHARS]}"],
        _section("Invested with borrowed money:", [borrowed_text(plan)]),
        _section("In no model:", _sold(plan, unlisted, _UNLISTED)),
        _section("Target 0 in the models:", _sold(plan, unweighted, _UNWEIGHTED)),
        _section("Waits for settlement:", [waiting_text(plan)]),
        _section("Before you invest again:", context.reminders),
        _section("Changed since the last question:", context.changes),
        [SIMULATED] if context.is_simulated else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(plan: TradePlan, context: PreviewContext) -> list[str]:
    kind = "paper" if context.is_paper else "LIVE"
    account = f"account {named_account(plan.account_id, context.label)} ({kind})"
    at = context.snapshot.as_of_utc
    when = f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.timestamp() else "at an unknown time"
    title = f"Rebalance plan for {account if plan.account_id else 'an unnamed account'}, {when}"
    simulated = [SIMULATED] if context.is_simulated else []
    terms = context.snapshot.terms
    told = () if terms == AccountTerms() else (kind_text(terms),)
    texts = (*context.notices, *wish_lines(plan.wishes), *told)
    return [*simulated, title, *(line for one in texts for line in wrapped(one, ""))]


def _closing(
    plan: TradePlan, context: PreviewContext
) -> tuple[frozenset[Symbol], frozenset[Symbol]]:
    """Holdings whose target is 0: those in no model, and those listed without a weight."""
    closing = frozenset(
        row.symbol for row in plan.drift_before.rows if row.symbol != CASH and not row.target_weight
    )
    return closing & context.unlisted, closing - context.unlisted


def _legend(
    plan: TradePlan, unlisted: frozenset[Symbol], unweighted: frozenset[Symbol]
) -> list[str]:
    sold = {ticket.symbol for ticket in plan.tickets}
    lines = [f"* {_UNLISTED} (unlisted_positions = sell)"] if unlisted & sold else []
    if unweighted & sold:
        lines += wrapped(f"* {_UNWEIGHTED}: {', '.join(sorted(unweighted & sold))}", "")
    for why, kept in (("not in model", unlisted - sold), ("target 0", unweighted - sold)):
        if kept:
            lines += wrapped(f"* {why}, no order this time: {', '.join(sorted(kept))}", "")
    return lines


def _sold(plan: TradePlan, symbols: frozenset[Symbol], why: str) -> Iterator[str]:
    for ticket in plan.tickets:
        if ticket.symbol in symbols:
            shares = f"{ticket.symbol}: {shares_text(ticket.qty_shares)} shares"
            yield f"{shares}, {dollars(ticket.est_value_usd)} ({why})"


def _money(amount_usd: Decimal) -> str:
    return f"{round(amount_usd, 2) + 0:,.2f}"


# --- what else to know ----------------------------------------------------------------------


def _ignored(snapshot: AccountSnapshot) -> Iterator[str]:
    insured = snapshot.second_figures.insured_deposit_usd
    if insured:
        yield f"insured deposit USD {_money(insured)} (in the cash already, not added)"
    for currency, amount in sorted(snapshot.ignored_cash.items()):
        yield f"cash {currency} {_money(amount)}"
    for one in snapshot.unmanaged:
        yield _unmanaged(one)
    yield from _class_worth(snapshot)


def _class_worth(snapshot: AccountSnapshot) -> Iterator[str]:
    for one in snapshot.class_worth:
        if (one.name, one.currency) != ("StockMarketValue", "USD"):
            yield f"worth of all such positions: {one.name} {one.currency} {_money(one.amount)}"


def _unmanaged(one: UnmanagedPosition) -> str:
    value = "" if one.value is None else f", worth {one.currency} {_money(one.value)}"
    return f"position {one.symbol} ({one.sec_type}), {plain_text(one.qty)} held{value}"


def _other_prices(prices: PriceBook, context: PreviewContext) -> list[str]:
    by_source: dict[str, list[str]] = {}
    for symbol in sorted(prices.prices):
        price = prices.prices[symbol]
        if not price.is_preferred:
            text = symbol + _age(price, context.now_utc)
            by_source.setdefault(price.source, []).append(text)
    return [f"{source}: {', '.join(texts)}" for source, texts in sorted(by_source.items())]


def _age(price: Price, now_utc: datetime | None) -> str:
    if now_utc is None:
        return ""
    if price.as_of_utc is None:
        return " (age unknown)"
    return f" ({_span(now_utc - price.as_of_utc)} old)"


def _span(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < 2 * _DAY else f"{seconds // _DAY} days"


def _section(title: str, items: Iterable[str]) -> list[str]:
    lines = [line for item in items for line in wrapped(item, "- ")]
    return [title, *lines] if lines else []


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
