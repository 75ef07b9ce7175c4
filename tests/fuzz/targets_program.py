"""A hostile gateway against the whole program: planning, approval, orders, journal and recovery."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.frames import framed, split_frames, spoilt_frame
from tests.simulation import laws_books, laws_ends, laws_sent
from tests.simulation.campaign import played
from tests.simulation.draw import draw_script
from tests.simulation.facts import Facts, gather
from tests.simulation.invariants import Law
from tests.simulation.script import Invocation, Script, Task
from tests.simulation.virtual_net import VirtualLoop
from tests.simulation.world import World

LAWS: Final[tuple[Law, ...]] = (
    laws_sent.approved_only,
    laws_sent.sent_once,
    laws_sent.own_account,
    laws_sent.reads_only,
    laws_sent.on_record_first,
    laws_books.figures_are_finite,
    laws_ends.ends_in_time,
    laws_ends.words_are_safe,
    laws_ends.nothing_left_behind,
)
"""What holds whatever the gateway says."""


def fuzz_program(chance: Random, _home: Path) -> str:
    """One run, and its recovery, behind a wire that damages frames; its first exit code.

    The damage begins at once, or so late that the plan is approved and orders work.
    """
    script = replace(
        _script(chance),
        invocations=(
            Invocation(task=Task.CONFIRM),
            Invocation(task=Task.RECOVER),
            Invocation(task=Task.CONFIRM, is_healed=True),
        ),
        is_calm=False,
        is_believable=False,
        is_undisturbed=False,
    )
    loop = VirtualLoop()
    share = chance.choice((0.002, 0.01, 0.05))
    said, begins = count(), chance.choice((0, 0, 100, 200, 300, 400))
    loop.on_server_write = lambda data: b"".join(
        (
            spoilt_frame(chance, one)
            if next(said) >= begins and chance.random() < share
            else framed(one)
        )
        for one in split_frames(data)
    )
    with played(script, loop=loop, look=_judge) as world:
        found: list[str] = world.noted
        assert not found, found
        return f"exit code {world.endings[0].code}"


def _script(chance: Random) -> Script:
    return draw_script(chance.randrange(10_000))


def _judge(world: World) -> list[str]:
    facts: Facts = gather(world)
    found = [f"{law.__name__}: {text}" for law in LAWS for text in law(facts)]
    bugs = [repr(ending.bug) for ending in world.endings if ending.bug is not None]
    return found + [f"bug: {text}" for text in bugs]
