"""The first seeds of the simulation, and that a seed always tells the same story."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.campaign import Tally, play_many, played
from tests.simulation.draw import draw_script
from tests.simulation.invariants import LAWS
from tests.simulation.program import CLOCKS

SEEDS, CHUNK = 200, 20
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_an_invariant(first: int) -> None:
    total = Tally()
    for tally in play_many(range(first, first + CHUNK), jobs=1):
        total.add(tally)
    told = [
        f"python -m tests.simulation --seed {seed}: {text}"
        for seed, texts in sorted(total.failures.items())
        for text in texts
    ]
    assert not told, "\n".join(told)
    assert total.seeds == CHUNK
    assert total.laws == CHUNK * len(LAWS)
    assert total.orders > CHUNK / 2
    assert sum(total.faults.values()) > CHUNK / 2


def test_a_seed_tells_the_same_story_twice() -> None:
    assert [digest_of(seed) for seed in range(3)] == [digest_of(seed) for seed in range(3)]


def test_the_story_does_not_hang_on_the_order_of_hashes() -> None:
    expected = [digest_of(seed) for seed in range(4, 8)]
    program = (
        "from tests.simulation.test_seeds import digest_of\n"
        "print(*[digest_of(seed) for seed in range(4, 8)])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == expected


@pytest.mark.parametrize("seed", range(20))
def test_drawing_a_script_is_repeatable(seed: int) -> None:
    assert draw_script(seed) == draw_script(seed)


def test_every_clock_of_the_program_is_borrowed() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "src").rglob("*.py")
        if "datetime.now(" in path.read_text(encoding="utf-8") and "simulator" not in path.parts
    }
    assert modules == set(CLOCKS)


def digest_of(seed: int) -> str:
    with played(draw_script(seed), keeps_history=True) as world:
        return world.digest
