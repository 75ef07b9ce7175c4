"""Numbers: strict reading, exact arithmetic, stable text."""

from __future__ import annotations

import re
from decimal import Decimal, FloatOperation

import pytest

from src.base import money

D = Decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", D(12)),
        ("0.5", D("0.5")),
        (".5", D("0.5")),
        ("-3", D(-3)),
        ("007", D(7)),
    ],
)
def test_plain_decimals_are_read(text: str, value: Decimal) -> None:
    assert money.parse_decimal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "nan", "inf", "-Infinity", "sNaN", "1e400", "1e3", "1_000", "1,5", "0x10", "", " ", "+-1",
        "--1", "+1", "5.", ".", "1 2", "\u0661", "\uff11", "1\n", "1\x00", "$5", "5%", "1" * 41,
    ],
)  # fmt: skip
def test_anything_else_is_not_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        money.parse_decimal(text)


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("1,5", "expected a decimal point, without commas or thousands separators"),
        ("1e3", "expected a plain decimal number such as 12 or 0.5"),
        ("1" * 41, "expected a number of at most 40 characters"),
        ("%", "expected a number in front of the % sign"),
    ],
)
def test_the_refusal_of_a_number_says_what_to_write_instead(text: str, expectation: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(expectation)}$"):
        money.parse_percent(text)


def test_a_number_may_have_forty_characters() -> None:
    longest = "0." + "3" * 38
    assert money.parse_decimal(longest) == money.parse_machine_decimal(longest) == D(longest)
    for read in (money.parse_decimal, money.parse_machine_decimal):
        with pytest.raises(ValueError, match="expected"):
            read(longest + "3")


def test_minus_zero_is_read_as_zero() -> None:
    assert not money.parse_decimal("-0.00").is_signed()


@pytest.mark.parametrize(("text", "weight"), [("33%", "0.33"), ("33", "0.33"), ("12.5 %", "0.125")])
def test_percent_becomes_a_fraction(text: str, weight: str) -> None:
    assert money.parse_percent(text) == D(weight)


@pytest.mark.parametrize("text", ["50%%", "%", " %", "", "1e1%", "% 5", "5 % %", "5\n%", "5X%"])
def test_malformed_percent(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        money.parse_percent(text)


def test_machine_numbers_may_have_an_exponent() -> None:
    assert money.parse_machine_decimal("1e-05") == D("0.00001")
    for text in ("nan", "inf", "", "1_0", "\u0661"):
        with pytest.raises(ValueError, match=r"^expected a finite number$"):
            money.parse_machine_decimal(text)
    for text in ("1e400", "1e18", "-1e18"):
        with pytest.raises(ValueError, match=r"^expected a number below 10\*\*18$"):
            money.parse_machine_decimal(text)


@pytest.mark.parametrize("text", ["0." + "3" * 39, "1e-41", "0e-500", "9" * 41])
def test_machine_numbers_have_no_more_digits_than_arithmetic(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a number of at most 40 characters$"):
        money.parse_machine_decimal(text)


def test_conversions_are_exact() -> None:
    assert money.bps_to_weight(D(50)) == D("0.005")
    assert money.weight_to_percent(D("0.33")) == D(33)
    thirty_nine_digits = D("0." + "3" * 39)
    assert money.weight_to_percent(thirty_nine_digits) == D("33." + "3" * 37)
    assert money.percent_to_weight(D("33." + "3" * 37)) == thirty_nine_digits
    assert money.bps_to_weight(D("3333." + "3" * 35)) == thirty_nine_digits


def test_sums_lose_no_digit() -> None:
    huge, tiny = D("1" + "0" * 39), D("0." + "0" * 37 + "1")
    assert money.exact_sum([huge, tiny, -huge]) == tiny


def test_exact_arithmetic_refuses_floats() -> None:
    with money.exact_arithmetic(), pytest.raises(FloatOperation):
        Decimal(float("0.1"))


@pytest.mark.parametrize(
    ("qty", "step", "expected"),
    [("2.9", "1", "2"), ("-2.9", "1", "-2"), ("0.99999", "0.0001", "0.9999"), ("-0.4", "1", "0")],
)
def test_shares_round_toward_zero(qty: str, step: str, expected: str) -> None:
    shares = money.whole_shares(D(qty), D(step))
    assert shares == D(expected)
    assert not (shares == 0 and shares.is_signed())


def test_share_step() -> None:
    assert money.share_step(allow_fractional=True) == D("0.0001")
    assert money.share_step(allow_fractional=False) == 1


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("1234.5", "$1,234.50"),
        ("-1234.5", "-$1,234.50"),
        ("0.005", "$0.01"),
        ("-0.005", "-$0.01"),
        ("-0.0049", "$0.00"),
    ],
)
def test_the_sign_of_dollars_is_that_of_the_rounded_amount(usd: str, text: str) -> None:
    assert money.dollars(D(usd)) == text


def test_text_has_fixed_places_and_no_minus_zero() -> None:
    assert money.usd_text(D("-1234.5")) == "-1234.50"
    assert money.usd_text(D("-0.004")) == "0.00"
    assert money.usd_text(D("0.005")) == "0.01"
    assert money.usd_text(D("1E+12")) == "1000000000000.00"
    assert money.price_text(D("101.25")) == "101.2500"
    assert money.leverage_text(D("1.5")) == "1.5000"
    assert money.pct_text(D("0.25")) == "25.0000"


@pytest.mark.parametrize(
    ("qty", "text"),
    [
        ("12", "12"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("0.5000", "0.5"),
        ("-0.00001", "0"),
        ("-7", "-7"),
    ],
)
def test_share_text(qty: str, text: str) -> None:
    assert money.shares_text(D(qty)) == text


def test_plain_text_shows_every_digit() -> None:
    assert money.plain_text(D("0.0000001")) == "0.0000001"
    assert money.plain_text(D("1E+2")) == "100"
