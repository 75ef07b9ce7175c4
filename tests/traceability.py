"""``python -m tests.traceability``: write the table of requirements and tests into SRS.md anew.

``tests/traceability.txt`` names the tests that show a requirement (R), an invariant (I) or a
failure (F) of SRS.md; ``tests/unit/test_traceability.py`` fails when a number has neither a test
nor a sentence that says why not, when a named test does not exist, or when the table is stale.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parent
SRS: Final = TESTS.parent / "SRS.md"
MAP: Final = TESTS / "traceability.txt"
BLOCK: Final = re.compile(r"(<!-- trace:begin .*? -->\n).*?(<!-- trace:end -->)", re.DOTALL)
WHY_NOT: Final = "No test:"
_NUMBER: Final = re.compile(r"[RIF]-\d{2,3}")
_STATEMENT: Final = re.compile(r"^- \*\*([RIF]-\d{2,3})\*\* (.+(?:\n  .+)*)", re.MULTILINE)

Trace = dict[str, dict[str, list[str]]]
"""Number → test file below ``tests/`` → names of its tests."""


def read_trace(text: str) -> Trace:
    """Read lines of ``number file test test…``; ``#`` starts a comment.

    Raises: ValueError for a line of another form.
    """
    trace: Trace = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        number, path, *names = words
        if not (_NUMBER.fullmatch(number) and path.endswith(".py") and names):
            raise ValueError(f"not 'number file test…': {line!r}")
        trace.setdefault(number, {}).setdefault(path, []).extend(names)
    return trace


def statements(srs: str) -> dict[str, str]:
    """Every numbered statement of SRS.md on one line, in the order of the document."""
    return {number: " ".join(text.split()) for number, text in _STATEMENT.findall(srs)}


@cache
def named_in(path: str) -> frozenset[str]:
    """The names of the tests in a file below ``tests/``; empty when there is no such file."""
    file = TESTS / path
    if not file.exists():
        return frozenset()
    return frozenset(_test_names(ast.parse(file.read_text(encoding="utf-8"))))


def _test_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def as_table(trace: Trace, numbers: dict[str, str]) -> str:
    """The table: one row per numbered statement, in the order of the document."""
    rows = (f"| {number} | {_cell(trace.get(number, {}))} |" for number in numbers)
    return "\n".join(("| number | shown by (below `tests/`) |", "|---|---|", *rows))


def _cell(files: dict[str, list[str]]) -> str:
    found = (
        f"`{path}`: " + ", ".join(f"`{name.removeprefix('test_')}`" for name in names)
        for path, names in sorted(files.items())
    )
    return "; ".join(found) or "no test, for the reason given there"


def with_table(srs: str, trace: Trace) -> str:
    """SRS.md's text with this table in its block."""
    table = as_table(trace, statements(srs))
    return BLOCK.sub(lambda found: f"{found[1]}{table}\n{found[2]}", srs)


if __name__ == "__main__":
    current = SRS.read_text(encoding="utf-8")
    fresh = with_table(current, read_trace(MAP.read_text(encoding="utf-8")))
    SRS.write_text(fresh, encoding="utf-8", newline="\n")
