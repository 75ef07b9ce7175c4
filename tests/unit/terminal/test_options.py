"""Flags become one task; what contradicts itself is refused in one line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.core.records.wishes import Wishes
from src.terminal.cli import DEFAULT_CONFIG, DEFAULT_CSV
from src.terminal.options import VERSION, Options, Rehearsal, Task, read_options

RUN = "20250131T143000Z"


def test_nothing_given_is_a_dry_run_by_default() -> None:
    assert read_options([]) == Options(
        task=Task.DRY_RUN, config=Path(DEFAULT_CONFIG), csv=Path(DEFAULT_CSV), is_explicit=False
    )


@pytest.mark.parametrize(
    ("flags", "task"),
    [
        (["--dry-run"], Task.DRY_RUN),
        (["--confirm"], Task.CONFIRM),
        (["--confirm", "--dry-run"], Task.DRY_RUN),
        (["--confirm", "--read-only"], Task.CONFIRM),
        (["--confirm", "--simulate"], Task.CONFIRM),
        (["--dry-run", "--confirm", "--from-snapshot", "s.json"], Task.DRY_RUN),
        (["--from-snapshot", "s.json"], Task.DRY_RUN),
        (["--check"], Task.CHECK),
        (["--check", "--simulate", "--read-only"], Task.CHECK),
        (["--recover"], Task.RECOVER),
        (["--recover", "--accept", RUN], Task.RECOVER),
        (["--rebuild", RUN], Task.REBUILD),
    ],
)
def test_each_task(flags: list[str], task: Task) -> None:
    options = read_options(flags)
    assert options.task is task
    assert options.run_id == (RUN if RUN in flags else "")
    assert options.simulate is ("--simulate" in flags)
    assert options.read_only is ("--read-only" in flags)


def test_a_dry_run_that_overrules_a_confirmation_says_so() -> None:
    assert read_options(["--dry-run", "--confirm"]).overrules_confirm
    assert not read_options(["--dry-run"]).overrules_confirm


def test_a_scenario_may_be_named() -> None:
    assert read_options(["--simulate"]).rehearsal == Rehearsal()
    options = read_options(["--confirm", "--simulate", "split"])
    assert options.simulate
    assert options.rehearsal == Rehearsal("split")
    kept = read_options(["--recover", "--simulate", "--keep", "k.json"]).rehearsal
    assert kept == Rehearsal("", Path("k.json"))
    assert read_options(["--simulate=mine.json", "--json"]).rehearsal.scenario == "mine.json"


def test_paths_are_taken_over() -> None:
    options = read_options(
        ["--config", "a.ini", "--csv", "b.csv", "--from-snapshot", "c", "--json"]
    )
    assert (options.config, options.csv) == (Path("a.ini"), Path("b.csv"))
    assert (options.from_snapshot, options.as_json) == (Path("c"), True)


@pytest.mark.parametrize(
    "flags",
    [
        ["--json", "--confirm"],
        ["--json", "--confirm", "--dry-run"],
        ["--json", "--recover"],
        ["--json", "--rebuild", RUN],
        ["--check", "--confirm"],
        ["--check", "--dry-run"],
        ["--check", "--json"],
        ["--check", "--from-snapshot", "s.json"],
        ["--check", "--recover"],
        ["--check", "--save"],
        ["--confirm", "--recover"],
        ["--confirm", "--rebuild", RUN],
        ["--recover", "--rebuild", RUN],
        ["--dry-run", "--recover"],
        ["--dry-run", "--rebuild", RUN],
        ["--from-snapshot", "s.json", "--confirm"],
        ["--from-snapshot", "s.json", "--recover"],
        ["--from-snapshot", "s.json", "--rebuild", RUN],
        ["--from-snapshot", "s.json", "--simulate"],
        ["--keep", "k.json"],
        ["--keep", "k.json", "--confirm"],
        ["--accept", RUN],
        ["--cancel"],
        ["--save"],
        ["--save", "--confirm"],
        ["--cancel", "--confirm"],
        ["--accept", RUN, "--confirm"],
        ["--rebuild", ""],
        ["--recover", "--accept", ""],
        ["--skip", ""],
        ["--skip", "SPY,,BND"],
        ["--skip", "spy,Cash"],
        ["--only", "CASH"],
        ["--skip", "SPY", "--only", "BND"],
        ["--no-sell", "--recover"],
        ["--invest", "0"],
        ["--withdraw", "0"],
        ["--withdraw", "-1"],
        ["--withdraw"],
        ["--withdraw", "10,000"],
        ["--withdraw", "100", "--invest"],
        ["--withdraw", "100", "--no-sell"],
        ["--withdraw", "100", "--recover"],
        ["--invest", "-5"],
        ["--invest", "2,000"],
        ["--invest", "nan"],
        ["--invest", "--rebuild", RUN],
        ["--skip", "SPY", "--rebuild", RUN],
    ],
)
def test_contradictions_are_exit_2_and_one_line(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        read_options(flags)
    assert stopped.value.code == ExitCode.INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_wishes_are_read_and_there_are_none_by_default() -> None:
    assert read_options(["--confirm"]).wishes is None
    flags = ["--no-sell", "--skip", "spy, BND", "--skip", "bnd,QQQ"]
    assert read_options(flags).wishes == Wishes(no_sell=True, skip=("SPY", "BND", "QQQ"))
    assert read_options(["--confirm", "--only", "SPY"]).wishes == Wishes(only=("SPY",))


def test_a_check_takes_wishes() -> None:
    assert read_options(["--check", "--skip", "SPY"]).wishes == Wishes(skip=("SPY",))


def test_the_usual_files_are_looked_for_here_and_then_beside_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = Path(__file__).resolve().parents[3]
    options = read_options([])
    assert (options.config, options.csv) == (root / DEFAULT_CONFIG, root / DEFAULT_CSV)
    for name in (DEFAULT_CONFIG, DEFAULT_CSV):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    options = read_options([])
    assert (options.config, options.csv) == (Path(DEFAULT_CONFIG), Path(DEFAULT_CSV))
    assert read_options(["--csv", "data/other.csv"]).csv == Path("data/other.csv")


def test_an_amount_to_invest_may_be_left_out() -> None:
    assert read_options(["--invest"]).wishes == Wishes(invest=True)
    assert read_options(["--invest", "--confirm"]).wishes == Wishes(invest=True)
    amount = Wishes(invest=True, invest_usd=Decimal("1180.50"))
    assert read_options(["--invest", "1180.50"]).wishes == amount
    assert read_options(["--invest=1180.50"]).wishes == amount


def test_an_amount_to_take_out_goes_with_skip_and_only() -> None:
    wishes = Wishes(withdraw_usd=Decimal(10000), skip=("SPY",))
    assert read_options(["--withdraw", "10000", "--skip", "SPY"]).wishes == wishes


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        read_options(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"ibkr-etf-rebalancer {VERSION}\n"
    project = Path(__file__).resolve().parents[3] / "pyproject.toml"
    assert f'version = "{VERSION}"' in project.read_text(encoding="utf-8")
