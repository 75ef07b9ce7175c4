"""Guards about the kind of account (F-108)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from src.core.permission.guards_kind import free_riding, never_borrows
from src.core.permission.permit import GUARDS, trading_obstacles
from src.core.permission.recent_trades import Moved, RecentTrades
from src.core.records.account import AccountTerms
from src.core.records.orders import Fill, Side
from src.core.records.plan import TradePlan
from tests.kits.builders import ACCOUNT, MARGIN, NOON_UTC, account, cash_terms, plan, targets
from tests.kits.guard_kit import held, settings, state
from tests.kits.journal_kit import PLAN

BORROWS = plan(account({"AAA": 100}, {"AAA": 100}, 0), targets({"AAA": 120}))


def texts(made: TradePlan, terms: AccountTerms) -> list[str]:
    seen = state(snapshot=replace(held(), terms=terms))
    return [one.text for one in never_borrows(made, seen, settings(), NOON_UTC)]


@pytest.mark.parametrize(
    "terms",
    [
        cash_terms(1000),
        AccountTerms(trading_type="IRAMRGN"),
        AccountTerms(trading_type="STKNOPT", account_type="ROTH IRA"),
        AccountTerms(),
        AccountTerms(trading_type="SOMETHING"),
    ],
)
def test_an_account_that_never_borrows_refuses_a_negative_cash_target(terms: AccountTerms) -> None:
    assert [text.partition(",")[0] for text in texts(BORROWS, terms)] == ["the CASH target is -20%"]
    assert texts(PLAN, terms) == []


def test_a_margin_account_may_have_one() -> None:
    assert texts(BORROWS, MARGIN) == []


def test_buys_may_not_make_debt_there_whatever_the_target_is() -> None:
    in_debt = replace(PLAN, after=replace(PLAN.after, cash_usd=Decimal(-5)))
    assert "the buys would borrow $" in texts(in_debt, cash_terms(1000))[0]
    assert texts(in_debt, MARGIN) == []


def test_the_guard_stands_before_every_order() -> None:
    assert never_borrows in GUARDS
    seen = state(snapshot=replace(held(), terms=cash_terms(1000)))
    found = trading_obstacles(BORROWS, seen, settings(), NOON_UTC)
    assert any("cannot borrow" in one.text and not one.is_warning for one in found)


# --- free riding --------------------------------------------------------------------------------

FRIDAY_NOON = NOON_UTC  # Friday 31 January 2025, 12:00 in New York
MONDAY_NOON = NOON_UTC + timedelta(days=3)
SOLD = next(one for one in PLAN.tickets if one.side is Side.SELL)


def bought(at_utc: datetime | None, **changes: object) -> Fill:
    made = Fill(
        account_id=ACCOUNT,
        order_ref="",
        exec_id="1.01",
        order_id=0,
        client_id=0,
        perm_id=1,
        con_id=SOLD.con_id,
        symbol=SOLD.symbol,
        side=Side.BUY,
        qty_shares=Decimal(5),
        price_usd=Decimal(100),
        at_utc=at_utc,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


CASH_ACCOUNT = cash_terms(1000)


def warnings(now: datetime, terms: AccountTerms = CASH_ACCOUNT, **changes: object) -> list[str]:
    seen = state(snapshot=replace(held(), terms=terms), **changes)
    found = free_riding(PLAN, seen, settings(), now)
    assert all(one.is_warning for one in found)
    return [one.text for one in found]


@pytest.mark.parametrize(
    ("at_utc", "now", "is_said"),
    [
        (FRIDAY_NOON, FRIDAY_NOON, True),
        (FRIDAY_NOON, MONDAY_NOON, True),
        (FRIDAY_NOON, MONDAY_NOON + timedelta(days=1), False),
        (MONDAY_NOON, MONDAY_NOON + timedelta(days=1), True),
        (None, MONDAY_NOON, True),
    ],
)
def test_a_sell_of_what_was_just_bought_is_a_warning_in_a_cash_account(
    at_utc: datetime | None, now: datetime, is_said: bool
) -> None:
    found = warnings(now, todays_fills=(bought(at_utc),))
    assert bool(found) is is_said
    if found:
        assert found[0].startswith(f"{SOLD.symbol} was bought today or on the last trading day")
        assert "90 days" in found[0]


def test_other_accounts_sells_and_other_symbols_are_not_warned_of() -> None:
    assert warnings(FRIDAY_NOON, MARGIN, todays_fills=(bought(FRIDAY_NOON),)) == []
    assert warnings(FRIDAY_NOON, todays_fills=(bought(FRIDAY_NOON, side=Side.SELL),)) == []
    assert warnings(FRIDAY_NOON, todays_fills=(bought(FRIDAY_NOON, con_id=1),)) == []
    assert warnings(FRIDAY_NOON, todays_fills=(bought(FRIDAY_NOON, qty_shares=Decimal(0)),)) == []


def test_our_own_journal_tells_it_too() -> None:
    cash = Moved(name="USD cash", before=Decimal(5), after=Decimal(0))
    for before, after, is_said in ((0, 50, True), (100, 50, False)):
        shares = Moved(name=SOLD.symbol, before=Decimal(before), after=Decimal(after))
        run = RecentTrades(
            run_id="A",
            executed_utc=None,
            recorded_utc=FRIDAY_NOON,
            shares={SOLD.con_id: shares},
            cash=cash,
        )
        assert bool(warnings(MONDAY_NOON, recent_trades=(run,))) is is_said
