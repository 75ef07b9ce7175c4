"""Errors become one line and a code; flags are strict and helpful."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from src.base.errors import (
    BrokerLost,
    ConfigError,
    ExitCode,
    Interrupted,
    LockHeld,
    Problem,
    RebalancerError,
)
from src.terminal.cli import (
    DEFAULT_CONFIG,
    DEFAULT_CSV,
    CommandParser,
    add_config_flag,
    add_csv_flag,
    add_simulate_flag,
    errors_recorded_in,
    run_main,
)


def failing(error: BaseException) -> Callable[[], int]:
    def main() -> int:
        raise error

    return main


def parser() -> CommandParser:
    made = CommandParser(prog="p", description="Does it.", examples=("p --simulate",))
    add_config_flag(made)
    add_csv_flag(made)
    add_simulate_flag(made)
    return made


@pytest.mark.parametrize("code", [ExitCode.OK, ExitCode.UNFILLED])
def test_the_result_of_a_command_is_its_exit_code(code: ExitCode) -> None:
    assert run_main(lambda: code) == code


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("x is wrong"), 2, "error: x is wrong\n"),
        (BrokerLost("no answer"), 3, "error: no answer\n"),
        (LockHeld("the account is held"), 5, "error: the account is held\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (Interrupted("interrupted: nothing was sent"), 130, "interrupted: nothing was sent\n"),
        (RebalancerError("a\x1b[2Jb"), 1, "error: a\\x1b[2Jb\n"),
    ],
)
def test_errors_become_a_line_and_a_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    assert run_main(failing(error)) == code
    assert capsys.readouterr() == ("", line)


def test_every_problem_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Problem(where="f:1", what="a"), Problem(where="f:2", what="b", hint="c")]
    assert run_main(failing(ConfigError(problems))) == ExitCode.INPUT
    assert capsys.readouterr().err == "error: f:1: a\nerror: f:2: b (c)\n"


def test_a_bug_is_one_line_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(failing(ZeroDivisionError("by\nzero"))) == ExitCode.BUG
    err = capsys.readouterr().err
    assert err.startswith("error: internal error: ZeroDivisionError: by\\nzero at test_cli.py:")
    assert err.count("\n") == 1


def test_a_missing_package_says_how_to_install_it(capsys: pytest.CaptureFixture[str]) -> None:
    missing = ModuleNotFoundError("No module named 'pandas'", name="pandas")
    assert run_main(failing(missing)) == ExitCode.BUG
    assert "pandas is not installed: run pip install -r" in capsys.readouterr().err


def test_a_bug_leaves_its_traceback_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.log"

    def main() -> int:
        log = logging.FileHandler(path, encoding="utf-8")
        try:
            with errors_recorded_in(log):
                raise ZeroDivisionError
        finally:
            log.close()

    assert run_main(main) == ExitCode.BUG
    assert f"details in {path}" in capsys.readouterr().err
    assert "Traceback" in path.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in path.read_text(encoding="utf-8")


def test_an_expected_error_is_logged_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    log = logging.FileHandler(path, encoding="utf-8")
    problems = [Problem(where="f:1", what="a"), Problem(where="f:2", what="b")]
    with pytest.raises(ConfigError), errors_recorded_in(log):
        raise ConfigError(problems)
    log.close()
    assert path.read_text(encoding="utf-8") == "f:1: a\nf:2: b\n"


def test_flags_and_defaults() -> None:
    flags = parser().parse([])
    assert (flags.config, flags.csv) == (Path(DEFAULT_CONFIG), Path(DEFAULT_CSV))
    assert flags.simulate is False
    flags = parser().parse(["--config", "a.ini", "--csv=b.csv", "--simulate"])
    assert (flags.config, flags.csv, flags.simulate) == (Path("a.ini"), Path("b.csv"), True)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--simulat"], "unknown flag --simulat, did you mean --simulate?"),
        (["--cofig=x.ini"], "unknown flag --cofig, did you mean --config?"),
        (["--cofig", "x.ini"], "unknown flag --cofig, did you mean --config?"),
        (["-s"], "unknown flag -s"),
        (["--conf", "x.ini"], "unknown flag --conf, did you mean --config?"),
        (["extra"], "unexpected argument extra"),
        (["--csv"], "argument --csv: expected one argument"),
        (["--simulate=1\x1b"], "\\x1b"),
    ],
)
def test_wrong_flags_are_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], argv: list[str], expected: str
) -> None:
    assert run_main(lambda: bool(parser().parse(argv))) == ExitCode.INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert expected in err
    assert err.count("\n") == 1


def test_help_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(lambda: bool(parser().parse(["--help"]))) == ExitCode.OK
    out = capsys.readouterr().out
    for part in ("usage: p", "Does it.", "--config FILE", "--csv FILE", "--simulate", "examples:"):
        assert part in out
