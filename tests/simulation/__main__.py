"""``python -m tests.simulation --seeds 10000``: play seeds, count, and name what fails.

``--seed N`` replays one seed and shows everything: its script, every screen, every record.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from src.core.journal.events import PlanRecorded
from tests.simulation.campaign import Tally, play_many, played
from tests.simulation.draw import draw_script
from tests.simulation.script import Script
from tests.simulation.world import World

_SHOWN_FAILURES = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Play what the command line says; 1 when an invariant was broken."""
    flags = _parser().parse_args(argv)
    if flags.seed is not None:
        return replay(flags.seed)
    return campaign(range(flags.start, flags.start + flags.seeds), flags.jobs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds to play")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay this one seed and show everything")
    parser.add_argument("--jobs", type=int, default=1, help="processors to use")
    return parser


def campaign(seeds: range, jobs: int) -> int:
    """Play many seeds and print the sums."""
    started = time.perf_counter()
    total = Tally()
    for tally in play_many(seeds, jobs):
        total.add(tally)
        if sys.stderr.isatty():
            print(f"\r{total.seeds} seeds, {len(total.failures)} failed", end="", file=sys.stderr)
    _show_sums(total, time.perf_counter() - started)
    return 1 if total.failures else 0


def _show_sums(total: Tally, spent_sec: float) -> None:
    rate = total.seeds / max(spent_sec, 0.001)
    print(f"seeds played        {total.seeds} ({rate:.0f} a second)")
    print(f"starts of the program {total.starts}, orders at the exchange {total.orders}")
    print(f"virtual time        {total.virtual_sec / 3600:.1f} hours")
    print(f"invariants checked  {total.laws}")
    print(f"faults injected     {sum(total.faults.values())}")
    for name, count in sorted(total.faults.items()):
        print(f"  {name:<20}{count:>8}")
    print("exit codes")
    for name, count in sorted(total.codes.items()):
        print(f"  {name:<28}{count:>8}")
    print(f"failures            {len(total.failures)}")
    for seed, texts in sorted(total.failures.items())[:_SHOWN_FAILURES]:
        print(f"  python -m tests.simulation --seed {seed}")
        for text in texts[:3]:
            print(f"    {text[:300]}")


def replay(seed: int) -> int:
    """Play one seed and show what happened."""
    script = draw_script(seed)
    _show_script(script)
    with played(script, keeps_history=True) as world:
        _show_world(world)
        print(f"history {world.digest}")
    for text in world.violations:
        print(f"VIOLATION {text}")
    return 1 if world.violations else 0


def _show_script(script: Script) -> None:
    scenario = script.scenario
    print(f"seed {script.seed}: faults {', '.join(script.faults) or 'none'}")
    for name, value in (
        ("start", script.start_utc),
        ("accounts", scenario.accounts),
        ("models", script.portfolios.models),
        ("settings", script.settings),
        ("order rules", scenario.order_rules),
        ("orders", scenario.orders),
        ("events", scenario.events),
        ("wire", scenario.wire),
        ("gateway", scenario.gateway),
        ("network delay", script.net_delay_sec),
    ):
        print(f"{name}: {value}")


def _show_world(world: World) -> None:
    for ending in world.endings:
        print(f"\n=== start {ending.number}: {ending.invocation}")
        print(ending.out)
        print(ending.err)
        for event in ending.events:
            if not isinstance(event, PlanRecorded):
                print(f"  journal: {event}")
        for record in ending.records:
            if record.name in ("PlaceOrder", "CancelOrder"):
                print(f"  wire: {record.at_utc} {record.name} {record.fields[1]}")
        print(f"exit code {ending.code} after {ending.spent_sec:.3f} s {ending.bug!r}")


if __name__ == "__main__":
    sys.exit(main())
