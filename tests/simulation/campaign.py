"""Play seeds and add up: alone, or many at a time on several processors."""

from __future__ import annotations

import gc
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.simulation.draw import draw_script
from tests.simulation.facts import gather
from tests.simulation.invariants import LAWS, violations
from tests.simulation.script import Script
from tests.simulation.virtual_net import VirtualLoop
from tests.simulation.virtual_time import JumpingLoop, StuckError
from tests.simulation.world import World

MEMORY_DISK: Final = Path("/dev/shm")  # noqa: S108 - where there is one, reports cost no disk
REAL_JOURNAL_EVERY: Final = 10
_CHUNK: Final = 20


@dataclass(slots=True, kw_only=True)
class Tally:
    """What some seeds came to; ``failures`` maps seed to what was wrong."""

    seeds: int = 0
    starts: int = 0
    orders: int = 0
    laws: int = 0
    virtual_sec: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    failures: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        self.seeds += other.seeds
        self.starts += other.starts
        self.orders += other.orders
        self.laws += other.laws
        self.virtual_sec += other.virtual_sec
        self.faults.update(other.faults)
        self.codes.update(other.codes)
        self.failures.update(other.failures)


def play_seed(seed: int) -> Tally:
    """Play one seed and judge it."""
    return play_script(draw_script(seed))


def play_script(script: Script) -> Tally:
    """Play one script and judge it."""
    tally = Tally(seeds=1, laws=len(LAWS), faults=Counter(script.faults))
    with played(script) as world:
        tally.starts = len(world.endings)
        tally.orders = len(world.orders)
        tally.virtual_sec = world.loop.time()
        tally.codes.update(
            f"{one.invocation.task.value}: {'killed' if one.code is None else one.code}"
            for one in world.endings
        )
        if world.violations:
            tally.failures[script.seed] = world.violations
    return tally


@contextmanager
def played(
    script: Script,
    *,
    keeps_history: bool = False,
    loop: JumpingLoop | None = None,
    look: Callable[[World], object] = lambda _world: None,
) -> Iterator[World]:
    """The world after the script, while its files are still there.

    ``look`` sees it while the journal is open too; what it returns is ``world.noted``.
    """
    place = str(MEMORY_DISK) if MEMORY_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as home, quiet():
        reports = Path(home, "reports")
        reports.mkdir()
        is_real = script.seed % REAL_JOURNAL_EVERY == 0
        journal = Path(home, "journal.sqlite3") if is_real else None
        network = loop or VirtualLoop(script.net_delay_sec)
        world = World(script, reports, journal, keeps_history, network)
        try:
            world.play(lambda one: violations(gather(one)), look)
        except StuckError as error:
            world.violations.append(f"ends_in_time: {error}")
        yield world


def play_many(seeds: Iterable[int], jobs: int) -> Iterator[Tally]:
    """Play seeds on so many processors; a tally now and then, in the order of the seeds."""
    wanted = list(seeds)
    chunks = [wanted[at : at + _CHUNK] for at in range(0, len(wanted), _CHUNK)]
    if jobs < 2 or len(chunks) < 2:
        yield from map(_play_chunk, chunks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_play_chunk, chunks)


def _play_chunk(seeds: list[int]) -> Tally:
    tally = Tally()
    with _garbage_kept():
        for seed in seeds:
            tally.add(play_seed(seed))
    return tally


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Look for garbage once at the end: a tenth of the time goes into looking."""
    was_on, hook = gc.isenabled(), sys.unraisablehook
    gc.collect()
    gc.disable()
    sys.unraisablehook = _heard_unless_dead
    try:
        yield
    finally:
        gc.collect()
        sys.unraisablehook = hook
        if was_on:
            gc.enable()


def _heard_unless_dead(found: sys.UnraisableHookArgs) -> None:
    """A killed process's coroutines would tidy up when the collector unwinds them: they can't."""
    if str(found.exc_value) != "coroutine ignored GeneratorExit":
        sys.__unraisablehook__(found)


@contextmanager
def quiet() -> Iterator[None]:
    """The program's log would be written nowhere: do not even make its records."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
