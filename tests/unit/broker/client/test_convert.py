"""Numbers of the wire become exact decimals, and quantities lose the noise of binary sums."""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.broker.client import convert


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (252 - 93.568, "158.432"),  # 158.43200000000002 as a float
        (0.1 + 0.2, "0.3"),
        (38.5, "38.5"),
        (-2.0, "-2"),
        (160.00000000000003, "160"),
        (0.0001, "0.0001"),
    ],
)
def test_a_quantity_is_the_decimal_the_broker_meant(wire: float, expected: str) -> None:
    assert convert.shares(wire) == Decimal(expected)


@pytest.mark.parametrize(
    "wire", [float("nan"), float("inf"), -float("inf"), 1.7976931348623157e308]
)
def test_a_quantity_that_is_no_number_stays_none(wire: float) -> None:
    assert convert.known(convert.shares(wire)) is None
