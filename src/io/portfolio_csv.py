"""Portfolio CSV → ``ModelPortfolios``, or one ``PortfolioCsvError`` with every problem.

One row per symbol, one column per model, percent in the cells; blank is 0. Per model, assets plus
CASH are 100% within 0.01, compared in exact decimals. Only CASH may be negative, and only a model
that borrows may hold more than 100% of one asset. Weights are fractions from here on.
``check_symbols`` judges what the broker knows of the symbols; it does not ask the broker itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from src.base.errors import PortfolioCsvError, Problem, UnknownSymbolError
from src.base.money import ONE, ZERO, exact_sum, plain_text, weight_to_percent
from src.base.text import printable, shown_value
from src.core.records.portfolios import CASH, ModelPortfolios, Symbol, folded_name
from src.core.showing.spelling import reads_like_money
from src.io.files.input_file import SAVE_AS_UTF8, UnusableFile, read_input
from src.io.files.problem_list import ProblemList, at_line
from src.io.portfolio_file.csv_cells import read_model_name, read_symbol, read_weight
from src.io.portfolio_file.csv_form import SYMBOL_COLUMN
from src.io.portfolio_file.csv_rows import CsvRow, CsvTable, read_table
from src.io.portfolio_file.sheet_shape import odd_fractions, percent_of, recognise

if TYPE_CHECKING:
    from src.core.records.market import SymbolLookup

SUM_TOLERANCE: Final = Decimal("0.0001")
_SAVE_AS_CSV: Final = "File → Save as → CSV UTF-8"
_NO_TYPE: Final = "a stock of no stated type"
_FUND_TYPES: Final = frozenset({"ETF", "ETN", "ETC", "ETP"})
_ABOUT_ONE_PERCENT: Final = (Decimal("0.009"), Decimal("0.011"))


def load_portfolios(path: str | Path) -> ModelPortfolios:
    """Read and validate the portfolio CSV.

    Every model of the result lists every symbol and CASH, with 0 where the cell is blank.
    Raises: PortfolioCsvError with every problem, each with file, line, column and expectation.
    """
    try:
        source = read_input(path)
    except UnusableFile as error:
        raise PortfolioCsvError(_with_remedy(error.problem)) from error
    table = read_table(source)
    reader = _Reader(table.problems)
    reader.read(table)
    if table.problems:
        raise PortfolioCsvError(_shape_problem(table) or table.problems.in_file_order())
    symbols = tuple(sorted(symbol for symbol in reader.lines if symbol != CASH))
    return ModelPortfolios(
        models={column.name: column.weights(symbols) for column in reader.columns},
        symbols=symbols,
        source=source.name,
        lines=reader.lines,
        content=source.raw,
        header_line=table.header.line if table.header else 0,
        form=str(table.form),
    )


def _with_remedy(problem: Problem) -> Problem:
    """How a spreadsheet program saves what can be read."""
    if problem.hint != SAVE_AS_UTF8:
        return problem
    return problem._replace(hint=f"{SAVE_AS_UTF8}; in a spreadsheet: {_SAVE_AS_CSV}")


def _shape_problem(table: CsvTable) -> Problem | None:
    """What the whole table looks like instead, where that explains all that is wrong with it."""
    shape = recognise(table)
    if shape is None:
        return None
    where = at_line(table.problems.name, shape.line)
    return Problem(where=where, what=shape.what, hint=shape.hint)


def load_all_portfolios(paths: Iterable[Path]) -> dict[Path, ModelPortfolios]:
    """Read each file once. Raises: InputError with the problems of all of them."""
    loaded: dict[Path, ModelPortfolios] = {}
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        try:
            loaded[path] = load_portfolios(path)
        except PortfolioCsvError as error:  # noqa: PERF203 - every file's problems are shown
            problems.extend(error.problems)
    if problems:
        raise PortfolioCsvError(problems)
    return loaded


def check_symbols(
    portfolios: ModelPortfolios, lookups: Mapping[Symbol, SymbolLookup]
) -> tuple[str, ...]:
    """Return a warning for each listed symbol that is not a fund.

    Raises: UnknownSymbolError naming every symbol that is unknown or ambiguous at the broker.
    """
    check_all_symbols([portfolios], lookups)
    return tuple(
        f"{symbol} is not an ETF: IBKR calls it {printable(listing.stock_type, 40) or _NO_TYPE}"
        for symbol in portfolios.symbols
        if (listing := lookups[symbol].listing) and listing.stock_type.upper() not in _FUND_TYPES
    )


def check_all_symbols(
    files: Iterable[ModelPortfolios], lookups: Mapping[Symbol, SymbolLookup]
) -> None:
    """Raises: UnknownSymbolError as ``check_symbols`` does, for all files at once."""
    problems = dict.fromkeys(
        _symbol_problem(one, symbol, lookup)
        for one in files
        for symbol in sorted(one.symbols, key=lambda name: one.lines.get(name, 0))
        if (lookup := lookups.get(symbol)) is None or lookup.listing is None
    )
    if problems:
        raise UnknownSymbolError(problems)


def _symbol_problem(
    portfolios: ModelPortfolios, symbol: Symbol, lookup: SymbolLookup | None
) -> Problem:
    line = portfolios.lines.get(symbol, 0)
    place = at_line(portfolios.source, line)
    what = printable(lookup.problem) if lookup and lookup.problem else "not known at IBKR"
    hints = ["cash is written CASH"] if reads_like_money(symbol) else []
    if lookup and lookup.spelled:
        hints.append(f"IBKR writes it {_listed(lookup.spelled, ' or ')}")
    elif lookup and lookup.candidates:
        hints.append(f"IBKR offers {_listed(lookup.candidates, '; ')}")
    where = f"{place} column {SYMBOL_COLUMN}"
    pasted = ("[contracts]", *lookup.choices) if lookup and lookup.choices else ()
    hints = hints or ["look it up in TWS and correct it"]
    if pasted:
        hints = ["put one of these lines below [contracts] in the settings file"]
    hint = "; ".join(hints)
    return Problem(where=where, what=f"{symbol}: {what}", hint=hint, to_paste=pasted)


def _listed(texts: Sequence[str], between: str) -> str:
    return between.join(printable(text, 100) for text in texts)


class _Column:
    """One model's column while it is read; ``is_whole`` is False once a cell could not be read."""

    def __init__(self, name: str, index: int) -> None:
        self.name = name
        self.index = index
        self.cells: list[tuple[int, Symbol, Decimal]] = []
        self.is_whole = True

    @property
    def place(self) -> str:
        return f"column {printable(self.name, 64)}"

    def weights(self, symbols: Sequence[Symbol]) -> dict[Symbol, Decimal]:
        read = {symbol: weight for _, symbol, weight in self.cells}
        return {symbol: read.get(symbol, ZERO) for symbol in (*symbols, CASH)}


