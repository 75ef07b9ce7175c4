"""What one cell of the portfolio CSV may hold: a column name, a symbol or a percent.

Each reader returns the value or raises ValueError with what was expected, in plain words.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Final

from src.base.money import ZERO, parse_percent
from src.base.text import code_point
from src.core.records.portfolios import CASH, Symbol
from src.core.showing.spelling import other_spellings
from src.io.files.spreadsheet_text import is_error_value, plain_number
from src.io.portfolio_file.csv_form import SYMBOL_COLUMN

MAX_NAME_CHARS: Final = 64
_NOT_IN_NAMES: Final = "=:;#["
_FAILED: Final = "expected {}, this is a spreadsheet's error value: mend the formula"
_ISIN: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_SLASHED: Final = re.compile(r"[A-Z0-9]{1,6}[/^][A-Z0-9]{1,3}")
_SYMBOL: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9. -]{0,10}[A-Z0-9])?")


def read_symbol(cell: str) -> Symbol:
    """Trim and upper-case a symbol such as ``SPY``, ``BRK B`` or ``cash``."""
    if is_error_value(cell):
        raise ValueError(_FAILED.format("a symbol"))
    for char in cell:
        if not (char.isascii() and char.isprintable()):
            raise ValueError(
                f"contains {code_point(char)}, expected plain ASCII letters and digits"
            )
    symbol = cell.strip().upper()
    if not symbol:
        raise ValueError("expected a symbol in front of the weights")
    if is_isin(symbol):
        raise ValueError("expected the ticker symbol that IBKR shows, such as SPY, not an ISIN")
    exchange, colon, rest = symbol.partition(":")
    if colon and exchange.isalpha() and _SYMBOL.fullmatch(rest):
        raise ValueError(f"expected the symbol alone, without its exchange: {rest}")
    if _SLASHED.fullmatch(symbol):
        raise ValueError(f"expected a share class as IBKR writes it: {other_spellings(symbol)[0]}")
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(
            "expected at most 12 letters and digits, with '.', '-' or a space only inside"
        )
    return symbol


def is_isin(text: str) -> bool:
    """True for a security's international number; its last digit checks the others (ISO 6166)."""
    if not _ISIN.fullmatch(text):
        return False
    digits = "".join(str(int(char, 36)) for char in text)
    doubled = [str(int(digit) * (2 - at % 2)) for at, digit in enumerate(digits[-2::-1])]
    return (sum(map(int, "".join(doubled))) + int(digits[-1])) % 10 == 0


def read_weight(cell: str, symbol: Symbol) -> Decimal:
    """Read a percent cell as a fraction; blank is 0, and only CASH may be negative."""
    if not cell.strip():
        return ZERO
    if is_error_value(cell):
        raise ValueError(_FAILED.format("a percent"))
    try:
        weight = parse_percent(plain_number(cell))
    except ValueError as error:
        hint = ", with a decimal point and no commas" if "," in cell else ""
        raise ValueError(f"expected blank or a percent such as 33% or 12.5{hint}") from error
    if not weight >= ZERO and symbol != CASH:
        raise ValueError("expected 0 or more, only CASH may be negative")
    return weight


def read_model_name(cell: str) -> str:
    """A model's column name, composed (NFC); it is also a key of the settings file."""
    cell = unicodedata.normalize("NFC", cell)
    if not cell.strip():
        raise ValueError("has no name, expected a model's name or no column at all")
    if not cell.isprintable() or len(cell) > MAX_NAME_CHARS:
        raise ValueError(f"expected at most {MAX_NAME_CHARS} printable characters")
    if any(char in _NOT_IN_NAMES for char in cell):
        raise ValueError(f"expected a name without any of {' '.join(_NOT_IN_NAMES)}")
    if cell.upper() in {SYMBOL_COLUMN, CASH}:
        raise ValueError(f"expected a model's name, {cell.upper()} is not one")
    return cell
