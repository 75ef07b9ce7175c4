"""What an account may do is read from the broker's own rows (F-108)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.account.account_rules import account_rules, kind_text, spendable_now, unknown_kind
from src.core.records.account import AccountTerms
from tests.kits.builders import MARGIN, cash_terms, snapshot

RULES = {  # (TradingType-S, AccountType): may borrow, may spend unsettled, is known
    ("STKCASH", "INDIVIDUAL"): (False, False, True),
    ("STKCASH", "IRA"): (False, False, True),
    ("IRAMRGN", "INDIVIDUAL"): (False, True, True),
    ("STKNOPT", "TRADITIONAL IRA"): (False, True, True),
    ("STKMRGN", "INDIVIDUAL"): (True, True, True),
    ("STKNOPT", "JOINT"): (True, True, True),
    ("PMRGN", ""): (True, True, True),
    ("GPMRGN", ""): (True, True, True),
    ("", "INDIVIDUAL"): (False, False, False),
    ("STKNEW", "INDIVIDUAL"): (False, False, False),
    ("", ""): (False, False, False),
}


@pytest.mark.parametrize(("kind", "expected"), RULES.items())
def test_each_kind_of_account_has_its_rules(
    kind: tuple[str, str], expected: tuple[bool, bool, bool]
) -> None:
    rules = account_rules(AccountTerms(trading_type=kind[0], account_type=kind[1]))
    assert (rules.may_borrow, rules.may_spend_unsettled, rules.is_known) == expected


def test_what_can_be_spent_is_the_lower_of_available_funds_and_cash() -> None:
    assert spendable_now(snapshot({}, 1000, terms=cash_terms(400))) == Decimal(400)
    assert spendable_now(snapshot({}, 1000, terms=cash_terms(4000))) == Decimal(1000)
    assert spendable_now(snapshot({}, 1000, terms=cash_terms(None))) == Decimal(1000)
    assert spendable_now(snapshot({}, -5, terms=cash_terms(-5))) == Decimal(0)
    assert spendable_now(snapshot({}, 1000, terms=MARGIN)) is None


def test_an_unknown_kind_is_treated_as_cash_and_says_so() -> None:
    assert "nowhere" in unknown_kind(AccountTerms())
    assert "STKNEW" in unknown_kind(AccountTerms(trading_type="STKNEW"))
    assert spendable_now(snapshot({}, 1000, terms=AccountTerms())) == Decimal(1000)
    assert not unknown_kind(MARGIN)
    assert not unknown_kind(cash_terms(1))


def test_the_preview_names_the_kind_and_shows_buying_power() -> None:
    assert kind_text(cash_terms(400)) == (
        "Cash account (STKCASH INDIVIDUAL), available funds $400.00"
    )
    margin = replace(MARGIN, buying_power_usd=Decimal(4000))
    assert kind_text(margin) == "Margin account (STKMRGN INDIVIDUAL), buying power $4,000.00"
    ira = AccountTerms(trading_type="IRAMRGN")
    assert kind_text(ira) == "Account without borrowing (IRAMRGN)"
    assert kind_text(AccountTerms()) == "Account of unknown kind"
