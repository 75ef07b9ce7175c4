"""``python -m tests.fuzz --count 100000``: so many inputs for each target, counted.

``--target ini --start 4711 --count 1`` plays one case again, with its traceback.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.campaign import TARGETS, play_case, play_many

_SHOWN_FAILURES = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Play what the command line says; 1 when something else than a documented outcome came."""
    flags = _parser().parse_args(argv)
    names = [flags.target] if flags.target else list(TARGETS)
    if flags.target and flags.count == 1:
        with tempfile.TemporaryDirectory() as home:
            print(play_case(flags.target, flags.start, Path(home)))
        return 0
    failed = sum(_campaign(name, flags) for name in names)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="inputs for each target")
    parser.add_argument("--start", type=int, default=0, help="the first case")
    parser.add_argument("--target", choices=sorted(TARGETS), help="only this one")
    parser.add_argument("--jobs", type=int, default=1, help="processors to use")
    return parser


def _campaign(name: str, flags: argparse.Namespace) -> int:
    started = time.perf_counter()
    inputs = TARGETS[name][1]
    cases = range(flags.start, flags.start + max(1, flags.count // inputs))
    tally = play_many(name, cases, flags.jobs)
    spent = time.perf_counter() - started
    outcomes = ", ".join(f"{word} {count}" for word, count in sorted(tally.outcomes.items()))
    print(
        f"{name:<8} {tally.cases * inputs:>8} inputs in {tally.cases} cases, {spent:.0f} s,"
        f" slowest {tally.slowest_sec * 1000:.0f} ms: {outcomes}; {len(tally.failures)} failed"
    )
    for number, text in sorted(tally.failures.items())[:_SHOWN_FAILURES]:
        print(f"  python -m tests.fuzz --target {name} --start {number} --count 1")
        print(f"    {text}")
    return len(tally.failures)


if __name__ == "__main__":
    sys.exit(main())
