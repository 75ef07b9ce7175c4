"""What a table that cannot be read as portfolios looks like instead: one message, not one a cell.

Asked only about a table that was refused, so it can never turn a good file away. Each recogniser
looks at the whole table and returns one problem or None; the first that knows the shape speaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from src.base.money import ONE, ZERO, plain_text, weight_to_percent
from src.base.text import shown_value
from src.core.records.portfolios import CASH
from src.io.files.spreadsheet_text import is_error_value
from src.io.portfolio_file.csv_cells import is_isin, read_symbol, read_weight
from src.io.portfolio_file.csv_form import SYMBOL_COLUMN
from src.io.portfolio_file.csv_rows import CsvRow, CsvTable

_LAYOUT: Final = f"expected {SYMBOL_COLUMN},<model>,<model>... and one row per symbol"
_MARKUP: Final = re.compile(r"<(?:!doctype|html|head|body|table|\?xml)\b", re.IGNORECASE)
_TITLE_ROWS: Final = 20
_ROUNDED: Final = Decimal("0.005")
"""Half a percent point: what sums of rounded percents may differ by."""

_TOTAL_WORDS: Final = re.compile(
    r"((sub|zwischen|sous-?)?(total|summe|sum)[a-z]?[a-z]?)|(ins|gesamt)?(gesamt|ergebnis)"
    r"|gesamtsumme|somme|suma|(sub)?(totaal|totalt)"
)


class Shape(NamedTuple):
    """One message about a whole table: the line to look at, what is seen, what is expected."""

    line: int
    what: str
    hint: str


def recognise(table: CsvTable) -> Shape | None:
    """What a refused table is, where that is certain."""
    if table.header is None:
        return None
    for recogniser in _RECOGNISERS:
        shape = recogniser(table, table.header)
        if shape is not None:
            return shape
    return None


def _web_page(_: CsvTable, header: CsvRow) -> Shape | None:
    if not _MARKUP.match(header.cells[0]):
        return None
    return Shape(
        header.line,
        "this is a web page, not a CSV file",
        "sign in, open the sheet, and export it: File → Download (or Save as) → CSV",
    )


def _title(table: CsvTable, header: CsvRow) -> Shape | None:
    if _is_symbol_column(header.cells[0]):
        return None
    for row in table.rows[:_TITLE_ROWS]:
        if _is_symbol_column(row.cells[0]) and len(row.cells) > 1:
            title = shown_value(" ".join(cell for cell in header.cells if cell))
            what = f"{title} looks like a title above the table, whose header is line {row.line}"
            return Shape(header.line, what, f"delete what stands above {SYMBOL_COLUMN}")
    return None


def _swapped(table: CsvTable, header: CsvRow) -> Shape | None:
    """Models in rows: each row adds up, and the columns are headed by symbols."""
    names = [cell for cell in header.cells[1:] if cell]
    if len(names) == 1 or not all(_is_symbol(name) for name in names):
        return None
    if _is_symbol_column(header.cells[0]) and CASH not in map(str.upper, names):
        return None
    grid = [[_weight(cell) for cell in row.cells[1 : len(names) + 1]] for row in table.rows]
    if not grid or any(None in row for row in grid):
        return None
    if not all(_is_whole(sum((cell or ZERO for cell in row), ZERO)) for row in grid):
        return None
    return Shape(
        header.line,
        "rows and columns are swapped: each row is a model, each column a symbol",
        f"{_LAYOUT}; in a spreadsheet: copy, then Paste special → Transpose",
    )


def _long(table: CsvTable, header: CsvRow) -> Shape | None:
    """One row per model and symbol: one column of numbers, and a text column that repeats."""
    columns = _columns(table, header)
    numbers = [name for name, cells in columns if _are_weights(cells)]
    texts = [cells for _, cells in columns if _are_texts(cells)]
    has_repeats = any(len(set(cells)) < len(cells) for cells in texts)
    if len(numbers) != 1 or len(texts) == 1 or not has_repeats:
        return None
    return Shape(
        header.line,
        "the table has one row per model and symbol",
        f"{_LAYOUT}, its weight in each model's column; a pivot table makes that",
    )


def _misplaced_symbols(_: CsvTable, header: CsvRow) -> Shape | None:
    at = next((at for at, cell in enumerate(header.cells) if _is_symbol_column(cell)), 0)
    if not at:
        return None
    what = f"{SYMBOL_COLUMN} is column {at + 1}, expected it first"
    removed = ", ".join(shown_value(cell) for cell in header.cells[:at])
    return Shape(header.line, what, f"move it to the front, or remove {removed}")


def _isins(table: CsvTable, header: CsvRow) -> Shape | None:
    cells = [row.cells[0] for row in table.rows if row.cells[0].upper() != CASH]
    if not cells or not all(is_isin(cell) for cell in cells):
        return None
    what = f"column {SYMBOL_COLUMN} holds ISINs such as {cells[0]}"
    return Shape(header.line, what, "expected the ticker symbols that IBKR shows, such as SPY")


def _text_columns(table: CsvTable, header: CsvRow) -> Shape | None:
    """A fund's name, ISIN or note beside the weights."""
    columns = _columns(table, header)[1:]
    texts = [(name, cells) for name, cells in columns if _are_texts(cells)]
    if not texts or len(texts) == len(columns):
        return None
    names = " and ".join(shown_value(name) for name, _ in texts)
    sample = next(cell for cell in texts[0][1] if cell)
    kind = "ISINs" if is_isin(sample) else "text"
    what = f"column {names} holds {kind} such as {shown_value(sample)}, expected percents"
    return Shape(header.line, what, f"remove it: behind {SYMBOL_COLUMN} each column is a model")


