"""One spelling per account; whatever is not surely paper is live."""

from __future__ import annotations

import pytest

from src.core.accounts import is_account, is_paper_account, mask_account, normalise_account


@pytest.mark.parametrize(
    ("text", "account"), [("DU123", "DU123"), (" du123\n", "DU123"), ("u1", "U1"), ("Df9", "DF9")]
)
def test_every_spelling_becomes_one(text: str, account: str) -> None:
    assert normalise_account(text) == account


@pytest.mark.parametrize("text", ["", "All", "DU1,DU2", "DU 1", "DU1A", "1", "ABCD1", "DU\u0661"])
def test_what_is_not_one_account_is_refused_with_what_is_expected(text: str) -> None:
    expected = r"^expected one account id: DU \(a paper account\) or U, then digits$"
    with pytest.raises(ValueError, match=expected):
        normalise_account(text)
    assert not is_account(text)


@pytest.mark.parametrize(
    ("account", "is_paper"),
    [
        *(("DU1", True), ("DF1234567", True)),
        *(("U1234567", False), ("F1", False), ("D1", False), ("DX1", False), ("DUX1", False)),
        *(("DU", False), ("du1", False), ("DU\u0661", False), ("XDU1", False), ("", False)),
    ],
)
def test_only_what_is_surely_paper_counts_as_paper(account: str, *, is_paper: bool) -> None:
    assert is_paper_account(account) is is_paper


def test_a_mask_keeps_both_ends_and_nothing_else() -> None:
    assert mask_account("DU1234511") == "DU***11"
