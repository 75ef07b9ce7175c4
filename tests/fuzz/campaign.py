"""Play fuzz cases by number and add up; a case is its target and its number, nothing else."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.targets_client import FRAMES as CLIENT_FRAMES
from tests.fuzz.targets_client import fuzz_client
from tests.fuzz.targets_files import fuzz_csv, fuzz_ini
from tests.fuzz.targets_gateway import FRAMES as GATEWAY_FRAMES
from tests.fuzz.targets_gateway import fuzz_gateway
from tests.fuzz.targets_program import fuzz_program
from tests.simulation.campaign import MEMORY_DISK, quiet

Target = Callable[[Random, Path], str]

TARGETS: Final[dict[str, tuple[Target, int]]] = {
    "ini": (fuzz_ini, 1),
    "csv": (fuzz_csv, 1),
    "client": (fuzz_client, CLIENT_FRAMES),
    "gateway": (fuzz_gateway, GATEWAY_FRAMES),
    "program": (fuzz_program, 400),
}
"""Name → what to run, and how many inputs one case counts for (about 400 frames are one run)."""

SLOW_SEC: Final = 5.0
"""No case takes this long: 0.1 s is usual for a run, 10 ms for the others."""
MOST_BYTES: Final = 200 * 1024 * 1024
"""No case needs this much memory on top."""
_CHUNK: Final = 200


@dataclass(slots=True, kw_only=True)
class Tally:
    """What some cases of one target came to."""

    cases: int = 0
    slowest_sec: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        self.cases += other.cases
        self.slowest_sec = max(self.slowest_sec, other.slowest_sec)
        self.outcomes.update(other.outcomes)
        self.failures.update(other.failures)


def play_case(name: str, number: int, home: Path) -> str:
    """One case; raises what the target raises."""
    return TARGETS[name][0](Random(f"{name}:{number}"), home)


def play_cases(name: str, numbers: Iterable[int]) -> Tally:
    """Some cases of one target, each within its time."""
    tally = Tally()
    place = str(MEMORY_DISK) if MEMORY_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as home, quiet():
        for number in numbers:
            started = time.process_time()
            try:
                tally.outcomes[play_case(name, number, Path(home))] += 1
            except Exception as error:  # noqa: BLE001 - every failure is counted and named
                tally.failures[number] = f"{type(error).__name__}: {error}"[:500]
            spent = time.process_time() - started
            tally.cases += 1
            tally.slowest_sec = max(tally.slowest_sec, spent)
            if spent > SLOW_SEC:
                tally.failures.setdefault(number, f"took {spent:.1f} s")
    return tally


def play_many(name: str, numbers: range, jobs: int) -> Tally:
    """Many cases of one target on so many processors."""
    chunks = [numbers[at : at + _CHUNK] for at in range(0, len(numbers), _CHUNK)]
    total = Tally()
    if jobs < 2:
        for chunk in chunks:
            total.add(play_cases(name, chunk))
        return total
    with ProcessPoolExecutor(jobs) as pool:
        for tally in pool.map(play_cases, [name] * len(chunks), chunks):
            total.add(tally)
    return total


def peak_bytes(name: str, numbers: Iterable[int]) -> int:
    """The most memory that was in use at once on top of what was there before."""
    play_cases(name, [0])
    tracemalloc.start()
    try:
        play_cases(name, numbers)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