def _totals(table: CsvTable, header: CsvRow) -> Shape | None:
    """Rows that repeat the sum of the rows above, without which every column adds up."""
    width = max((at for at, name in enumerate(header.cells, start=1) if name), default=0)
    weights = [_weights(row, width) for row in table.rows]
    if any(one is None for one in weights):
        return None
    rows = [(row, one or []) for row, one in zip(table.rows, weights, strict=True)]
    found = _total_rows(rows, by_name=True) or _total_rows(rows, by_name=False)
    if not found:
        return None
    names = " and ".join(shown_value(row.cells[0]) for row in found)
    lines = "".join(f", line {row.line}" for row in found[1:])
    what = f"{names}{lines} looks like a total of the rows above, not a symbol"
    return Shape(found[0].line, what, "remove it; the program adds the columns up itself")


def _total_rows(rows: Sequence[tuple[CsvRow, list[Decimal]]], *, by_name: bool) -> list[CsvRow]:
    """The totals among the rows, if the others add up without them; else none.

    By its name a total may be off as rounded percents are; without one it must fit exactly.
    """
    nothing = [ZERO] * len(rows[0][1]) if rows else []
    total, subtotal, rows_since = nothing, nothing, 0
    found = []
    for row, weights in rows:
        is_named = _TOTAL_WORDS.fullmatch(row.cells[0].casefold().strip(" :")) is not None
        is_candidate = is_named if by_name else rows_since > 1
        off = _ROUNDED if by_name else ZERO
        if is_candidate and (_are_near(weights, total, off) or _are_near(weights, subtotal, off)):
            found.append(row)
            subtotal, rows_since = nothing, 0
        else:
            total, subtotal = _added(total, weights), _added(subtotal, weights)
            rows_since += 1
    return found if all(map(_is_whole, total)) else []


_RECOGNISERS: Final[tuple[Callable[[CsvTable, CsvRow], Shape | None], ...]] = (
    _web_page,
    _title,
    _long,
    _swapped,
    _misplaced_symbols,
    _isins,
    _text_columns,
    _totals,
)


def odd_fractions(cells: Sequence[tuple[int, str, Decimal]]) -> tuple[int, str, Decimal] | None:
    """The one cell that is a fraction among percents: times 100 the column adds up."""
    total = sum((weight for _, _, weight in cells), ZERO)
    odd = [
        cell for cell in cells if ZERO < cell[2] * 100 <= ONE and _is_whole(total + cell[2] * 99)
    ]
    return odd[0] if len(odd) == 1 else None


def _are_near(one: Sequence[Decimal], other: Sequence[Decimal], off: Decimal) -> bool:
    pairs = list(zip(one, other, strict=True))
    return any(one) and all(abs(a - b) <= off for a, b in pairs)


def _added(one: Sequence[Decimal], other: Sequence[Decimal]) -> list[Decimal]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _weights(row: CsvRow, width: int) -> list[Decimal] | None:
    cells = [*row.cells[1:width], *[""] * (width - len(row.cells))]
    weights = [_weight(cell) for cell in cells]
    return None if None in weights else [weight or ZERO for weight in weights]


def _columns(table: CsvTable, header: CsvRow) -> list[tuple[str, list[str]]]:
    """Name and cells of each column that the header names."""
    return [
        (name, [row.cells[at] if at < len(row.cells) else "" for row in table.rows])
        for at, name in enumerate(header.cells)
        if name
    ]


def _are_weights(cells: Sequence[str]) -> bool:
    return any(cells) and all(_weight(cell) is not None for cell in cells)


def _are_texts(cells: Sequence[str]) -> bool:
    """True for a column of words: no number and no failed formula in it."""
    said = [cell for cell in cells if cell]
    return bool(said) and all(
        _weight(cell) is None and not is_error_value(cell) and any(map(str.isalpha, cell))
        for cell in said
    )


def _weight(cell: str) -> Decimal | None:
    try:
        return read_weight(cell, CASH)
    except ValueError:
        return None


def _is_whole(total: Decimal) -> bool:
    """True for about 100%."""
    return abs(total - ONE) <= _ROUNDED


def _is_symbol(cell: str) -> bool:
    try:
        read_symbol(cell)
    except ValueError:
        return False
    return True


def _is_symbol_column(cell: str) -> bool:
    return cell.upper() == SYMBOL_COLUMN


def percent_of(weight: Decimal) -> str:
    """A weight as its file would write it."""
    return f"{plain_text(weight_to_percent(weight))}%"
