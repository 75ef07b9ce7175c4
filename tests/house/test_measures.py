"""What the figures of ``tests/measures.py`` mean, and those that may not get worse."""

from __future__ import annotations

import ast

from tests.measures import LONG, circles, code_lines, functions_of, imports, order_and_run, report
from tests.measures import ways_through as ways

TEXT = '''"""A docstring
of two lines."""

# a comment
TOTAL = (
    1
)  # two statements, five lines of code


def double(number: int) -> int:
    """Another."""
    return number * 2 if number > 0 and number < TOTAL else 0
'''


def test_blank_lines_comments_and_docstrings_are_no_code() -> None:
    assert code_lines(TEXT) == {5, 6, 7, 10, 12}


def test_ways_are_branches_and_further_conditions() -> None:
    (function,) = (one for one in ast.walk(ast.parse(TEXT)) if isinstance(one, ast.FunctionDef))
    assert ways(function) == 3


def test_a_circle_is_found_and_named_once() -> None:
    graph = {"a": frozenset({"b"}), "b": frozenset({"a", "c"}), "c": frozenset[str]()}
    assert circles(graph) == [("a", "b")]


def test_no_modules_import_each_other() -> None:
    assert circles(imports(hidden=False)) == []


def test_no_function_of_the_order_and_run_code_is_long() -> None:
    long = [one for file in order_and_run() for one in functions_of(file) if one.lines > LONG]
    assert long == []


def test_the_report_names_every_measure() -> None:
    text = "\n".join(report())
    for word in ("order and run code", "records", "ways", "circles", "types only", "src/core:"):
        assert word in text
