"""How single fields are read and written: one ``Codec`` per kind of value.

A codec knows what an unset value looks like: an empty field, or the largest double or int.
Reading accepts every spelling of unset. Reading errors are ``ValueError`` with the offending
text; writing a value of the wrong type is a ``LocalProtocolError``, a bug on this side.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from src.simulator.messages.wire import LocalProtocolError

MAX_DOUBLE = "1.7976931348623157E308"
MAX_INT = "2147483647"
INT_RANGE = range(-(2**31), 2**31)
LONG_RANGE = range(-(2**63), 2**63)
MAX_NUMBER_CHARS = 400
MAX_EXPONENT = 308
INFINITE = Decimal("Infinity")
_LARGEST = Decimal(MAX_DOUBLE)
CONDITION_TYPES = (1, 3, 4, 5, 6, 7)
EXECUTION_CONDITION = 5

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_UNSET_INTS = {"", MAX_INT, str(2**63 - 1)}
_UNSET_NUMBERS = {Decimal(MAX_DOUBLE), Decimal(2**127 - 1), Decimal(2**63 - 1)}


class Codec(NamedTuple):
    """``parse`` and ``format`` of one kind of field; ``kind`` names it in error texts."""

    kind: str
    parse: Callable[[str], object]
    format: Callable[[object], str]


def parse_int(text: str) -> int:
    """A 32-bit integer."""
    return _integer(text, INT_RANGE)


def parse_long(text: str) -> int:
    """A 64-bit integer."""
    return _integer(text, LONG_RANGE)


def parse_decimal(text: str) -> Decimal:
    """A finite number in the range of a double; ``nan``, ``inf`` and empty text are errors."""
    if len(text) > MAX_NUMBER_CHARS or not _NUMBER.fullmatch(text):
        raise ValueError(text)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if number and abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError(text)
    return number


def parse_optional_decimal(text: str) -> Decimal | None:
    """A number, or None for empty text and for the largest double, decimal and long."""
    if not text:
        return None
    number = parse_decimal(text)
    return None if number in _UNSET_NUMBERS else number


def parse_optional_int(text: str) -> int | None:
    """A 32-bit integer, or None for empty text and for the largest int and long."""
    return None if text in _UNSET_INTS else parse_int(text)


def format_decimal(value: Decimal) -> str:
    """Plain notation: no exponent, no trailing zeros, no minus on zero."""
    if value == INFINITE:
        return "Infinity"
    if not value.is_finite():
        raise LocalProtocolError(f"number {value} cannot be sent")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def format_double(value: Decimal) -> str:
    """As the gateway writes prices: ``500.0`` where nothing follows the point."""
    if value in (INFINITE, _LARGEST):
        return MAX_DOUBLE if value == _LARGEST else format_decimal(value)
    text = format_decimal(value)
    return text if "." in text else f"{text}.0"


def format_money(value: Decimal) -> str:
    """At least two decimals: ``6128.40``."""
    whole, _, cents = format_decimal(value).partition(".")
    return f"{whole}.{cents:0<2}"


def _integer(text: str, allowed: range) -> int:
    if not _INTEGER.fullmatch(text) or int(text) not in allowed:
        raise ValueError(text)
    return int(text)


def _format_text(value: object) -> str:
    if not isinstance(value, str):
        raise LocalProtocolError(f"{value!r} is not text")
    return value


def _format_int(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise LocalProtocolError(f"{value!r} is not an int")
    return str(value)


def _of_decimal(form: Callable[[Decimal], str]) -> Callable[[object], str]:
    def format_number(value: object) -> str:
        if not isinstance(value, Decimal):
            raise LocalProtocolError(f"{value!r} is not a Decimal")
        return form(value)

    return format_number


_format_number = _of_decimal(format_decimal)
_format_double = _of_decimal(format_double)
_format_strike = _of_decimal(lambda value: format_double(value) if value else "0")
_format_money = _of_decimal(format_money)


def _format_flag(value: object) -> str:
    if not isinstance(value, bool):
        raise LocalProtocolError(f"{value!r} is not a bool")
    return "1" if value else "0"


def _parse_flag(text: str) -> bool:
    return bool(text) and parse_int(text) != 0


def _parse_optional_flag(text: str) -> bool | None:
    number = parse_optional_int(text)
    return None if number is None else number != 0


def _parse_offset(text: str) -> Decimal | None:
    if text.lower() in ("infinity", "infinite", "inf"):
        return INFINITE
    return parse_optional_decimal(text)


def _parse_condition_type(text: str) -> int:
    number = parse_int(text)
    if number not in CONDITION_TYPES:
        raise ValueError(text)
    return number


def _or_zero(parse: Callable[[str], object], zero: object) -> Callable[[str], object]:
    return lambda text: parse(text) if text else zero


def _or_unset(format_set: Callable[[object], str], unset: str) -> Callable[[object], str]:
    return lambda value: unset if value is None else format_set(value)


def _set_or_zero(text: str) -> object:
    number = parse_optional_decimal(text)
    return Decimal(0) if number is None else number


TEXT = Codec("text", str, _format_text)
ID = Codec("id", parse_int, _format_int)
INT = Codec("int", _or_zero(parse_int, 0), _format_int)
LONG = Codec("long", _or_zero(parse_long, 0), _format_int)
NUMBER = Codec("number", _set_or_zero, _format_number)
FLAG = Codec("flag", _parse_flag, _format_flag)
OPTIONAL_INT = Codec("optional int", parse_optional_int, _or_unset(_format_int, ""))
OPTIONAL_INT_MAX = Codec("optional int", parse_optional_int, _or_unset(_format_int, MAX_INT))
OPTIONAL_NUMBER = Codec("optional number", parse_optional_decimal, _or_unset(_format_number, ""))
DOUBLE = Codec("number", _set_or_zero, _format_double)
STRIKE = Codec("number", _set_or_zero, _format_strike)
MONEY = Codec("number", _set_or_zero, _format_money)
OPTIONAL_DOUBLE = Codec("optional number", parse_optional_decimal, _or_unset(_format_double, ""))
OPTIONAL_DOUBLE_MAX = Codec(
    "optional number", parse_optional_decimal, _or_unset(_format_double, MAX_DOUBLE)
)
OPTIONAL_FLAG = Codec("optional flag", _parse_optional_flag, _or_unset(_format_flag, ""))
OFFSET = Codec("optional number", _parse_offset, _or_unset(_format_number, ""))
CONDITION_TYPE = Codec("condition type", _parse_condition_type, _format_int)
