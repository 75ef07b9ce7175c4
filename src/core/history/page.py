"""What a page shows, in the order it shows it: facts, charts with their figures, tables, warnings.

Text and coordinates only: ``src.io.reports.page`` puts them into HTML and escapes every text. Each
chart stands beside a table with the same figures, for those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from src.base.money import ZERO, exact_arithmetic, weight_to_percent

CHART_WIDTH: Final = 600
_LABEL_WIDTH: Final = 84
_ROW_HEIGHT: Final = 26
_BAR_HEIGHT: Final = 9
_LINE_HEIGHT: Final = 160
_TENTH: Final = Decimal("0.1")
_HUNDREDTH: Final = Decimal("0.01")


class Cell(NamedTuple):
    """A table's cell; figures stand to the right."""

    text: str
    is_figure: bool = False


class Table(NamedTuple):
    """Rows of as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Bar(NamedTuple):
    """A rectangle of a chart, in units of its view box; ``kind`` is ``first`` or ``second``."""

    x: str
    y: str
    width: str
    height: str
    kind: str


class Mark(NamedTuple):
    """A text in a chart; ``anchor`` is ``start``, ``middle`` or ``end``."""

    x: str
    y: str
    text: str
    anchor: str


class Chart(NamedTuple):
    """A drawing with a title that is read out; ``legend`` names what ``first``, ``second`` are."""

    title: str
    width: int
    height: int
    legend: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    points: str = ""
    marks: tuple[Mark, ...] = ()
    axis_x: str = ""


class Section(NamedTuple):
    """A heading and what stands under it, all of it optional."""

    heading: str
    lines: tuple[str, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    is_warning: bool = False


class Page(NamedTuple):
    """One page; ``lead`` are the sentences below its title."""

    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    is_simulated: bool


@exact_arithmetic()
def bar_chart(
    title: str, legend: tuple[str, ...], rows: Sequence[tuple[str, Sequence[Decimal | None]]]
) -> Chart:
    """One row per label with a bar per value, drawn from a common zero; None draws none."""
    known = [value for _, values in rows for value in values if value is not None]
    low, high = min((*known, ZERO)), max((*known, ZERO))
    unit = (CHART_WIDTH - _LABEL_WIDTH) / (high - low) if high > low else ZERO
    zero_x = _LABEL_WIDTH - low * unit
    bars: list[Bar] = []
    marks: list[Mark] = []
    for at, (label, values) in enumerate(rows):
        top = at * _ROW_HEIGHT
        marks.append(Mark("0", str(top + _ROW_HEIGHT // 2), label, "start"))
        for value, kind, below in zip(values, ("first", "second"), (0, _BAR_HEIGHT), strict=False):
            if value is not None:
                x, width = zero_x + min(value, ZERO) * unit, abs(value) * unit
                y = str(top + 2 + below)
                bars.append(Bar(_unit(x), y, _unit(width), str(_BAR_HEIGHT), kind))
    height = max(len(rows), 1) * _ROW_HEIGHT
    return Chart(title, CHART_WIDTH, height, legend, tuple(bars), "", tuple(marks), _unit(zero_x))


@exact_arithmetic()
def line_chart(title: str, values: Sequence[tuple[str, Decimal, str]]) -> Chart | None:
    """Values from left to right as (day, value, value in words); None with fewer than two."""
    if len(values) <= 1:
        return None
    low, high = min(value for _, value, _ in values), max(value for _, value, _ in values)
    step = Decimal(CHART_WIDTH) / (len(values) - 1)
    top, height = Decimal(20), Decimal(_LINE_HEIGHT - 40)
    unit = height / (high - low) if high > low else ZERO
    points = " ".join(
        f"{_unit(at * step)},{_unit(top + (high - value) * unit)}"
        for at, (_, value, _) in enumerate(values)
    )
    words = {value: text for _, value, text in values}
    last_y, right = str(_LINE_HEIGHT - 4), str(CHART_WIDTH)
    marks = (
        Mark("0", "12", f"highest {words[high]}", "start"),
        Mark(right, "12", f"lowest {words[low]}", "end"),
        Mark("0", last_y, values[0][0], "start"),
        Mark(right, last_y, values[-1][0], "end"),
    )
    return Chart(title, CHART_WIDTH, _LINE_HEIGHT, (), (), points, marks)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> Table:
    """A table whose first ``texts`` columns are words and whose others are figures."""
    return Table(
        tuple(columns),
        tuple(tuple(Cell(cell, at >= texts) for at, cell in enumerate(row)) for row in rows),
    )


def percent(weight: Decimal | None, sign: str = "") -> str:
    """``12.34%``, with ``sign="+"`` ``+12.34%``; ``?`` where it is not known."""
    if weight is None:
        return "?"
    points = weight_to_percent(weight).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
    return f"{points or ZERO:{sign}.2f}%"


def _unit(value: Decimal) -> str:
    return str(value.quantize(_TENTH, rounding=ROUND_HALF_UP))
