"""Read the rows of a CSV text the way spreadsheets write them, within bounds.

Comment lines, blank lines and rows of empty cells are skipped; each row keeps the line it starts
on. A cell that is too long or a quote that is never closed ends the reading with a problem.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final, NamedTuple

from src.io.input_file import InputText
from src.io.problem_list import ProblemList

MAX_ROWS: Final = 10_000
BLANKS: Final = " \t"


class CsvRow(NamedTuple):
    """One row: the line it starts on and its trimmed cells."""

    line: int
    cells: tuple[str, ...]


class CsvTable:
    """The header row (None: the file holds no row), the rows below it, and what is wrong."""

    def __init__(self, name: str) -> None:
        self.problems = ProblemList(name)
        self.header: CsvRow | None = None
        self.rows: list[CsvRow] = []


def read_table(source: InputText) -> CsvTable:
    """Split a file into header and rows; problems are collected, never raised."""
    table = CsvTable(source.name)
    for row in _rows(source, table.problems):
        if table.header is None:
            table.header = row
        elif len(table.rows) < MAX_ROWS:
            table.rows.append(row)
        else:
            table.problems.report(row.line, "", f"has more than {MAX_ROWS} rows")
            break
    return table


def _rows(source: InputText, problems: ProblemList) -> Iterator[CsvRow]:
    feed = _LineFeed(source.lines)
    reader = csv.reader(feed, strict=True, skipinitialspace=True)
    while feed.find_record():
        line = feed.line
        try:
            cells = tuple(cell.strip(BLANKS) for cell in next(reader))
        except csv.Error as error:
            problems.report(line, "", *_explain(error))
            return
        if any(cells) and not cells[0].startswith("#"):
            yield CsvRow(line=line, cells=cells)


class _LineFeed:
    """Hands lines to the CSV reader, which takes several only for a quoted cell with line breaks.

    Comment lines are skipped before a record begins, so that a lone quote in one does no harm.
    """

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._lines = lines
        self._next = 0

    @property
    def line(self) -> int:
        """The number of the line handed out next."""
        return self._next + 1

    def find_record(self) -> bool:
        """Move to the next line that is no comment; False at the end of the file."""
        while self._next < len(self._lines):
            if not self._lines[self._next].lstrip(BLANKS).startswith("#"):
                return True
            self._next += 1
        return False

    def __iter__(self) -> _LineFeed:
        return self

    def __next__(self) -> str:
        if self._next >= len(self._lines):
            raise StopIteration
        self._next += 1
        return self._lines[self._next - 1] + "\n"


def _explain(error: csv.Error) -> tuple[str, str]:
    if "field limit" in str(error):
        return "a cell is longer than 128 KiB", "is a quote left open?"
    return "a quoted cell is not closed or goes on behind its closing quote", "remove the quotes"
