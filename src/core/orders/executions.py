"""Executions as the broker repeats and corrects them: the newest version of each counts once.

A correction repeats the execution id with only the digits after its last dot changed; the highest
number is the newest. The same id may arrive any number of times. A commission, once known, is
kept when the execution is sent again, or corrected, without one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # looking back over years needs the ids alone
    from src.core.journal.events import CommissionRecorded
    from src.core.orders.events import CommissionSeen
    from src.core.records.orders import Fill


def execution_key(exec_id: str) -> str:
    """What stays the same over all corrections of one execution."""
    head, dot, version = exec_id.rpartition(".")
    return head if dot and version.isdecimal() else exec_id


def execution_version(exec_id: str) -> int:
    """The number after the last dot, 0 without one; the highest version of an execution holds."""
    _, dot, version = exec_id.rpartition(".")
    return int(version) if dot and version.isdecimal() else 0


def newest_fills(fills: Iterable[Fill]) -> tuple[Fill, ...]:
    """Each execution once, in its newest version, in the order of first arrival."""
    newest: dict[str, Fill] = {}
    for fill in fills:
        key = execution_key(fill.exec_id)
        known = newest.get(key)
        if known is None:
            newest[key] = fill
        elif execution_version(fill.exec_id) >= execution_version(known.exec_id):
            newest[key] = with_known_commission(fill, known)
    return tuple(newest.values())


def with_known_commission(fill: Fill, known: Fill) -> Fill:
    """The fill with its own commission, else with the one known of its earlier version."""
    return fill if fill.is_charged else with_commission(fill, known)


def with_commission(fill: Fill, said: Fill | CommissionSeen | CommissionRecorded) -> Fill:
    """The fill with the commission that was said, if an amount was."""
    if said.commission_usd is None and said.foreign_commission is None:
        return fill
    return replace(
        fill, commission_usd=said.commission_usd, foreign_commission=said.foreign_commission
    )
