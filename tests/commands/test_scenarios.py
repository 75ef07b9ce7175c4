"""Each scenario of ``data/scenarios`` as a person meets it: a whole command, and its last lines."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.simulator.scenario.sample import SCENARIOS
from tests.commands.kit import LIMIT_SEC, STILL, Workplace


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
    done = place.run("--all", "--simulate", played(place, "several_accounts", gateway=gateway))
    assert done.code == ExitCode.OK
    assert "Nothing was sent." in done.out


def test_a_kept_account_goes_on_from_run_to_run(place: Workplace) -> None:
    keep = str(place.path / "kept.json")
    first = place.run("--confirm", "--simulate", STILL, "--keep", keep, stdin="y\n")
    assert first.code == ExitCode.OK
    again = place.run("--simulate", STILL, "--keep", keep)
    assert "Nothing to trade" in again.out
    assert "13 orders" in place.run("--simulate", STILL).out


def test_a_killed_rehearsal_is_recovered_from_the_kept_account(place: Workplace) -> None:
    slow = played(place, "fills_in_parts", fill_delay_sec=0.3, fill_spread_sec=0)
    keep = str(place.path / "kept.json")
    process = place.start("--confirm", "--simulate", slow, "--keep", keep)
    assert process.stdin is not None
    process.stdin.write("y\n")
    process.stdin.flush()
    await_a_fill(Path(keep))
    process.kill()
    process.wait()
    let_a_minute_pass(Path(keep))
    done = place.run("--recover", "--simulate", slow, "--keep", keep)
    assert done.code == ExitCode.OK
    assert re.search(r"Run \w+ is settled; its report is .*\nOK: no earlier run is open.", done.out)
    assert "6 orders: 0 to sell, 6 to buy" in place.run("--simulate", slow, "--keep", keep).out


def await_a_fill(kept: Path) -> None:
    """Return once the kept account tells of an execution."""
    deadline = time.monotonic() + LIMIT_SEC
    while not (kept.exists() and '"executions"' in kept.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def let_a_minute_pass(kept: Path) -> None:
    """As if the account had been left a minute earlier."""
    data = json.loads(kept.read_text(encoding="utf-8"))
    earlier = datetime.fromisoformat(data["kept_at"]) - timedelta(minutes=1)
    kept.write_text(json.dumps({**data, "kept_at": earlier.isoformat()}), encoding="utf-8")


def test_a_file_that_is_no_kept_account_is_left_alone(place: Workplace) -> None:
    before = place.csv.read_bytes()
    done = place.run("--confirm", "--simulate", STILL, "--keep", str(place.csv), stdin="y\n")
    assert done.code == ExitCode.INPUT
    assert place.csv.read_bytes() == before


def test_a_kept_account_that_cannot_be_written_is_said_before_anything(place: Workplace) -> None:
    keep = str(place.path / "no" / "kept.json")
    done = place.run("--confirm", "--simulate", STILL, "--keep", keep, stdin="y\n")
    assert done.code == ExitCode.INPUT
    (error,) = done.errors
    assert f"--keep: {keep} cannot be written: No such file or directory" in error


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
