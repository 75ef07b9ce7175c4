"""Guards about the kind of account (F-108)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.guards_kind import never_borrows
from src.core.permit import GUARDS, trading_obstacles
from src.core.records import AccountTerms, TradePlan
from tests.builders import MARGIN, NOON_UTC, account, cash_terms, plan, targets
from tests.guard_kit import held, settings, state
from tests.journal_kit import PLAN

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
