"""Each scenario of ``data/scenarios`` as a person meets it: a whole command, and its last lines."""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.simulator.scenario.sample import SCENARIOS
from src.terminal.progress import STOPPING
from tests.commands.kit import LIMIT_SEC, STILL, Workplace
from tests.kits.terminals import Frame, watched


def played(place: Workplace, name: str, **changes: object) -> str:
    """A copy of a scenario with other settings, in the working directory; its path."""
    data = json.loads((SCENARIOS / f"{name}.json").read_text(encoding="utf-8"))
    path = place.path / f"{name}.json"
    path.write_text(json.dumps({**data, **changes}), encoding="utf-8")
    return str(path)


AT_ONCE = {"fill_delay_sec": 0.02, "fill_spread_sec": 0, "daily_move_pct": 0}

ENDINGS = {
    "fills_in_parts": (0, "13 orders sent; 13 of 13 tickets filled; nothing unresolved."),
    "rejected_order": (4, "12 of 13 tickets filled; nothing unresolved. Read the reasons above"),
    "algo_refused": (0, "26 orders sent; 13 of 13 tickets filled; nothing unresolved."),
    "market_closed": (5, "This run sent nothing."),
    "cash_account": (0, "Run again when the sells have settled, usually the next trading day"),
    "several_accounts": (0, "12 of 12 tickets filled; nothing unresolved."),
    "split": (5, "This run sent nothing."),
    "utc_times": (0, "13 of 13 tickets filled; nothing unresolved."),
    "deposit_sweep": (0, "12 of 12 tickets filled; nothing unresolved."),
    "read_only": (5, "This run sent nothing."),
    "no_market_data": (5, "This run sent nothing."),
}
"""Scenario → exit code of a confirmed run, and what its last line says."""

WHY = {
    "rejected_order": "Rejected GLD: 201",
    "market_closed": "the market is closed for GDX",
    "split": "SCHG at 7.3600 is far from its previous close 29.3100: a split or a wrong price",
    "read_only": "untick Read-Only API",
    "no_market_data": "no usable price (last) for BNDX, CWB, ETHA, GLD, MGK",
    "deposit_sweep": "CashBalance",
}
"""Scenario → words above the last line that tell what is the matter."""


def test_every_scenario_is_run_here() -> None:
    named = {*ENDINGS, "lost_connection", "nightly_restart", "half_day"}
    assert named == {path.stem for path in SCENARIOS.glob("*.json")}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_run_in_each_scenario_ends_truly_and_calmly(place: Workplace, name: str) -> None:
    code, words = ENDINGS[name]
    chosen = ("--account", "Joint") if name == "several_accounts" else ()
    scenario = played(place, name, **AT_ONCE)
    done = place.run("--confirm", "--simulate", scenario, *chosen, stdin="y\n")
    assert done.code == code, done
    last = (done.err if code == ExitCode.REFUSED else done.out).strip().splitlines()[-1]
    assert words in last
    assert WHY.get(name, "") in unwrapped(done.out + done.err)
    assert len(done.errors) == (code == ExitCode.REFUSED)


def unwrapped(text: str) -> str:
    """Text without its line ends."""
    return " ".join(text.split())


def test_after_a_lost_connection_what_was_sent_is_followed_to_its_end(place: Workplace) -> None:
    slow = {**AT_ONCE, "fill_delay_sec": 0.2}
    done = place.run(
        "--confirm", "--simulate", played(place, "lost_connection", **slow), stdin="y\n"
    )
    assert done.code == ExitCode.UNFILLED
    assert "7 of 13 tickets filled; nothing unresolved." in done.out.splitlines()[-1]
    assert "not sent: the connection to the gateway was lost" in unwrapped(done.out)


