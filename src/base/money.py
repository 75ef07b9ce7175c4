"""The only door to ``Decimal``: text in, exact arithmetic, shares toward zero, text out.

Reading is strict: plain ASCII decimals, because ``Decimal()`` itself also takes ``1_000``, ``nan``
and Arabic digits. Arithmetic happens inside :func:`exact_arithmetic`, whose 100 digits hold every
sum and product of numbers this module reads (at most 40 characters each); only a division can
round, in the hundredth digit. Text never shows an exponent or a minus sign in front of zero.

Units: weights are fractions (0.25 is a quarter), shown as percent; money is USD.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    localcontext,
)
from typing import Final

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
WHOLE_SHARE: Final = Decimal(1)
FRACTIONAL_STEP: Final = Decimal("0.0001")
"""Smallest step of a quantity where fractions of a share are allowed."""

MAX_NUMBER_CHARS: Final = 40
_PLAIN: Final = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_MACHINE: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_MACHINE_LIMIT: Final = Decimal(10) ** 18
_NOISE_FREE: Final = Decimal(1).scaleb(-30)
CENT: Final = Decimal("0.01")
_FOUR_PLACES: Final = Decimal("0.0001")
_EXACT: Final = Context(
    prec=100,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation],
)


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Calculate with 100 digits and refuse floats; also usable as a decorator of a function."""
    with localcontext(_EXACT):
        yield


# --- reading --------------------------------------------------------------------------------


def parse_decimal(text: str) -> Decimal:
    """Read a plain decimal such as ``12``, ``-0.5`` or ``.5``; nothing else is a number.

    Raises: ValueError with the expectation in plain words (without the value itself).
    """
    if len(text) > MAX_NUMBER_CHARS:
        raise ValueError(f"expected a number of at most {MAX_NUMBER_CHARS} characters")
    if not _PLAIN.fullmatch(text):
        raise ValueError(_why_not_plain(text))
    return _positive_zero(Decimal(text))


def parse_percent(text: str) -> Decimal:
    """Read percent points, ``33%``, ``33`` or ``12.5 %``, as a fraction (0.33, 0.125).

    Raises: ValueError as :func:`parse_decimal`, also for a lone or repeated ``%``.
    """
    points = text[:-1].rstrip(" \t") if text.endswith("%") else text
    if not points:
        raise ValueError("expected a number in front of the % sign")
    return percent_to_weight(parse_decimal(points))


def parse_machine_decimal(text: str) -> Decimal:
    """Read a number that a program wrote (JSON, ``repr`` of a float); an exponent is allowed.

    Raises: ValueError if it is not finite, not below 10**18 in size, or has more digits than
    exact arithmetic is made for.
    """
    if not re.fullmatch(_MACHINE, text):
        raise ValueError("expected a finite number")
    value = Decimal(text)
    decimals = -int(value.as_tuple().exponent)
    if max(len(text), decimals) > MAX_NUMBER_CHARS:
        raise ValueError(f"expected a number of at most {MAX_NUMBER_CHARS} characters")
    if not abs(value) < _MACHINE_LIMIT:
        raise ValueError("expected a number below 10**18")
    return _positive_zero(value)


def percent_to_weight(points: Decimal) -> Decimal:
    """33 percent points are the weight 0.33; exact."""
    return points.scaleb(-2, _EXACT)


def bps_to_weight(bps: Decimal) -> Decimal:
    """50 basis points are the weight 0.005; exact."""
    return bps.scaleb(-4, _EXACT)


def weight_to_percent(weight: Decimal) -> Decimal:
    """The weight 0.33 is 33 percent points; exact."""
    return weight.scaleb(2, _EXACT)


# --- arithmetic -----------------------------------------------------------------------------


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """Add without losing a digit, whatever context is in force."""
    with exact_arithmetic():
        return sum(values, ZERO)


def without_noise(value: Decimal) -> Decimal:
    """30 decimals, so that what divisions made differ in later ones is equal again.

    Target weights have 60 decimals. Dollars worked out from them are off by far less than this
    keeps, and what is equal on paper is equal here.
    """
    return _EXACT.quantize(value, _NOISE_FREE) or ZERO


def share_step(*, allow_fractional: bool) -> Decimal:
    """The step a quantity moves in: one share, or 0.0001 of one."""
    return FRACTIONAL_STEP if allow_fractional else WHOLE_SHARE


def whole_shares(qty_shares: Decimal, step: Decimal = WHOLE_SHARE) -> Decimal:
    """Round a quantity toward zero to a multiple of ``step`` (1 or 0.0001)."""
    return _positive_zero(qty_shares.quantize(step, rounding=ROUND_DOWN, context=_EXACT))


# --- text -----------------------------------------------------------------------------------


def usd_text(amount_usd: Decimal) -> str:
    """Dollars and cents, two decimals: ``-1234.50``."""
    return _fixed(amount_usd, CENT)


def dollars(amount_usd: Decimal) -> str:
    """An amount in a sentence or a table for people: ``$1,234.50``, ``-$1,234.50``."""
    sign = "-" if amount_usd.quantize(CENT, rounding=ROUND_HALF_UP, context=_EXACT) < ZERO else ""
    return f"{sign}${Decimal(_fixed(abs(amount_usd), CENT)):,.2f}"


def price_text(price_usd: Decimal) -> str:
    """A price with four decimals: ``101.2500``."""
    return _fixed(price_usd, _FOUR_PLACES)


def leverage_text(leverage: Decimal) -> str:
    """A multiple of net liq with four decimals: ``1.5000``."""
    return _fixed(leverage, _FOUR_PLACES)


def pct_text(weight: Decimal) -> str:
    """A weight as percent with four decimals and no sign: 0.25 is ``25.0000``."""
    return _fixed(weight_to_percent(weight), _FOUR_PLACES)


def shares_text(qty_shares: Decimal) -> str:
    """A quantity with up to four decimals and no trailing zeros: ``12``, ``0.5``."""
    return plain_text(Decimal(_fixed(qty_shares, _FOUR_PLACES)))


def plain_text(value: Decimal) -> str:
    """Every digit of a number, without exponent and without trailing zeros: ``1.5``, ``100``."""
    text = format(_positive_zero(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fixed(value: Decimal, places: Decimal) -> str:
    rounded = value.quantize(places, rounding=ROUND_HALF_UP, context=_EXACT)
    return format(_positive_zero(rounded), "f")


def _positive_zero(value: Decimal) -> Decimal:
    return value or value.copy_abs()


def _why_not_plain(text: str) -> str:
    if "," in text:
        return "expected a decimal point, without commas or thousands separators"
    return "expected a plain decimal number such as 12 or 0.5"
