"""Figures as other programs read them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from src.base.json_values import json_number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("3000", "3000"),
        ("1000.00", "1000"),
        ("-0.5", "-0.5"),
        ("0.1234567891", "0.1234567891"),
        ("0.12345678914", "0.1234567891"),
        ("0.00000000001", "0"),
        ("-0.00000000001", "0"),
        ("12345678901.01", "12345678901.01"),
    ],
)
def test_json_numbers_have_at_most_ten_decimals_and_no_needless_ones(value: str, text: str) -> None:
    assert json.dumps(json_number(Decimal(value))) == text