def test_a_nightly_restart_is_waited_for(place: Workplace) -> None:
    restart = {"what": "restart", "after_orders": 7, "after_sec": 0.05, "value": 0.3}
    slow = {**AT_ONCE, "fill_delay_sec": 0.2, "events": [restart]}
    done = place.run(
        "--confirm", "--simulate", played(place, "nightly_restart", **slow), stdin="y\n"
    )
    assert done.code == ExitCode.UNFILLED
    assert "7 of 13 tickets filled; nothing unresolved." in done.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("clock", "code"),
    [("12:59:00", ExitCode.OK), ("13:00:30", ExitCode.REFUSED)],
    ids=["before the close", "after it"],
)
def test_a_half_days_close_is_the_end(place: Workplace, clock: str, code: int) -> None:
    setting = {**AT_ONCE, "clock": f"2026-11-27T{clock}-05:00"}
    done = place.run("--confirm", "--simulate", played(place, "half_day", **setting), stdin="y\n")
    assert done.code == code, done
    if code:
        assert "it opens Mon 30 Nov 09:30 New York" in unwrapped(done.err)


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


def is_filling(frame: Frame) -> bool:
    """Whether the first sell has filled in part."""
    return re.search(r"SELL GDX +[1-9]\d* of 127", " ".join(frame)) is not None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")
def test_a_rehearsal_is_interrupted_and_recovered_on_a_small_terminal(place: Workplace) -> None:
    keep = ("--keep", "kept.json")
    with watched(["--confirm", "--simulate", "fills_in_parts", *keep], place.path) as run:
        run.until(lambda frame: bool(frame) and frame[-1].endswith("[y/N]:"))
        run.type("y\n")
        run.until(is_filling)
        run.type("\x03")
        assert run.end() == ExitCode.INTERRUPTED
    last = unwrapped(" ".join(run.everything().splitlines()[-3:]))
    assert "7 orders sent; 0 of 13 tickets filled; nothing unresolved. You stopped the run" in last
    done = place.run("--recover", "--simulate", *keep)
    assert (done.code, done.out) == (ExitCode.OK, "OK: no earlier run is open.\n")
    left = json.loads(Path("kept.json").read_text(encoding="utf-8"))["orders"]
    assert {order["status"] for order in left} == {"Cancelled"}
    assert "to sell, 6 to buy" in place.run("--simulate", *keep).out


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")
def test_a_rehearsal_left_at_once_says_how_it_is_recovered(place: Workplace) -> None:
    slow = played(
        place, "fills_in_parts", order_rules=[{"then": {"cancel": {"answer": "ignored"}}}]
    )
    with watched(["--confirm", "--simulate", slow, "--keep", "kept.json"], place.path) as run:
        run.until(lambda frame: bool(frame) and frame[-1].endswith("[y/N]:"))
        run.type("y\n")
        run.until(is_filling)
        run.type("\x03")
        run.until_text(STOPPING)
        run.type("\x03")
        assert run.end() == ExitCode.UNFILLED
    assert "--recover --simulate --keep kept.json`" in "".join(run.everything().splitlines()[-3:])
    let_a_minute_pass(Path("kept.json"))
    done = place.run("--recover", "--simulate", "--keep", "kept.json")
    assert done.code == ExitCode.OK
    assert "OK: no earlier run is open." in done.out


def await_a_fill(kept: Path) -> None:
    """Return once the kept account tells of all seven sells, and of an execution of one."""
    deadline = time.monotonic() + LIMIT_SEC
    orders: list[dict[str, object]] = []
    while len(orders) < 7 or not any("executions" in order for order in orders):
        assert time.monotonic() < deadline
        time.sleep(0.01)
        if kept.exists():
            orders = json.loads(kept.read_text(encoding="utf-8")).get("orders", [])


def let_a_minute_pass(kept: Path) -> None:
    """As if the account had been left a minute earlier."""
    data = json.loads(kept.read_text(encoding="utf-8"))
    earlier = datetime.fromisoformat(data["kept_at"]) - timedelta(minutes=1)
    kept.write_text(json.dumps({**data, "kept_at": earlier.isoformat()}), encoding="utf-8")


def test_of_several_kept_accounts_each_goes_on(place: Workplace) -> None:
    scenario = played(place, "several_accounts", **AT_ONCE)
    keep = ("--keep", str(place.path / "kept.json"))
    done = place.run("--confirm", "--simulate", scenario, *keep, "--all", stdin="y\ny\ny\n")
    assert done.code == ExitCode.OK, done
    assert len(json.loads(Path(keep[1]).read_text(encoding="utf-8"))["accounts"]) == 3
    for name in ("Joint", "Small"):
        assert "Nothing to trade" in place.run("--simulate", scenario, *keep, "--account", name).out


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
