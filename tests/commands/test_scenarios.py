"""Each scenario of ``data/scenarios`` as a person meets it: a whole command, and its last lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.simulator.scenario.sample import SCENARIOS
from tests.commands.kit import Workplace


def played(place: Workplace, name: str, **changes: object) -> str:
    """A copy of a scenario with other settings, in the working directory; its path."""
    data = json.loads((SCENARIOS / f"{name}.json").read_text(encoding="utf-8"))
    path = place.path / f"{name}.json"
    path.write_text(json.dumps({**data, **changes}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "gateway", [{}, {"advisor_master": "DF0000000"}], ids=["plain", "with a master"]
)
def test_several_accounts(place: Workplace, gateway: dict[str, object]) -> None:
    done = place.run("--simulate", played(place, "several_accounts", gateway=gateway))
    assert done.code == ExitCode.OK
    assert "Nothing was sent." in done.out


def test_what_is_wrong_in_a_scenario_is_named_with_its_path(place: Workplace) -> None:
    path = Path(played(place, "several_accounts", order_rules=[{"then": {"silence": "x"}}]))
    done = place.run("--simulate", str(path))
    assert done.code == ExitCode.INPUT
    (error,) = done.errors
    assert f"{path}: order_rules[0].then.silence: expected one of" in error


def test_an_unknown_scenario_is_answered_with_the_nearest(place: Workplace) -> None:
    done = place.run("--confirm", "--simulate", "several_account")
    assert done.code == ExitCode.INPUT
    (error,) = done.errors
    assert error.startswith("--simulate: there is no scenario 'several_account'")
    assert error.endswith("did you mean several_accounts?")
