"""Which tests show a requirement (R), an invariant (I) or a failure (F) of SRS.md.

``tests/traceability.txt`` names them; ``test_traceability`` fails when a number has neither a test
nor a sentence that says why not, and when a named test does not exist.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parents[1]
SRS: Final = TESTS.parent / "SRS.md"
MAP: Final = TESTS / "traceability.txt"
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
