"""The wishes of one run, as a record: what the command line asks of a plan besides the targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from src.core.portfolios import Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """They change one run only, and are part of its plan, its hash and the journal.

    ``skip`` and ``only`` name symbols in the order given; at most one of them is not empty.
    """

    no_sell: bool = False
    skip: tuple[Symbol, ...] = ()
    only: tuple[Symbol, ...] = ()


NO_WISHES: Final = Wishes()
