"""How one settings value is read: each parser returns the value or says what it expected.

A parser takes the text behind ``=`` and raises ValueError with a message that begins with
"expected". Numbers are plain ASCII decimals; comparisons are written so that NaN would fail.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

from src.base.accounts import normalise_account
from src.base.money import (
    ONE,
    ZERO,
    bps_to_weight,
    parse_decimal,
    parse_percent,
    plain_text,
    weight_to_percent,
)
from src.base.settings import ContractChoice
from src.base.text import shown_value
from src.core.records.portfolios import folded_name
from src.io.files.spreadsheet_text import plain_text_of

ValueParser = Callable[[str], object]

MAX_WHOLE: Final = 2**31 - 1
_MAX_SECONDS: Final = Decimal(10) ** 9
_BARE_FRACTION_LIMIT: Final = Decimal("0.2")
MAX_LABEL_CHARS: Final = 40
_NAME_AND_WEIGHT: Final = 2
_EXCHANGE: Final = re.compile(r"[A-Z][A-Z0-9._-]{1,15}")
_HOST: Final = re.compile(r"[A-Za-z0-9:][A-Za-z0-9_.:%-]{0,252}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_TRUTH: Final = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip


def whole_number(low: int, high: int = MAX_WHOLE) -> ValueParser:
    """A whole number from ``low`` to ``high``, both allowed."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(text)

    return parse


def number_from(low: int, high: int | None = None) -> ValueParser:
    """A decimal number of at least ``low`` and, if given, at most ``high``."""
    upto = f" to {high}" if high is not None else " or more"

    def parse(text: str) -> Decimal:
        expected = f"expected a number, {low}{upto}"
        value = _number(text, expected)
        if not (value >= low and (high is None or value <= high)):
            raise ValueError(expected)
        return value

    return parse


def seconds(text: str) -> Decimal:
    """A duration above zero; a billion seconds is as good as for ever."""
    expected = "expected a number of seconds above 0"
    value = _number(text, expected)
    if not ZERO < value <= _MAX_SECONDS:
        raise ValueError(expected)
    return value


def basis_points(text: str) -> Decimal:
    """A band as a weight: 50 basis points, written ``50`` or ``0.5%``, are 0.005."""
    expected = "expected basis points or a percent, 0 or more (50 is 0.5%)"
    if text.endswith("%"):
        value = _fraction_or_percent(text, expected)
    else:
        value = bps_to_weight(_number(text, expected))
    if not value >= ZERO:
        raise ValueError(expected)
    return value


def share_of_mix(text: str) -> Decimal:
    """A model's part of the mix: ``0.5`` or ``50%``."""
    expected = "expected a fraction from 0 to 1, or a percent such as 50%"
    value = _fraction_or_percent(text, expected)
    if not ZERO <= value <= ONE:
        raise ValueError(expected)
    return value


def buffer_share(text: str) -> Decimal:
    """The cash buffer as a fraction of net liq; above 0.2 only with the % sign."""
    expected = "expected a percent such as 1%, or a fraction from 0 to 0.2"
    value = _fraction_or_percent(text, expected)
    if not text.endswith("%") and value > _BARE_FRACTION_LIMIT:
        bare = plain_text(value)
        percent = plain_text(weight_to_percent(value))
        raise ValueError(
            f"expected the % sign: {bare} could mean {bare}% or {percent}%: write which"
        )
    if not ZERO <= value < ONE:
        raise ValueError("expected a percent from 0% to below 100%")
    return value


def percent_above_zero(text: str) -> Decimal:
    """A percent whose % sign may not be left out."""
    expected = "expected a percent above 0 with the % sign, such as 1%"
    if not text.endswith("%"):
        raise ValueError(expected)
    value = _fraction_or_percent(text, expected)
    if not value > ZERO:
        raise ValueError(expected)
    return value


def contract_choice(text: str) -> ContractChoice:
    """A contract id, or the exchange an instrument is listed on."""
    expected = "expected a conId such as 756733, or the exchange of its listing such as ARCA"
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_WHOLE)):
        if 0 < int(text) <= MAX_WHOLE:
            return ContractChoice(con_id=int(text))
    elif _EXCHANGE.fullmatch(text.upper()) and text.upper() != "SMART":
        return ContractChoice(exchange=text.upper())
    raise ValueError(expected)


