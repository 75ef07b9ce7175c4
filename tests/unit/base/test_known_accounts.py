"""Ids are masked because they are known, wherever they occur, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.known_accounts import KNOWN_ACCOUNTS, learn_accounts, mask_accounts

FORMS = ("DU1234567", "DUM7654321", "U1112223", "UAB9998887", "DF1000000", "F4445556A")


@pytest.mark.parametrize("account", FORMS)
def test_every_form_of_a_known_id_is_masked_wherever_it_stands(account: str) -> None:
    learn_accounts([account])
    for text in (account, f"x{account}y", f"/state/{account}.sqlite3", f"[{account.lower()},"):
        shown = mask_accounts(text)
        assert account not in shown.upper()
        assert f"***{account[-3:]}" in shown


def test_what_only_looks_like_an_id_is_left_alone() -> None:
    learn_accounts(["DU1234567", "U1"])
    text = "order DU7654321 of U12345, F1234 and XU1X"
    assert mask_accounts(text) == text
    assert mask_accounts("of U1, DU1234567") == "of U***1, DU***567"


def test_an_id_that_ends_another_does_not_tear_it_apart() -> None:
    learn_accounts(["U1234567"])
    learn_accounts(["DU1234567", "", " DU1234567 "])
    assert mask_accounts("DU1234567 beside U1234567") == "DU***567 beside U***567"


def test_two_accounts_of_a_login_stay_apart() -> None:
    learn_accounts(["DU1000567"])
    assert mask_accounts("DU1000567") == "DU***567"
    learn_accounts(["DU1001567"])
    assert mask_accounts("DU1000567 and DU1001567") == "DU***0567 and DU***1567"


@given(
    known=st.sets(st.from_regex(r"[A-Z]{1,4}[0-9]{5,9}A?", fullmatch=True), max_size=4),
    text=st.text(max_size=40),
)
def test_no_known_id_leaves(known: set[str], text: str) -> None:
    KNOWN_ACCOUNTS.forget()
    learn_accounts(known)
    for one in known:
        assert one not in mask_accounts(f"{text}{one}{text}")
