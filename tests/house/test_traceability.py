"""Every requirement, invariant and failure of SRS.md is shown by a test or says why not."""

from __future__ import annotations

import pytest

from tests.house.traceability import (
    MAP,
    SRS,
    WHY_NOT,
    named_in,
    read_trace,
    statements,
)

SRS_TEXT = SRS.read_text(encoding="utf-8")
NUMBERS = statements(SRS_TEXT)
TRACE = read_trace(MAP.read_text(encoding="utf-8"))
LAST_FAILURE = 86
LAST_INVARIANT = 21


def numbered(letter: str) -> list[str]:
    return [number for number in NUMBERS if number.startswith(f"{letter}-")]


def test_the_lists_are_complete_and_in_order() -> None:
    """Failures found since version 1 stand beside what they concern, in any order."""
    first = [one for one in numbered("F") if int(one.partition("-")[2]) <= LAST_FAILURE]
    assert first == [f"F-{number:02d}" for number in range(1, LAST_FAILURE + 1)]
    assert numbered("I") == [f"I-{number:02d}" for number in range(1, LAST_INVARIANT + 1)]
    assert numbered("R") == sorted(numbered("R"))
    assert len(numbered("R")) > 30


def test_every_number_has_a_test_or_says_why_not() -> None:
    for number, text in NUMBERS.items():
        if number in TRACE:
            assert WHY_NOT not in text, f"{number} has a test: SRS.md need not excuse it"
        else:
            assert WHY_NOT in text, f"{number}: name a test in {MAP.name}, or say why there is none"


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{number}: {path} {name}"
        for number, files in TRACE.items()
        for path, names in files.items()
        for name in names
        if name not in named_in(path)
    ]
    assert not missing, "renamed or removed? correct tests/traceability.txt: " + "; ".join(missing)


def test_only_numbers_of_the_srs_are_traced() -> None:
    assert set(TRACE) <= set(NUMBERS)


@pytest.mark.parametrize("line", ["F-01 unit/test_x.py", "F01 test_x.py test_y", "F-01 test_y x"])
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not 'number file test"):
        read_trace(line)
