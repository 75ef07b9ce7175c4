"""Nothing from a file or the gateway reaches screen, log or CSV raw."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.text import code_point, csv_text, did_you_mean, printable, shown_value


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain é", "plain é"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202eevil", "\\u202eevil"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028end", "line\\u2028end"),
        ("\ud800", "\\ud800"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
    ],
)
def test_unprintable_characters_are_escaped(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@given(st.text(alphabet=st.characters()))
def test_escaped_text_is_one_printable_line(raw: str) -> None:
    assert printable(raw).isprintable()
    assert csv_text(raw).isprintable()


def test_long_text_is_cut() -> None:
    assert printable("x" * 50, limit=10) == "x" * 10 + "..."
    assert len(shown_value("y" * 5000)) < 80


@pytest.mark.parametrize(
    "raw", ["=1+1", "+cmd", "-1+1", "@SUM(A1)", " =1", "\uff1d1", "-", "|x", '"=1', " '=1"]
)
def test_formulas_become_text(raw: str) -> None:
    assert csv_text(raw) == "'" + raw


@pytest.mark.parametrize("raw", ["-12.50", "12", "SPY", "", "10243: no", "-0.0001"])
def test_numbers_and_words_stay_as_they_are(raw: str) -> None:
    assert csv_text(raw) == raw


@given(st.text())
def test_no_cell_starts_a_formula(raw: str) -> None:
    cell = csv_text(raw)
    if cell.startswith(("=", "+", "@")):
        float(cell)  # only "+1" and the like may keep their sign
    if cell.startswith("-"):
        float(cell)


def test_code_points_are_named() -> None:
    assert code_point("\u0423") == "U+0423 CYRILLIC CAPITAL LETTER U"
    assert code_point("\x00") == "U+0000"


def test_nearest_name() -> None:
    assert did_you_mean("MAX_LEVERGE", ["max_leverage", "port"]) == "did you mean max_leverage?"
    assert did_you_mean("zzz", ["max_leverage"]) == ""
