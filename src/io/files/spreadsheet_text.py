"""The characters that spreadsheets and web pages write where a keyboard writes plain ones.

One table for cells and settings alike. What a person cannot tell from a space or a minus sign is
one; what cannot be seen at all (zero width, bidi marks) stays as it is and is refused by name.
"""

from __future__ import annotations

import re
from typing import Final

_SPACES: Final = "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_MORE_SPACES: Final = "\u202f\u205f\u3000"
_MINUSES: Final = "\u2012\u2013\u2212\ufe63\uff0d"
_QUOTES: Final = "\"'\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
_PLAIN: Final = str.maketrans(
    dict.fromkeys(_SPACES + _MORE_SPACES, " ") | dict.fromkeys(_MINUSES, "-")
)
_FORMULA_TEXT: Final = re.compile(r'="([^"]*)"')
_IN_BRACKETS: Final = re.compile(r"\(([^()-]+)\)( ?%?)")
_ERROR_VALUE: Final = re.compile(r"#(?:N/A|N/D|NV|\S*[!?])", re.IGNORECASE)


def plain_text_of(text: str) -> str:
    """The text with every kind of space as a space, every minus as ``-``, none at its ends."""
    return text.translate(_PLAIN).strip(" ")


def plain_cell(text: str) -> str:
    """A cell as a keyboard would write it; ``="SPY"``, the export's way to keep text, is SPY."""
    cell = plain_text_of(text)
    formula = _FORMULA_TEXT.fullmatch(cell)
    return plain_text_of(formula[1]) if formula else cell


def plain_number(text: str) -> str:
    """A plain cell with the accounting form of a negative number, ``(10%)``, as ``-10%``."""
    bracketed = _IN_BRACKETS.fullmatch(text)
    return f"-{bracketed[1].strip(' ')}{bracketed[2]}" if bracketed else text


def unquoted(text: str) -> str:
    """The text without the quotation marks around it, if it has them at both ends."""
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        return text[1:-1].strip()
    return text


def is_error_value(text: str) -> bool:
    """True for what a spreadsheet writes where a formula failed: ``#N/A``, ``#REF!``, ``#WERT!``.

    ``#NV`` and ``#N/D`` are the German, French and Italian spellings of ``#N/A``.
    """
    return _ERROR_VALUE.fullmatch(text) is not None
