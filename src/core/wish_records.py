"""The wishes of one run, as a record: what the command line asks of a plan besides the targets."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.core.portfolios import Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """They change one run only, and are part of its plan, its hash and the journal.

    ``skip`` and ``only`` name symbols in the order given; at most one of them is not empty.
    ``invest``: put new money to work, ``invest_usd`` of it (None: all cash above its target).
    ``withdraw_usd``: cash to be free to take out.
    """

    no_sell: bool = False
    skip: tuple[Symbol, ...] = ()
    only: tuple[Symbol, ...] = ()
    invest: bool = False
    invest_usd: Decimal | None = None
    withdraw_usd: Decimal | None = None

    @property
    def may_sell(self) -> bool:
        """False where nothing is sold."""
        return not (self.no_sell or self.invest)


NO_WISHES: Final = Wishes()
