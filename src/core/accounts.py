"""Account ids: one spelling, paper or live, and how they are shown.

``DU…`` and ``DF…`` are paper accounts; everything else counts as live, because taking a live
account for paper is the dangerous mistake. Advisor groups and aliases are not accounts.
"""

from __future__ import annotations

import re
from typing import Final

_ACCOUNT: Final = re.compile(r"[A-Z]{1,3}[0-9]{1,12}", re.ASCII)
_PAPER: Final = ("DU", "DF")
_KEPT_CHARS: Final = 2


def normalise_account(text: str) -> str:
    """One spelling per account: no spaces around, upper case.

    Raises: ValueError for anything that is not one account id ("All", a list, a group).
    """
    account = text.strip().upper()
    if not is_account(account):
        raise ValueError("expected one account id: DU (a paper account) or U, then digits")
    return account


def is_account(text: str) -> bool:
    """True for the normalised id of a single account."""
    return _ACCOUNT.fullmatch(text) is not None


def is_paper_account(account_id: str) -> bool:
    """True for ``DU…`` and ``DF…``."""
    number = account_id[2:]
    return account_id.startswith(_PAPER) and number.isascii() and number.isdecimal()


def mask_account(account_id: str) -> str:
    """``DU***11``: enough to recognise, not enough to use. For screen and log."""
    return f"{account_id[:_KEPT_CHARS]}***{account_id[-_KEPT_CHARS:]}"
