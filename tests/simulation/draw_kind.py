"""What kind of account it is: what it may borrow and when it can spend what it sold for."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from tests.simulation.script import Script

_KINDS: Final = ("STKNOPT",) * 5 + ("STKMRGN", "IRAMRGN", "STKCASH", "STKCASH", "STKCASH")


def draw_kind(script: Script) -> Script:
    """The same script in such an account; drawn beside it, so that all else stays as it was."""
    chance = Random(f"kind of {script.seed}")
    kind = chance.choice(_KINDS)
    first, *others = script.scenario.accounts
    account = replace(first, trading_type=kind, type="cash" if kind == "STKCASH" else first.type)
    scenario = replace(script.scenario, accounts=(account, *others))
    return replace(script, scenario=scenario)
