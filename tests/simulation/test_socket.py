"""The same scripts over a real socket: what virtual time shows is what a real connection does.

``--seeds`` of ``python -m tests.simulation.test_socket`` compares more of them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace

import pytest

from src.core.run.outcome import run_outcomes
from tests.simulation.campaign import played
from tests.simulation.draw import draw_script
from tests.simulation.facts import gather
from tests.simulation.script import Script
from tests.simulation.socket_net import SocketLoop
from tests.simulation.virtual_time import JumpingLoop
from tests.simulation.world import World

SEEDS = 10
CUT_IN_BYTES = ("dropped", "damaged", "stalled", "paced", "kill")
"""Where a break falls within a burst depends on how bytes are bundled: these may end otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to, as far as it does not hang on milliseconds."""

    codes: tuple[int | None, ...]
    tickets: tuple[str, ...]
    orders: tuple[str, ...]


def outcome_of(script: Script, loop: JumpingLoop | None) -> Outcome:
    with played(script, loop=loop, look=_note) as world:
        assert world.violations == []
        outcome: Outcome = world.noted
        return outcome


def _note(world: World) -> Outcome:
    facts = gather(world)
    return Outcome(
        codes=tuple(one.code for one in world.endings),
        tickets=tuple(
            f"{state.run_id} {one.ticket.symbol} {one.status.value} {len(one.fills)}"
            for state in facts.runs.values()
            for one in run_outcomes(state)
        ),
        orders=tuple(f"{one.order_ref} {one.signed_shares}" for one in facts.wire_orders),
    )


def script_for(seed: int) -> Script:
    return replace(draw_script(seed), net_delay_sec=0.0)


def is_comparable(script: Script) -> bool:
    return not set(script.faults) & set(CUT_IN_BYTES)


def compare(seed: int) -> None:
    script = script_for(seed)
    over_socket = outcome_of(script, SocketLoop())
    if is_comparable(script):
        assert over_socket == outcome_of(script, None)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_real_socket_makes_no_difference(seed: int) -> None:
    compare(seed)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.test_socket")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--start", type=int, default=0)
    flags = parser.parse_args()
    failed = 0
    for seed in range(flags.start, flags.start + flags.seeds):
        try:
            compare(seed)
        except AssertionError as error:
            failed += 1
            print(f"seed {seed}: {str(error)[:600]}")
    print(f"{flags.seeds} seeds over a real socket, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
