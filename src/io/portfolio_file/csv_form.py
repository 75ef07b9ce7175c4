"""How a CSV file is written: what separates its columns, and which decimal sign it uses.

A spreadsheet exports in the form of its computer's country: a semicolon and a decimal comma in
Germany and France, a semicolon and a point in Switzerland, tabs when the text was copied. The form
is taken where the whole file agrees on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from src.io.files.spreadsheet_text import plain_number, plain_text_of

SYMBOL_COLUMN: Final = "ETF"
_SEPARATORS: Final = {",": ",", ";": ";", "\t": "tab"}
_SEP_LINE: Final = re.compile(r'\ufeff?\s*"?sep=([,;\t])"?[,;\t\s]*', re.IGNORECASE)
_HEADER: Final = re.compile(rf'"?\s*{SYMBOL_COLUMN}\s*"?\s*([,;\t])', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"[^"]*"')
_COMMA: Final = re.compile(r"-?[0-9]*,[0-9]+ *%?")
_POINT: Final = re.compile(r"-?[0-9]*\.[0-9]+ *%?")


class CsvForm(NamedTuple):
    """``separator`` between columns; ``has_decimal_comma``: 62,5 is 62.5."""

    separator: str = ","
    has_decimal_comma: bool = False

    def __str__(self) -> str:
        """How the file was read, for the OK line; empty for the usual form."""
        parts = [] if self.separator == "," else [_SEPARATORS[self.separator]]
        parts += ["decimal comma"] if self.has_decimal_comma else []
        return f"read with {' and '.join(parts)}" if parts else ""


def separator_line(line: str) -> str:
    """The separator that an export's first line ``sep=;`` names; empty for any other line."""
    found = _SEP_LINE.fullmatch(line)
    return found[1] if found else ""


def find_separator(lines: Iterable[str]) -> str:
    """What follows ETF in the header; without such a header, what the first line has most of.

    ``lines`` are those that are no comments.
    """
    first = ""
    for line in lines:
        if not line.strip():
            continue
        found = _HEADER.match(line.replace("\u00a0", " ").lstrip(" \ufeff"))
        if found:
            return found[1]
        first = first or _QUOTED.sub("", line)
    return max(_SEPARATORS, key=first.count)


class DecimalSigns(NamedTuple):
    """The first cell, by line and text, that has a decimal comma, and the first with a point."""

    comma: tuple[int, str] | None
    point: tuple[int, str] | None


def decimal_signs(rows: Sequence[tuple[int, tuple[str, ...]]]) -> DecimalSigns:
    """Look at the weights of all rows; ``rows`` are line and cells, the symbol first."""
    cells = [(line, cell) for line, row in rows for cell in row[1:] if cell]
    return DecimalSigns(
        comma=next((one for one in cells if is_decimal_comma(one[1])), None),
        point=next((one for one in cells if _POINT.fullmatch(_number(one[1]))), None),
    )


def is_decimal_comma(cell: str) -> bool:
    """True for a number or percent with a comma in front of its decimals, such as ``62,50 %``."""
    return _COMMA.fullmatch(_number(cell)) is not None


def _number(cell: str) -> str:
    return plain_number(plain_text_of(cell))
