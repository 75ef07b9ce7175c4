"""One spelling per account; whatever is not surely paper is live."""

from __future__ import annotations

import pytest

from src.base.accounts import (
    account_masks,
    is_account,
    is_master,
    is_paper_account,
    live_accounts,
    master_refusal,
    normalise_account,
)


@pytest.mark.parametrize(
    ("text", "account"), [("DU123", "DU123"), (" du123\n", "DU123"), ("u1", "U1"), ("Df9", "DF9")]
)
def test_every_spelling_becomes_one(text: str, account: str) -> None:
    assert normalise_account(text) == account


@pytest.mark.parametrize("text", ["", "All", "DU1,DU2", "DU 1", "DU1DU2", "1", "1DU", "DU\u0661"])
def test_what_is_not_one_account_is_refused_with_what_is_expected(text: str) -> None:
    expected = r"^expected one account id: letters, then digits$"
    with pytest.raises(ValueError, match=expected):
        normalise_account(text)
    assert not is_account(text)


@pytest.mark.parametrize(
    ("account", "is_paper"),
    [
        *(("DU1", True), ("DUM1234567", True), ("DUAB123", True), ("DUA1", True)),
        *(("DF1234567", False), ("DI1", False), ("F1", False), ("I1", False), ("DUABC1", False)),
        *(("U1234567", False), ("UA123", False), ("D1", False), ("DX1", False), ("DU1A", False)),
        *(("DU", False), ("du1", False), ("DU\u0661", False), ("XDU1", False), ("", False)),
    ],
)
def test_only_what_is_surely_paper_counts_as_paper(account: str, *, is_paper: bool) -> None:
    assert is_paper_account(account) is is_paper


@pytest.mark.parametrize(
    ("known", "masks"),
    [
        (("DU1234567",), ("DU***567",)),
        (("U1234567", "DUM7654321"), ("U***567", "DU***321")),
        (("DU1000567", "DU1001567"), ("DU***0567", "DU***1567")),
        (("DU1234567", "U1234567"), ("DU***567", "U***567")),
        (("DU1000001", "DF1000000", "UA1000002"), ("DU***001", "DF***000", "UA***002")),
    ],
)
def test_a_mask_is_the_shortest_ending_that_tells_accounts_apart(
    known: tuple[str, ...], masks: tuple[str, ...]
) -> None:
    assert account_masks(known) == dict(zip(known, masks, strict=True))


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        *((one, True) for one in ("F1", "I12", "DF1000000", "DI7", "F1234567A", "DF12A", "I9A")),
        *((one, False) for one in ("DU1", "DUF1", "U1", "UF1", "DFX1", "F", "DF", "F12B", "XF1")),
    ],
)
def test_masters_of_advisors_and_brokers_are_told_by_their_form(
    account: str, *, expected: bool
) -> None:
    assert is_master(account) is expected
    assert not (expected and is_paper_account(account))


@pytest.mark.parametrize(
    ("login", "live"),
    [
        (("DU1", "DUM2", "DF3", "DI4A"), ()),
        (("DF3",), ()),
        (("DU1", "U2"), ("U2",)),
        (("DU1", "F2"), ("F2",)),
        (("I2A", "DUABC1"), ("I2A", "DUABC1")),
    ],
)
def test_one_account_that_is_not_paper_makes_a_live_login(
    login: tuple[str, ...], live: tuple[str, ...]
) -> None:
    assert live_accounts(login) == live


def test_a_refused_master_names_the_accounts_to_set_instead() -> None:
    text = master_refusal("DF1000000", ("DF1000000", "DU1000001", "All", "DU1000002"))
    assert "master" in text
    assert text.endswith(": DU1000001, DU1000002")
    assert master_refusal("F1").endswith("client accounts")