class _Reader:
    """Reads header, rows and column sums in turn and collects what is wrong."""

    def __init__(self, problems: ProblemList) -> None:
        self.problems = problems
        self.columns: list[_Column] = []
        self.first_column: dict[str, int] = {}
        self.lines: dict[Symbol, int] = {}
        self.width = 0

    def read(self, table: CsvTable) -> None:
        if table.header is None:
            if not self.problems:
                hint = f"the first row is {SYMBOL_COLUMN},<model>,<model>..."
                self.problems.report(1, "", "the file is empty", hint)
            return
        self._read_header(table.header)
        if not self.columns:
            return
        for row in table.rows:
            self._read_row(row)
        if not table.rows:
            self.problems.report(table.header.line, "", "no symbol below the header")
            return
        for column in self.columns:
            _check_sum(column, table.header.line, self.problems)
            _check_large_weights(column, self.problems)

    # --- header ---

    def _read_header(self, header: CsvRow) -> None:
        names = header.cells
        self.width = max((at for at, name in enumerate(names, start=1) if name), default=0)
        for index, name in enumerate(names[: self.width]):
            if index == 0:
                self._check_symbol_column(header, name)
            else:
                self._read_column(header, name, index)
        if self.width == 1:
            self.problems.report(
                header.line, "", "the header names no model", _separator_hint(names)
            )

    def _check_symbol_column(self, header: CsvRow, name: str) -> None:
        if name.upper() != SYMBOL_COLUMN and not _separator_hint(header.cells):
            what = f"the first column is {shown_value(name)}, expected {SYMBOL_COLUMN}"
            self.problems.report(header.line, "column 1", what)

    def _read_column(self, header: CsvRow, name: str, index: int) -> None:
        place = f"column {index + 1}"
        try:
            name = read_model_name(name)
        except ValueError as error:
            self.problems.report(header.line, place, f"{shown_value(name)}: {error}")
        first = self.first_column.setdefault(folded_name(name), index)
        if name and first != index:
            what = f"{shown_value(name)} is also the name of column {first + 1}"
            self.problems.report(header.line, place, what, "names are compared without case")
        self.columns.append(_Column(name or str(index + 1), index))

    # --- rows ---

    def _read_row(self, row: CsvRow) -> None:
        if not self._has_right_width(row):
            for column in self.columns:
                column.is_whole = False
            if not _separator_hint(row.cells):
                self._read_row_symbol(row)
            return
        symbol = self._read_row_symbol(row)
        for column in self.columns:
            cell = row.cells[column.index]
            try:
                column.cells.append((row.line, symbol, read_weight(cell, symbol)))
            except ValueError as error:
                column.is_whole = False
                what = f"{shown_value(cell)} is not valid: {error}"
                self.problems.report(row.line, column.place, what)

    def _read_row_symbol(self, row: CsvRow) -> Symbol:
        cell = row.cells[0]
        try:
            symbol = read_symbol(cell)
        except ValueError as error:
            what = f"{shown_value(cell)} is not valid: {error}"
            self.problems.report(row.line, f"column {SYMBOL_COLUMN}", what)
            return ""
        first = self.lines.setdefault(symbol, row.line)
        if first != row.line:
            what = f"{symbol} stands twice, first in line {first}"
            self.problems.report(row.line, f"column {SYMBOL_COLUMN}", what, "keep one row")
        return symbol

    def _has_right_width(self, row: CsvRow) -> bool:
        cells = max((at for at, cell in enumerate(row.cells, start=1) if cell), default=0)
        if len(row.cells) >= self.width >= cells:
            return True
        hint = _separator_hint(row.cells)
        if cells > self.width:
            hint = "with a decimal comma write 33.5%, not 33,5%"
        shown = max(cells, min(len(row.cells), self.width))
        what = f"the row has {shown} cells, the header {self.width}"
        self.problems.report(row.line, "", what, hint)
        return False


