"""The wishes of one run, as a record: what the command line asks of a plan besides the targets."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from src.core.records.portfolios import Symbol


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

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that ask for the same on the command line."""
        flags = {
            "--invest": _amount(self.invest_usd) if self.invest else None,
            "--withdraw": None if self.withdraw_usd is None else _amount(self.withdraw_usd),
            "--no-sell": "" if self.no_sell else None,
            "--skip": _listed(self.skip),
            "--only": _listed(self.only),
        }
        return tuple(f"{flag} {text}".rstrip() for flag, text in flags.items() if text is not None)


def _amount(usd: Decimal | None) -> str:
    return "" if usd is None else f"{usd:f}"


def _listed(symbols: tuple[Symbol, ...]) -> str | None:
    """With quotes around a list that has a space in it."""
    text = ",".join(symbols)
    return (f'"{text}"' if " " in text else text) or None


NO_WISHES: Final = Wishes()
