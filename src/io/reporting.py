"""Write the pre-trade and post-trade reports, and read them back.

A report is written whole or not at all, never over another file, as UTF-8 with a comma, a line
feed and a decimal point on every system. The rows come from ``src.io.reports.report_rows``.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

from src.io.files.atomic import write_new_file
from src.io.reports.report_rows import Row

_LINE_END: Final = "\n"
_MAX_COPIES: Final = 100


def write_report(path: Path, columns: Row, rows: tuple[Row, ...]) -> Path:
    """Write a report and return the path it got: ``path``, or ``…-2.csv`` where that is taken.

    A file that already holds exactly this report is left as it is and its path returned.
    Raises: OSError when it cannot be written; then there is no new file.
    """
    data = report_bytes(columns, rows)
    for number in range(1, _MAX_COPIES):
        target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        try:
            write_new_file(target, data)
        except FileExistsError:
            if _holds(target, data):
                return target
        else:
            return target
    raise FileExistsError(f"{path} and {_MAX_COPIES - 2} copies of it exist already")


def report_bytes(columns: Row, rows: tuple[Row, ...]) -> bytes:
    """A report as it is on the disk; the same rows always give the same bytes."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_LINE_END).writerows((columns, *rows))
    return text.getvalue().encode("utf-8")


def read_report(path: Path, columns: Row) -> tuple[Row, ...]:
    """The rows of a report, every cell as the text it was written as.

    Raises: ValueError when the columns are not these; OSError when it cannot be read.
    """
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = [tuple(row) for row in csv.reader(file, strict=True)] or [()]
    if header != columns or any(len(row) != len(columns) for row in rows):
        raise ValueError(f"{path} does not have the columns of this report")
    return tuple(rows)


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