def choice(*options: str) -> ValueParser:
    """One of the given words, in any case."""

    def parse(text: str) -> str:
        for option in options:
            if text.casefold() == option.casefold():
                return option
        raise ValueError(f"expected {_one_of(options)}")

    return parse


def some_of(*options: str) -> ValueParser:
    """One or more of the given words, with commas between them, in any case."""
    one = choice(*options)

    def parse(text: str) -> tuple[str, ...]:
        try:
            chosen = {one(part.strip()) for part in text.split(",")}
        except ValueError:
            listed = f"{', '.join(options[:-1])} and {options[-1]}"
            raise ValueError(f"expected one or more of {listed}, with commas") from None
        return tuple(option for option in options if option in chosen)

    return parse


def command_line(text: str, *, is_windows: bool = sys.platform == "win32") -> tuple[str, ...]:
    r"""The words of a command, as a shell would quote them: ``"C:\My Tools\tell.exe" -x``.

    No shell reads them: no variables, pipes or wildcards. On Windows a backslash is a backslash.
    """
    import shlex

    if not text.isprintable():
        raise ValueError("expected a command in printable characters")
    words = shlex.shlex(text, posix=True, punctuation_chars=False)
    words.whitespace_split, words.commenters = True, ""
    if is_windows:
        words.escape, words.quotes = "", '"'
    try:
        return tuple(words)
    except ValueError:
        raise ValueError("expected a command whose quotation marks are closed") from None


def boolean(text: str) -> bool:
    """``true`` or ``false``, or one of configparser's other spellings of them."""
    if text.lower() not in _TRUTH:
        raise ValueError("expected true or false")
    return _TRUTH[text.lower()]


def host_name(text: str) -> str:
    """A host name or an IP address, without scheme and port."""
    if not _HOST.fullmatch(text) or text.count(":") == 1:
        raise ValueError("expected a host name or IP address such as 127.0.0.1, without a port")
    return text


def account(text: str) -> str:
    """One account id; spaces and case are forgiven, lists and groups are not."""
    return normalise_account(plain_text_of(text).replace(" ", ""))


def directory(text: str) -> Path:
    """A path in printable characters."""
    if not text or not text.isprintable():
        raise ValueError("expected the path of a directory")
    return Path(text)


def file_path(text: str) -> Path:
    """The path of a file, in printable characters."""
    if not text or not text.isprintable():
        raise ValueError("expected the path of a file")
    return Path(text)


def label_text(text: str) -> str:
    """A few words that name an account on screen."""
    if not 0 < len(text) <= MAX_LABEL_CHARS or not text.isprintable():
        raise ValueError(f"expected a label of at most {MAX_LABEL_CHARS} printable characters")
    return text


def mix_in_words(text: str) -> dict[str, Decimal]:
    """A mix on one line, ``SMURF 50%, GLTR 50%``: each part a name and, as last word, its weight.

    Whether the weights sum to 1 is left to the caller.
    """
    expected = "expected names with weights, such as SMURF 50%, GLTR 50%"
    mix: dict[str, Decimal] = {}
    for part in text.split(","):
        words = part.split()
        if len(words) < _NAME_AND_WEIGHT:
            whose = f"; {shown_value(part.strip())} has no weight"
            comma = " (a model whose name has a comma can only stand in [models])"
            raise ValueError(f"{expected}{whose if part.strip() else ''}{comma}")
        name = part.strip()[: -len(words[-1])].strip()
        if folded_name(name) in map(folded_name, mix):
            raise ValueError(f"{expected}; {shown_value(name)} stands twice")
        mix[name] = share_of_mix(words[-1])
    return mix


def _number(text: str, expected: str) -> Decimal:
    try:
        return parse_decimal(plain_text_of(text))
    except ValueError as error:
        raise ValueError(_with_comma_hint(text, expected)) from error


def _fraction_or_percent(text: str, expected: str) -> Decimal:
    plain = plain_text_of(text)
    try:
        return parse_percent(plain) if plain.endswith("%") else parse_decimal(plain)
    except ValueError as error:
        raise ValueError(_with_comma_hint(text, expected)) from error


def _with_comma_hint(text: str, expected: str) -> str:
    return f"{expected}, with a decimal point and no commas" if "," in text else expected


def _one_of(options: tuple[str, ...]) -> str:
    *most, last = options
    return f"{', '.join(most)} or {last}" if most else last
