"""Scan INI text line by line: which value stands where, and what is not INI at all.

The grammar is ``configparser``'s without interpolation, but stricter where that module guesses:
a key or section given twice (also in other case) and an indented continuation line are problems.
``configparser`` itself knows no line numbers and stops at its first error.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from src.base.text import printable, shown_value
from src.core.records.portfolios import folded_name
from src.io.files.input_file import InputText
from src.io.files.problem_list import ProblemList
from src.io.files.spreadsheet_text import unquoted

_DELIMITER: Final = re.compile(r"[=:]")
_INLINE_COMMENT: Final = re.compile(r"(?:^|\s)[;#]")


class Entry(NamedTuple):
    """One ``key = value`` line; ``value`` without comment and quotation marks, ``quoted`` with."""

    key: str
    value: str
    line: int
    quoted: str = ""


class IniSection:
    """A section's name as spelled, the line of its header, and its entries by folded key.

    ``is_whole`` is False once a line of it could not be read, or gave a key again.
    """

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.line = line
        self.entries: dict[str, Entry] = {}
        self.is_whole = True


class IniText:
    """All sections by folded name, and every problem of form."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems = ProblemList(name)
        self.sections: dict[str, IniSection] = {}


def place_of(section: str, key: str = "") -> str:
    """``[section] key`` for a message."""
    place = f"[{printable(section, 60)}]" if section else ""
    return f"{place} {printable(key, 64)}" if key else place


def scan_ini(source: InputText) -> IniText:
    """Read every line; problems are collected, never raised."""
    scanner = _Scanner(IniText(source.name))
    for number, line in enumerate(source.lines, start=1):
        scanner.read_line(number, line)
    return scanner.ini


class _Scanner:
    """Where the scan stands: the section being filled and the indent of its last key."""

    def __init__(self, ini: IniText) -> None:
        self.ini = ini
        self.section: IniSection | None = None
        self.saw_header = False
        self.key_indent: int | None = None

    def read_line(self, number: int, line: str) -> None:
        comment = _INLINE_COMMENT.search(line)
        content = (line[: comment.start()] if comment else line).rstrip()
        text = content.lstrip()
        if not text:
            return
        indent = len(content) - len(text)
        if self.key_indent is not None and indent > self.key_indent:
            self._report(
                number,
                f"{shown_value(text)} is indented below a key",
                "values stand on one line; remove the spaces in front of a key",
            )
        elif text.startswith("["):
            self._open_section(number, text)
        else:
            self._add_entry(number, text, indent)

    def _open_section(self, number: int, text: str) -> None:
        self.key_indent = None
        self.saw_header = True
        name = text[1:-1]
        if not text.endswith("]") or not name:
            self.section = None
            self._report(number, f"{shown_value(text)} is not a section", "write [name]")
            return
        self.section = IniSection(name, number)
        first = self.ini.sections.setdefault(name.strip().casefold(), self.section)
        if first is not self.section:
            self._report(
                number,
                f"section [{printable(name, 60)}] stands twice",
                f"first in line {first.line}; put all its keys there",
            )
            self.section = first

    def _add_entry(self, number: int, text: str, indent: int) -> None:
        parts = _DELIMITER.split(text, maxsplit=1)
        key = parts[0].rstrip()
        if len(parts) == 1 or not key:
            self._report(number, f"{shown_value(text)} is not a setting", "write key = value")
            return
        self.key_indent = indent
        if self.section is None:
            if not self.saw_header:
                self._report(number, f"{shown_value(key)} stands before the first [section]")
            return
        key = unicodedata.normalize("NFC", key)
        quoted = parts[1].strip()
        entry = Entry(key=key, value=unquoted(quoted), line=number, quoted=quoted)
        first = self.section.entries.setdefault(folded_name(key), entry)
        if first is not entry:
            self._report(
                number,
                f"{shown_value(key)} stands twice",
                f"first in line {first.line} as {shown_value(first.value)}; keep one",
            )

    def _report(self, number: int, what: str, hint: str = "") -> None:
        place = place_of(self.section.name) if self.section else ""
        if self.section is not None:
            self.section.is_whole = False
        self.ini.problems.report(number, place, what, hint)
