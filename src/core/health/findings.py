"""What a doctor finds, one line each, and what the whole comes to.

``ok`` needs nothing; ``warn`` is fine for a look, passes by itself or is meant so; ``FAIL`` has to
be mended before a run can do its work. The exit code is that of the first FAIL, in the order told.

Source: SRS R-613.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from src.base.errors import ExitCode, RebalancerError
from src.base.text import printable

WIDTH: Final = 80
_NAME_CHARS: Final = 15
_INDENT: Final = " " * (_NAME_CHARS + 7)


class Level(str, Enum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


class Finding(NamedTuple):
    """One check: what it is about, what was found, what mends it; ``exit_code`` of a FAIL."""

    level: Level
    about: str
    text: str
    fix: str = ""
    exit_code: ExitCode = ExitCode.OK

    def lines(self) -> list[str]:
        """Level and subject, then the text and the fix beside them, within 80 columns."""
        head = f"{self.level.value:<5} {self.about:<{_NAME_CHARS}} "
        told = _wrapped(self.text, head)
        return told + (_wrapped(f"fix: {self.fix}", _INDENT, "     ") if self.fix else [])


def good(about: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(Level.OK, about, text)


def doubtful(about: str, text: str, fix: str = "") -> Finding:
    """Worth knowing; a run may be refused for it, or its figures be less sure."""
    return Finding(Level.WARN, about, text, fix)


def bad(about: str, text: str, fix: str, exit_code: ExitCode) -> Finding:
    """To be mended."""
    return Finding(Level.FAIL, about, text, fix, exit_code)


def failed(about: str, error: RebalancerError, fix: str = "") -> Finding:
    """What an error says; where it is followed by what to do, that is the fix."""
    text, _, after = str(error).partition("; ")
    return bad(about, text, "; ".join(filter(None, (fix, after))), error.exit_code)


def worst_code(findings: Iterable[Finding]) -> ExitCode:
    """The exit code of the first FAIL; 0 without one."""
    return next((one.exit_code for one in findings if one.level is Level.FAIL), ExitCode.OK)


def _wrapped(text: str, head: str, deeper: str = "") -> list[str]:
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=head,
        subsequent_indent=_INDENT + deeper,
        break_on_hyphens=False,
    ) or [head]
