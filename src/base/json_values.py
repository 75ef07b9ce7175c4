"""Figures as JSON has them, for the plan and the snapshot that other programs read."""

from __future__ import annotations

from decimal import Decimal
from typing import Union

Json = Union[  # noqa: UP007 - evaluated on 3.10
    None, str, int, float, list["Json"], dict[str, "Json"]
]


def json_number(value: Decimal) -> int | float:
    """A JSON number; a float has 15 digits, more than any figure of an account needs."""
    rounded = round(value, 10)
    return int(rounded) if rounded == int(rounded) else float(rounded)
