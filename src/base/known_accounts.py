"""The account ids this process has come to know, and their masks for screen and log.

An id is known from the moment the settings (or a snapshot file) name it, or the login lists it. It
is masked wherever it occurs from then on, whoever wrote the text: no pattern decides what an id
looks like. Texts inside the program carry ids in full; what leaves it for a person passes through
``mask_accounts``. Reports and JSON, which programs read, name the account in full.

This is the one state of the process outside a run: the console and the log serve every command,
before any run begins and after it has ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_SURE_CHARS: Final = 6
"""A shorter id is masked only where it stands alone: it may be part of another word."""


class KnownAccounts:
    """The ids known so far; thread-safe, because every change replaces what readers look at."""

    def __init__(self) -> None:
        self._masks: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def learn(self, account_ids: Iterable[str]) -> None:
        """Mask these ids from now on."""
        known = {*self._masks, *(one.strip().upper() for one in account_ids)} - {""}
        if known != self._masks.keys():
            from src.base.accounts import account_masks

            self._masks = account_masks(known)
            self._pattern = _any_of(known)

    def forget(self) -> None:
        """Know nothing, as at the start."""
        self._masks, self._pattern = {}, None

    def mask(self, text: str) -> str:
        """The text with every known id masked, in either case."""
        if self._pattern is None:
            return text
        masks = self._masks
        return self._pattern.sub(lambda found: masks[found.group().upper()], text)


KNOWN_ACCOUNTS: Final = KnownAccounts()


def learn_accounts(account_ids: Iterable[str]) -> None:
    """Mask these ids on screen and in the log from now on."""
    KNOWN_ACCOUNTS.learn(account_ids)


def mask_accounts(text: str) -> str:
    """A text for the screen or the log."""
    return KNOWN_ACCOUNTS.mask(text)


def _any_of(known: Iterable[str]) -> re.Pattern[str]:
    """Longest first: an id that ends another one's must not tear it apart."""
    parts = [
        re.escape(one) if len(one) >= _SURE_CHARS else rf"(?<![A-Z0-9]){re.escape(one)}(?![A-Z0-9])"
        for one in sorted(known, key=len, reverse=True)
    ]
    return re.compile("|".join(parts), re.IGNORECASE | re.ASCII)
