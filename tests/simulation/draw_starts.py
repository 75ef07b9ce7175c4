"""What the user does: a first run that may be cut short, then starts until all is settled."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from tests.simulation.script import Invocation, Kill, Task

Starts = tuple[tuple[Invocation, ...], tuple[str, ...]]
"""The starts of the program, and the names of what was done to them."""

_PAUSES_SEC: Final = (0.2, 2.0, 2.0, 40.0, 400.0, 90_000.0)
_AFTER_ANSWER_SEC: Final = (-0.3, 0.3, 0.6, 1.0, 3.0, 30.0)


def draw_starts(chance: Random) -> Starts:
    """The first start, a second one on a healthy gateway, and recovery until nothing is open."""
    first, faults = _first(chance)
    again = Invocation(
        task=Task.CONFIRM,
        answer_sec=1.0,
        pause_sec=chance.choice(_PAUSES_SEC),
        is_healed=True,
    )
    recovery = Invocation(task=Task.RECOVER, pause_sec=5, is_healed=True)
    later = [recovery, replace(recovery, task=Task.ACCEPT, is_healed=False)]
    if faults or chance.random() < 0.5:
        later.insert(0, again)
    if first.kill and chance.random() < 0.3:
        faults.append("kill")
        later.insert(0, replace(again, kill=draw_kill(chance), is_healed=chance.random() < 0.5))
    if chance.random() < 0.3:
        early = replace(recovery, is_healed=False, pause_sec=0.3)
        if chance.random() < 0.3:
            faults.append("kill")
            early = replace(early, kill=Kill(at="commit", number=chance.randint(1, 6)))
        later.insert(0, early)
    return (first, *later), tuple(faults)


def _first(chance: Random) -> tuple[Invocation, list[str]]:
    """One plain start, or one with a disturbance; the shares add up to 0.63."""
    first = Invocation(task=Task.CONFIRM, answer_sec=chance.choice((0.5, 3.0, 15.0)))
    kind = chance.random()
    for share, name, disturb in _DISTURBANCES:
        kind -= share
        if kind < 0:
            return disturb(chance, first), [name]
    return first, []


def _killed(chance: Random, first: Invocation) -> Invocation:
    return replace(first, kill=draw_kill(chance))


def _interrupted(chance: Random, first: Invocation) -> Invocation:
    return replace(first, interrupts=_interrupts(chance, first.answer_sec))


def _without_gateway(chance: Random, first: Invocation) -> Invocation:
    at_sec = round(chance.uniform(0, first.answer_sec + 3), 2)
    return replace(first, outage=(at_sec, chance.choice((0.1, 2.0, 15.0, 33.0, 80.0, 200.0))))


def _on_a_full_disk(chance: Random, first: Invocation) -> Invocation:
    return replace(first, journal_full_at=chance.randint(1, 40))


def _with_a_jumping_clock(chance: Random, first: Invocation) -> Invocation:
    by_sec = chance.choice((-3600.0, -5.0, 100.0, 86400.0))
    return replace(first, clock_jump=(first.answer_sec, by_sec))


def _answered(chance: Random, first: Invocation) -> Invocation:
    answer = chance.choice(("n", "", None, "yes please", "  Y  ", "YES"))
    return replace(first, answer=answer)


def _answered_late(chance: Random, first: Invocation) -> Invocation:
    return replace(first, answer_sec=chance.choice((31.0, 121.0, 200.0)))


def _reading(chance: Random, first: Invocation) -> Invocation:
    return replace(first, task=chance.choice((Task.DRY_RUN, Task.READ_ONLY)))


_DISTURBANCES: Final = (
    (0.28, "kill", _killed),
    (0.10, "interrupt", _interrupted),
    (0.07, "gateway restart", _without_gateway),
    (0.04, "journal full", _on_a_full_disk),
    (0.04, "clock jump", _with_a_jumping_clock),
    (0.05, "answer", _answered),
    (0.02, "slow answer", _answered_late),
    (0.03, "reading only", _reading),
)
"""Share of the seeds, name, and what is done to the first start."""


def _interrupts(chance: Random, answer_sec: float) -> tuple[float, ...]:
    """Ctrl+C around the answer or while orders work, and perhaps a second time."""
    at_sec = max(0.01, round(answer_sec + chance.choice(_AFTER_ANSWER_SEC), 2))
    if chance.random() < 0.4:
        return at_sec, at_sec + chance.choice((0.01, 0.2, 5.0))
    return (at_sec,)


def draw_kill(chance: Random) -> Kill:
    """Before or after some commit of the journal, or some write to the socket."""
    if chance.random() < 2 / 3:
        return Kill(at="commit", number=chance.randint(1, 45), is_after=chance.random() < 0.5)
    return Kill(
        at="write",
        number=chance.randint(1, 70),
        is_after=chance.random() < 0.6,
        is_torn=chance.random() < 0.3,
    )
