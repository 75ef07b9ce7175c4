"""The safety invariants, checked on what a seed left behind. Each yields what is wrong, in words.

The names in the laws are those of the requirements (SRS, safety invariants). Where the broker
itself lied (``Script.is_believable`` is false) nobody can know the truth: then a run may end
wrong, but never quietly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.simulation import laws_books, laws_ends, laws_sent
from tests.simulation.facts import Facts

Law = Callable[[Facts], Iterator[str]]

LAWS: Final[tuple[Law, ...]] = (
    laws_sent.approved_only,
    laws_sent.as_wished,
    laws_sent.sent_once,
    laws_sent.within_the_plan,
    laws_sent.own_account,
    laws_sent.reads_only,
    laws_sent.on_record_first,
    laws_sent.in_session,
    laws_sent.never_short,
    laws_sent.cash_floor,
    laws_sent.settled_money_only,
    laws_books.reports_tell_the_truth,
    laws_books.status_is_evidence,
    laws_books.cash_is_conserved,
    laws_books.holdings_are_conserved,
    laws_books.plans_are_what_was_hashed,
    laws_books.figures_are_finite,
    laws_ends.exit_codes,
    laws_ends.ends_in_time,
    laws_ends.everything_settles,
    laws_ends.words_are_safe,
    laws_ends.nothing_left_behind,
    laws_ends.calm_means_done,
)


def violations(facts: Facts) -> list[str]:
    """Everything that is wrong, with the law's name."""
    return [f"{law.__name__}: {text}" for law in LAWS for text in law(facts)]
