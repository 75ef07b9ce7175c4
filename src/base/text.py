r"""Text made safe to show: nothing from a file or the gateway reaches screen, log or CSV raw.

Pure functions. An unprintable character (control, escape, line break, bidi mark, zero width) is
shown as its escape, ``\x1b`` or ``\u202e``, so one message stays one line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "|", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def printable(text: str, limit: int = 2000) -> str:
    """The text with every unprintable character escaped, cut to ``limit`` characters."""
    shown = text if len(text) <= limit else text[:limit] + "..."
    if shown.isprintable():
        return shown
    return "".join(char if char.isprintable() else _escape(char) for char in shown)


def shown_value(text: str) -> str:
    """A value read from a file, quoted, escaped and cut."""
    return f"'{printable(text, limit=60)}'"


def code_point(char: str) -> str:
    """Name one character for people who cannot see it: ``U+0423 CYRILLIC CAPITAL LETTER U``."""
    import unicodedata

    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()


def csv_text(text: str) -> str:
    """A cell that no spreadsheet reads as a formula; plain numbers keep their sign.

    A leading apostrophe is the spreadsheet's own mark for "this is text".
    """
    safe = printable(text)
    if safe.lstrip(" \"'").startswith(_FORMULA_STARTS) and not _is_number(safe):
        return "'" + safe
    return safe


def nearest(word: str, options: Iterable[str]) -> str:
    """The option a typing mistake most likely meant, or an empty string."""
    import difflib

    by_folded = {option.casefold(): option for option in options}
    found = difflib.get_close_matches(word[:80].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else ""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """``did you mean X?`` or an empty string when nothing is near."""
    found = nearest(word, options)
    return f"did you mean {found}?" if found else ""


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _is_number(text: str) -> bool:
    from src.base.money import parse_machine_decimal

    try:
        parse_machine_decimal(text)
    except ValueError:
        return False
    return True


def counted(number: int, noun: str) -> str:
    """``1 symbol``, ``3 symbols``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
