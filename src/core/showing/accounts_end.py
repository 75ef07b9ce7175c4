"""What became of each account of a command for several, and the one exit code of it all.

Source: SRS R-418, exit codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from src.base.errors import ExitCode
from src.core.showing.preview_table import wrapped

_UNSENT: Final = (
    ExitCode.REFUSED,
    ExitCode.LOST,
    ExitCode.INTERRUPTED,
    ExitCode.UNFILLED,
    ExitCode.INPUT,
)
"""From the gravest: what an account can end with of which nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnd:
    """How one account's run ended: ``code`` as if it had run alone, and a line about it."""

    label: str
    code: int
    text: str
    orders_sent: int = 0
    has_unresolved: bool = False


def exit_code_of_all(ends: Sequence[AccountEnd]) -> ExitCode:
    """Once an order was sent: Unresolved 4, else interrupted 130, else anything amiss 4, else 0.

    An account that was refused or lost is amiss then. Where nothing was sent: the gravest.
    """
    codes = {one.code for one in ends}
    if not any(one.orders_sent for one in ends):
        return next((code for code in _UNSENT if code in codes), ExitCode.OK)
    if any(one.has_unresolved for one in ends):
        return ExitCode.UNFILLED
    if ExitCode.INTERRUPTED in codes:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if codes <= {ExitCode.OK} else ExitCode.UNFILLED


def ends_text(ends: Sequence[AccountEnd]) -> str:
    """One entry per account, as lines of at most 80 columns."""
    lines = [line for one in ends for line in wrapped(f"{one.label}: {one.text}", "- ")]
    return "\n".join(["Accounts:", *lines])