def _check_sum(column: _Column, line: int, problems: ProblemList) -> None:
    if not column.is_whole:
        return
    weights = [weight for _, _, weight in column.cells]
    total = exact_sum(weights)
    if not any(weights):
        problems.report(line, column.place, "every weight is 0, expected a sum of 100%")
    elif not abs(total - ONE) <= SUM_TOLERANCE:
        shown = plain_text(weight_to_percent(total))
        what = f"the weights sum to {shown}%, expected 100% within 0.01"
        problems.report(line, column.place, what, _sum_hint(column, total))


def _sum_hint(column: _Column, total: Decimal) -> str:
    low, high = _ABOUT_ONE_PERCENT
    if low <= total <= high:
        return "write percent, 33% or 33, not fractions such as 0.33"
    odd = odd_fractions(column.cells)
    if odd is None:
        return ""
    line, symbol, weight = odd
    meant = percent_of(weight * 100)
    return f"{symbol} in line {line} is {percent_of(weight)}, is {meant} meant?"


def _check_large_weights(column: _Column, problems: ProblemList) -> None:
    """Only a model that borrows, so that its column still sums, may hold more than all of it."""
    if any(symbol == CASH and weight < ZERO for _, symbol, weight in column.cells):
        return
    for line, symbol, weight in column.cells:
        if weight > ONE and symbol != CASH:
            shown = plain_text(weight_to_percent(weight))
            what = f"{symbol} is {shown}%, expected at most 100% while CASH is not negative"
            problems.report(line, column.place, what)


def _separator_hint(cells: Sequence[str]) -> str:
    text = cells[0] if len(cells) == 1 else ""
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in text:
            return f"separate the columns with commas, not {name}"
    return ""
