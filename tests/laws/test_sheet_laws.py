"""Whatever program wrote a table of weights: the same weights are read, or none at all."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.base.errors import PortfolioCsvError
from src.io.portfolio_csv import load_portfolios

MORE = settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
SYMBOLS = ("SPY", "BRK B", "IAU", "SUM", "TOTAL", "NA", "QQQ", "A", "CASH")
Quoting = Literal[0, 1, 2, 3]


class Sheet(NamedTuple):
    """Model names and, per symbol, one weight in hundredths of a percent per model."""

    models: tuple[str, ...]
    rows: dict[str, tuple[int, ...]]


class Form(NamedTuple):
    """How a program writes it."""

    separator: str
    decimal: str
    percent: str
    quoting: Quoting
    line_end: str
    start: str
    empty_columns: int
    empty_rows: int


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    models = ("A", "My Model", "Größe")[: draw(st.integers(1, 3))]
    symbols = draw(st.lists(st.sampled_from(SYMBOLS[:-1]), min_size=1, max_size=6, unique=True))
    columns = []
    for _ in models:
        cuts = sorted(draw(st.lists(st.integers(0, 10_000), max_size=len(symbols) - 1)))
        parts = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
        columns.append([*parts, *[0] * (len(symbols) - len(parts))])
    rows = {name: tuple(column[at] for column in columns) for at, name in enumerate(symbols)}
    if draw(st.booleans()):  # borrow as much as the first holding is enlarged by
        first = symbols[0]
        rows[first] = tuple(weight + 1250 for weight in rows[first])
        rows["CASH"] = tuple(-1250 for _ in models)
    return Sheet(models=models, rows=rows)


forms = st.builds(
    Form,
    separator=st.sampled_from([",", ";", "\t"]),
    decimal=st.sampled_from([",", "."]),
    percent=st.sampled_from(["", "%", " %", "\u00a0%", "\u202f%"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    start=st.sampled_from(["", "\ufeff", "sep={}\n", "# a note; with, all\n"]),
    empty_columns=st.integers(0, 2),
    empty_rows=st.integers(0, 2),
)


def cell(weight: int, form: Form) -> str:
    text = f"{Decimal(weight) / 100:f}"
    return text.replace(".", form.decimal) + form.percent


def written(sheet: Sheet, form: Form) -> bytes:
    file = io.StringIO()
    file.write(form.start.format(form.separator))
    writer = csv.writer(
        file, delimiter=form.separator, quoting=form.quoting, lineterminator=form.line_end
    )
    more = [""] * form.empty_columns
    writer.writerow(["ETF", *sheet.models, *more])
    for symbol, weights in sheet.rows.items():
        writer.writerow([symbol, *(cell(weight, form) for weight in weights), *more])
    for _ in range(form.empty_rows):
        writer.writerow(["", *("" for _ in sheet.models), *more])
    return file.getvalue().encode()


def weights_of(path: Path) -> dict[str, dict[str, Decimal]]:
    return {name: dict(weights) for name, weights in load_portfolios(path).models.items()}


def expected(sheet: Sheet) -> dict[str, dict[str, Decimal]]:
    return {
        name: {
            symbol: Decimal(weights[at]) / 10_000
            for symbol, weights in {"CASH": (0,) * len(sheet.models), **sheet.rows}.items()
        }
        for at, name in enumerate(sheet.models)
    }


@MORE
@given(sheet=sheets(), form=forms)
def test_every_dialect_is_read_as_the_same_weights(
    tmp_path: Path, sheet: Sheet, form: Form
) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(written(sheet, form))
    assert weights_of(path) == expected(sheet)


@MORE
@given(sheet=sheets(), form=forms, total=st.booleans())
def test_cells_joined_without_quotes_are_never_other_weights(
    tmp_path: Path, sheet: Sheet, form: Form, *, total: bool
) -> None:
    """As by hand, or by a program that knows no quotes; a row of totals may end it."""
    rows = [[symbol, *(cell(one, form) for one in row)] for symbol, row in sheet.rows.items()]
    if total:
        rows.append(["Total", *(cell(10_000, form) for _ in sheet.models)])
    lines = [form.separator.join(row) for row in [["ETF", *sheet.models], *rows]]
    path = tmp_path / "p.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        found = weights_of(path)
    except PortfolioCsvError as error:
        is_whole = form.separator != "," or form.decimal != ","
        if total and is_whole and not {"SUM", "TOTAL"} & set(sheet.rows):
            (problem,) = error.problems
            assert "'Total' looks like a total" in problem.what
    else:
        assert found == expected(sheet)


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), ("\t", ",")])
def test_what_pandas_writes_is_read(tmp_path: Path, separator: str, decimal: str) -> None:
    frame = pd.DataFrame(
        {"ETF": ["SPY", "IAU", "CASH"], "A": [62.5, 47.5, -10.0], "B": [60, 40, None]}
    )
    path = tmp_path / "p.csv"
    frame.to_csv(path, sep=separator, decimal=decimal, index=False)
    assert weights_of(path) == {
        "A": {"SPY": Decimal("0.625"), "IAU": Decimal("0.475"), "CASH": Decimal("-0.1")},
        "B": {"SPY": Decimal("0.6"), "IAU": Decimal("0.4"), "CASH": Decimal(0)},
    }
