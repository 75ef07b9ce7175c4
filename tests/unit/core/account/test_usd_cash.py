"""USD cash where the broker gives two figures, no figure, or a debt that other cash would cover."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.core.account.usd_cash import choose_usd_cash, covered_debt, no_dollars
from tests.kits.builders import dec

AMOUNTS = st.decimals(min_value=-(10**6), max_value=10**6, places=2)


@pytest.mark.parametrize(
    ("total", "balance", "taken"),
    [("25", None, "25"), (None, "31", "31"), ("25", "26", "25"), ("26", "25", "26")],
)
def test_one_figure_or_two_that_agree_need_no_word(
    total: str | None, balance: str | None, taken: str
) -> None:
    chosen = choose_usd_cash(
        None if total is None else dec(total), None if balance is None else dec(balance)
    )
    assert chosen is not None
    assert (chosen.usd, chosen.other_usd, chosen.warning) == (dec(taken), None, "")


def test_neither_figure_is_no_cash() -> None:
    assert choose_usd_cash(None, None) is None


@pytest.mark.parametrize(
    ("total", "balance", "room", "taken", "why"),
    [
        (25_000, 31_000, [25_000], 25_000, "TotalCashBalance is taken, because it fits"),
        (25_000, 31_000, [31_000], 31_000, "CashBalance is taken, because it fits"),
        (31_000, 25_000, [31_000], 31_000, "TotalCashBalance is taken, because it fits"),
        (25_000, 31_000, [25_400], 25_000, "TotalCashBalance is taken, because it fits"),
        (25_000, 31_000, [28_000], 25_000, "TotalCashBalance is taken, as the lower one"),
        (31_000, 25_000, [28_000], 25_000, "CashBalance is taken, as the lower one"),
        (31_000, 25_000, [], 25_000, "CashBalance is taken, as the lower one"),
        (31_000, 25_000, [31_000, 25_000], 25_000, "CashBalance is taken, as the lower one"),
        (-500, 100, [-500], -500, "TotalCashBalance is taken, because it fits"),
    ],
)
def test_of_two_figures_the_one_with_room_for_it_is_taken_else_the_lower(
    total: int, balance: int, room: list[int], taken: int, why: str
) -> None:
    chosen = choose_usd_cash(Decimal(total), Decimal(balance), [Decimal(one) for one in room])
    assert chosen is not None
    assert {chosen.usd, chosen.other_usd} == {Decimal(total), Decimal(balance)}
    assert chosen.usd == taken
    assert f"{total}.00 (TotalCashBalance) and {balance}.00 (CashBalance" in chosen.warning
    assert why in chosen.warning


@given(total=AMOUNTS, balance=AMOUNTS, room=st.lists(AMOUNTS, max_size=2))
def test_money_that_is_not_proven_is_never_counted(
    total: Decimal, balance: Decimal, room: list[Decimal]
) -> None:
    chosen = choose_usd_cash(total, balance, room)
    assert chosen is not None
    gap = abs(total - balance)
    near = max(gap / 10, Decimal("0.5"))
    is_proven = any(abs(one - chosen.usd) <= near for one in room)
    assert gap <= 1 or is_proven or chosen.usd == min(total, balance)
    assert bool(chosen.warning) is (gap > 1)


def test_an_account_without_dollars_is_told_what_it_holds_and_what_to_do() -> None:
    text = no_dollars({"EUR": Decimal(30_000)}, ["5 IWDA (STK, EUR)"])
    assert "It holds EUR 30000.00 cash, 5 IWDA (STK, EUR). Buy dollars first" in text
    assert "It holds nothing else either." in no_dollars({}, [])


@pytest.mark.parametrize(
    ("cash", "other", "is_said"),
    [
        (-2000, {"EUR": 30_000}, True),
        (-2000, {"EUR": 1_000, "CAD": 2_000}, True),
        (-2000, {"EUR": 1_000, "CAD": -5}, False),
        (-2000, {"NOK": 1_000_000}, False),  # no rate
        (0, {"EUR": 30_000}, False),
        (-1, {}, False),
    ],
)
def test_a_debt_that_other_cash_would_cover_is_named_with_both(
    cash: int, other: dict[str, int], *, is_said: bool
) -> None:
    rates = {"EUR": Decimal("1.1"), "CAD": Decimal("0.7"), "USD": Decimal(1)}
    text = covered_debt(Decimal(cash), {c: Decimal(a) for c, a in other.items()}, rates)
    assert bool(text) is is_said
    if is_said:
        assert "USD cash is -2000.00 while" in text
        assert "EUR" in text
