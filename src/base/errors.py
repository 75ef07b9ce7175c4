"""What can go wrong, in one tree, and the exit code each branch ends the program with.

::

    RebalancerError
    ├── InputError (2)            command line, settings, CSV, symbols: the user's files
    │   ├── ConfigError
    │   ├── PortfolioCsvError
    │   ├── SnapshotFileError
    │   └── UnknownSymbolError
    ├── Interrupted (130)         Ctrl+C before anything was sent
    ├── StrayOrder (4)            a question about an order became an order
    ├── BrokerLost (3)            unreachable, handshake failed, replies missing, session lost
    │   ├── ClientIdTaken         another program is connected under our client id
    │   └── NeverSent             known to be lost before the message was queued
    └── Refused (5)               a guard said no
        ├── UnbelievableData      the broker's figures cannot be true
        ├── PricingError          a needed symbol has no usable price
        ├── PlanError             the plan cannot be made (net liq, reserve, limits)
        ├── JournalError          journal not writable, damaged, or from another version
        └── LockHeld              another run holds the account

Exit code 1 is any other exception (a bug), 4 is else a fact of the run report, 10 one of a check.
Only ``src.terminal.cli.run_main`` turns an error into text and a code.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class ExitCode(IntEnum):
    """The one table of exit codes; USAGE.md shows the same."""

    OK = 0
    BUG = 1
    INPUT = 2
    LOST = 3
    UNFILLED = 4
    REFUSED = 5
    DUE = 10
    INTERRUPTED = 130


class Problem(NamedTuple):
    """One thing wrong with an input: ``where`` is ``file:line`` plus section and key or column.

    ``to_paste`` are lines for one of the user's files, shown below it as they are. A named tuple
    because ``--help`` loads this module, and dataclasses would double its time.
    """

    where: str
    what: str
    hint: str = ""
    to_paste: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}"
        text = f"{text} ({self.hint})" if self.hint else text
        return "\n".join((text, *self.to_paste))


class RebalancerError(Exception):
    """Root of every error the program raises on purpose; the message is one plain line.

    ``details`` are lines for screen and log below it, shown as they are (a table, say).
    ``aftermath`` is a last line for the screen: what was sent, and where the records are.
    """

    exit_code: ExitCode = ExitCode.BUG
    details: tuple[str, ...] = ()
    aftermath: str = ""


class InputError(RebalancerError):
    """The user's input is wrong; carries every problem found, not only the first."""

    exit_code = ExitCode.INPUT

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            self.problems: tuple[Problem, ...] = ()
            super().__init__(problems)
            return
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigError(InputError):
    """The settings file is missing, malformed or contradicts itself."""


class PortfolioCsvError(InputError):
    """The portfolio CSV is missing, malformed or does not sum."""


class SnapshotFileError(InputError):
    """The file given to ``--from-snapshot`` is not a usable snapshot."""


class UnknownSymbolError(InputError):
    """Symbols that the broker does not know, or knows more than once."""


class Interrupted(RebalancerError):
    """The user stopped the program before anything was sent."""

    exit_code = ExitCode.INTERRUPTED


class StrayOrder(RebalancerError):
    """The broker shows an order where only its cost was asked; a cancel was sent."""

    exit_code = ExitCode.UNFILLED


class BrokerLost(RebalancerError):
    """The broker could not be reached, did not answer in time, or was lost."""

    exit_code = ExitCode.LOST


class ClientIdTaken(BrokerLost):
    """The gateway refused the client id: another program is connected under it."""


class NeverSent(BrokerLost):
    """The connection was known to be gone before a message was queued: it provably never left."""


class Refused(RebalancerError):
    """A guard said no; nothing was sent."""

    exit_code = ExitCode.REFUSED


class UnbelievableData(Refused):
    """Figures from the broker that cannot be true (NaN, sentinel, missing ledger row…)."""


class PricingError(Refused):
    """A needed symbol has no usable price."""


class PlanError(Refused):
    """A plan cannot be made from these figures."""


class JournalError(Refused):
    """The order journal cannot be written or read with certainty."""


class LockHeld(Refused):
    """Another run holds this account."""
