"""Read the rows of a CSV text the way spreadsheets write them, within bounds.

Comment lines, blank lines, rows of empty cells and an export's first line ``sep=;`` are skipped;
each row keeps the line it starts on. A line that starts with a spreadsheet's error value (``#N/A``)
is no comment. A cell that is too long or a quote that is never closed ends the reading with a
problem. A decimal comma is a decimal point from here on, if all numbers of the file agree on it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from src.base.text import shown_value
from src.io.files.input_file import InputText
from src.io.files.problem_list import ProblemList
from src.io.files.spreadsheet_text import is_error_value, plain_cell
from src.io.portfolio_file.csv_form import (
    CsvForm,
    decimal_signs,
    find_separator,
    is_decimal_comma,
    separator_line,
)

MAX_ROWS: Final = 10_000
_CELL_ENDS: Final = re.compile(r"[,;\t]")


class CsvRow(NamedTuple):
    """One row: the line it starts on and its trimmed cells."""

    line: int
    cells: tuple[str, ...]


class CsvTable:
    """The header row (None: the file holds no row), the rows below it, and what is wrong."""

    def __init__(self, name: str) -> None:
        self.problems = ProblemList(name)
        self.form = CsvForm()
        self.header: CsvRow | None = None
        self.rows: list[CsvRow] = []


def read_table(source: InputText) -> CsvTable:
    """Split a file into header and rows; problems are collected, never raised."""
    table = CsvTable(source.name)
    feed = _LineFeed(source.lines)
    table.form = CsvForm(separator=feed.find_separator())
    for row in _rows(feed, table):
        if table.header is None:
            table.header = row
        elif len(table.rows) < MAX_ROWS:
            table.rows.append(row)
        else:
            table.problems.report(row.line, "", f"has more than {MAX_ROWS} rows")
            break
    _read_decimal_commas(table)
    return table


def _read_decimal_commas(table: CsvTable) -> None:
    """Turn the file's decimal commas into points, or say that it mixes the two."""
    comma, point = decimal_signs(table.rows)
    if comma is None:
        return
    if point is not None:
        line, cell = max(comma, point)
        other = min(comma, point)
        what = f"{shown_value(cell)} and {shown_value(other[1])} in line {other[0]}"
        hint = "write all numbers with the same decimal sign"
        table.problems.report(line, "", f"decimal commas and points are mixed: {what}", hint)
    table.form = table.form._replace(has_decimal_comma=True)
    table.rows = [CsvRow(line, tuple(map(_with_point, cells))) for line, cells in table.rows]


def _with_point(cell: str) -> str:
    return cell.replace(",", ".") if is_decimal_comma(cell) else cell


def _rows(feed: _LineFeed, table: CsvTable) -> Iterator[CsvRow]:
    separator, problems = table.form.separator, table.problems
    reader = csv.reader(feed, delimiter=separator, strict=True, skipinitialspace=True)
    while feed.find_record():
        line = feed.line
        try:
            cells = tuple(map(plain_cell, next(reader)))
        except csv.Error as error:
            problems.report(line, "", *_explain(error))
            return
        if any(cells) and not _is_comment(cells[0]):
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
            if not self._is_skipped(self._next):
                return True
            self._next += 1
        return False

    def find_separator(self) -> str:
        """What separates the columns of the file."""
        lines = [line for at, line in enumerate(self._lines) if not self._is_skipped(at)]
        return separator_line(self._lines[0]) or find_separator(lines)

    def _is_skipped(self, at: int) -> bool:
        line = self._lines[at]
        if at == 0 and separator_line(line):
            return True
        return _is_comment(plain_cell(_CELL_ENDS.split(line, maxsplit=1)[0]))

    def __iter__(self) -> _LineFeed:
        return self

    def __next__(self) -> str:
        if self._next >= len(self._lines):
            raise StopIteration
        self._next += 1
        return self._lines[self._next - 1] + "\n"


def _is_comment(first_cell: str) -> bool:
    return first_cell.startswith("#") and not is_error_value(first_cell.strip('"'))


def _explain(error: csv.Error) -> tuple[str, str]:
    if "field limit" in str(error):
        return "a cell is longer than 128 KiB", "is a quote left open?"
    return "a quoted cell is not closed or goes on behind its closing quote", "remove the quotes"
