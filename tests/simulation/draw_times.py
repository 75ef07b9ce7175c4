"""Where the computer stands, and in which form the gateway tells its times."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, Final

from tests.kits.host_zone import HOST_ZONES
from tests.simulation.script import Script

_OPERATOR: Final = ("US/Eastern", "Europe/Berlin", "Asia/Singapore", "MET", "UTC")
_WARSAW: Final = ("Europe/Warsaw", "Central European Standard Time")
_NAMES: Final = ("", "Nowhere Standard Time", "CST")


def draw_times(script: Script) -> Script:
    """The same script somewhere else; drawn beside it, so that all else stays as it was."""
    chance = Random(f"times of {script.seed}")
    settings = _draw_form(chance)
    gateway = replace(script.scenario.gateway, **settings)
    return replace(
        script,
        host_zone=chance.choice(HOST_ZONES),
        scenario=replace(script.scenario, gateway=gateway),
    )


def _draw_form(chance: Random) -> dict[str, Any]:
    form = chance.choice(("instrument", "instrument", "operator", "bare", "utc", "utc"))
    zone, name = chance.choice(_OPERATOR), None
    if chance.random() < 0.2:
        zone, name = _WARSAW
    elif chance.random() < 0.25:
        name = chance.choice(_NAMES)
    return {"time_form": form, "time_zone": zone, "time_zone_name": name}
