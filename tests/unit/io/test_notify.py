"""The [notify] command: no shell, a limit, its output kept, its failures warnings."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from src.io.notify import notify

PYTHON = sys.executable
PROGRAM = Path(PYTHON).name


def told(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == level]


def test_the_words_reach_the_command_as_they_are_and_no_shell_reads_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    code = "import sys; print(sys.argv[1:], sys.stdin.read())"
    notify([PYTHON, "-c", code, "$HOME", "*", "; rm -rf x", "a b"], "h\u00e9llo")
    (line,) = told(caplog, logging.INFO)
    assert "['$HOME', '*', '; rm -rf x', 'a b']" in line
    assert told(caplog, logging.WARNING) == []


def test_a_command_that_does_not_read_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    notify([PYTHON, "-c", "pass"], "x" * 1_000_000)
    assert told(caplog, logging.WARNING) == []


def test_a_command_without_end_is_ended_at_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    code = "import sys, time; print('begun', flush=True); time.sleep(60)"
    notify([PYTHON, "-c", code], "", limit_sec=1.0)
    assert told(caplog, logging.WARNING) == [f"[notify] {PROGRAM} was ended after 1 s: begun"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends the command alone")
def test_what_the_command_started_does_not_hold_the_run_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A child that keeps the output open must not be waited for, whether ended or not."""
    child = f"import subprocess; subprocess.Popen([{PYTHON!r}, '-c', 'import time; time.sleep(5)'])"
    notify([PYTHON, "-c", child], "", limit_sec=30)
    assert told(caplog, logging.WARNING) == []


def test_a_flood_of_output_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    notify([PYTHON, "-c", "print('x' * 10_000_000)"], "")
    (line,) = told(caplog, logging.INFO)
    assert 1000 < len(line) < 5000


def test_what_cannot_be_run_is_named_without_its_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notify([str(tmp_path / "none" / "tell"), "--token", "secret"], "")
    notify([str(tmp_path), "secret"], "")
    for line in told(caplog, logging.WARNING):
        assert "could not be run: " in line
        assert line.endswith("; check [notify] command")
        assert "secret" not in line
    assert len(told(caplog, logging.WARNING)) == 2
