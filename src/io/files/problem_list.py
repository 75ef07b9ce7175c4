"""Collect what is wrong with one file, by line, within bounds."""

from __future__ import annotations

from typing import Final

from src.base.errors import Problem

MAX_LISTED: Final = 500


def at_line(name: str, line: int) -> str:
    """``file:line``; the file alone where the line is not known (0)."""
    return f"{name}:{line}" if line else name


class ProblemList:
    """The problems of one file; past 500 they are only counted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: list[tuple[int, Problem]] = []
        self._unlisted = 0

    def __len__(self) -> int:
        return len(self._found) + self._unlisted

    def report(self, line: int, place: str, what: str, hint: str = "") -> None:
        """Add one problem; ``line`` 0 means the file as a whole, ``place`` is section or column."""
        if len(self._found) >= MAX_LISTED:
            self._unlisted += 1
            return
        where = at_line(self.name, line)
        where = f"{where} {place}" if place else where
        self._found.append((line, Problem(where=where, what=what, hint=hint)))

    def in_file_order(self) -> list[Problem]:
        """All problems sorted by line, and how many more there are."""
        problems = [problem for _, problem in sorted(self._found, key=lambda pair: pair[0])]
        if self._unlisted:
            problems.append(Problem(where=self.name, what=f"{self._unlisted} more problems"))
        return problems
