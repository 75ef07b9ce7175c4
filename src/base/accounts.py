"""Account ids: one spelling, what an id tells (paper, live, a master), and how it is shown.

``DU``, up to two more letters, then digits is a paper account. ``F``, ``I``, ``DF`` or ``DI`` with
digits, perhaps with an ``A`` behind them, is the master of an advisor's or broker's login: it
gathers client accounts and is never an account to trade. Every other form counts as live, because
taking a live account for paper is the dangerous mistake. Neither port nor host is evidence.
Texts carry ids in full; console and log mask them (``src.base.known_accounts``).

Source: SRS F-105, F-106, F-111.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

_ACCOUNT: Final = re.compile(r"[A-Z]{1,5}[0-9]{1,12}[A-Z]?", re.ASCII)
_PAPER: Final = re.compile(r"DU[A-Z]{0,2}[0-9]+", re.ASCII)
_MASTER: Final = re.compile(r"(?P<paper>D?)[FI][0-9]+A?", re.ASCII)
_LETTERS: Final = re.compile(r"[A-Z]{1,2}", re.ASCII)
LEAST_ENDING: Final = 3
_MOST_NAMED: Final = 20


def normalise_account(text: str) -> str:
    """One spelling per account: no spaces around, upper case.

    Raises: ValueError for anything that is not one account id ("All", a list, a group).
    """
    account = text.strip().upper()
    if not is_account(account):
        raise ValueError("expected one account id: letters, then digits")
    return account


def is_account(text: str) -> bool:
    """True for the normalised id of a single account, a master's included: letters, digits."""
    return _ACCOUNT.fullmatch(text) is not None


def is_paper_account(account_id: str) -> bool:
    """True for ``DU`` with up to two more letters and digits, and for nothing else."""
    return _PAPER.fullmatch(account_id) is not None


def is_master(account_id: str) -> bool:
    """True for the master of an advisor's or broker's login, live or paper."""
    return _MASTER.fullmatch(account_id) is not None


def live_accounts(login: Collection[str]) -> tuple[str, ...]:
    """The accounts that make a login a live one; the masters of paper logins are no evidence."""
    return tuple(one for one in login if not is_paper_account(one) and not _is_paper_master(one))


def master_refusal(account_id: str, login: Collection[str] = ()) -> str:
    """Why nothing is done in a master, and which accounts of the login can be set instead."""
    clients = [one for one in login if is_account(one) and not is_master(one)]
    text = (
        f"account {account_id} is the master account of an advisor's or broker's login, never one"
        " to trade; set [ibkr] account_id to one of its client accounts"
    )
    return f"{text}: {', '.join(clients[:_MOST_NAMED])}" if clients else text


def unreadable_accounts(wanted: Collection[str], login: Sequence[str]) -> dict[str, str]:
    """Why accounts cannot be read in this login; those that can are not among them."""
    setting = "account" if len(wanted) > 1 else "[ibkr] account_id"
    found = {one: master_refusal(one, login) for one in wanted if is_master(one)}
    return found | {
        one: f"{setting} {one} is not an account of this login,"
        f" which has {', '.join(login[:_MOST_NAMED])}; log in as its owner or correct the setting"
        for one in wanted
        if one not in login and one not in found
    }


def named_account(account_id: str, label: str) -> str:
    """The account with its label behind it, where it has one."""
    return f'{account_id} "{label}"' if label else account_id


def account_masks(known: Collection[str]) -> dict[str, str]:
    """A mask for each id: the shortest that no other has, at least three of its end."""
    return {one: mask_account(one, _ending_chars(one, known)) for one in known}


def mask_account(account_id: str, ending_chars: int = LEAST_ENDING) -> str:
    """``DU***567``: enough to recognise, not enough to use."""
    letters = _LETTERS.match(account_id)
    return f"{letters.group() if letters else ''}***{account_id[1:][-ending_chars:]}"


def _ending_chars(account_id: str, known: Collection[str]) -> int:
    others = [one for one in known if one != account_id]
    lengths = range(LEAST_ENDING, len(account_id))
    unique = (
        n
        for n in lengths
        if mask_account(account_id, n) not in {mask_account(one, n) for one in others}
    )
    return next(unique, LEAST_ENDING)


def _is_paper_master(account_id: str) -> bool:
    found = _MASTER.fullmatch(account_id)
    return found is not None and found["paper"] == "D"
