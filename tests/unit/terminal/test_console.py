"""The console never breaks a run: closed pipes, full disks, narrow encodings."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from src.base.known_accounts import learn_accounts
from src.terminal.console import complain, emit, make_console_safe, warn

ROOT = Path(__file__).resolve().parents[3]
TALK = """
from src.terminal.cli import exit_with
from src.terminal.console import emit

def main():
    delivered = [emit("x" * 1000) for _ in range(200)]
    {then}
    return 0 if all(delivered) else 4

exit_with(main)
"""


def talk(then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TALK.replace("{then}", then)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    ("then", "code", "err"),
    [
        ("pass", 4, ""),
        ("print('y' * 100_000)", 4, ""),
        ("raise ValueError('bug')", 1, "error: internal error: ValueError: bug"),
    ],
)
def test_a_closed_pipe_leaves_no_traceback_and_the_true_code(
    then: str, code: int, err: str
) -> None:
    with talk(then) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()
    assert complaint.startswith(err)
    assert "Traceback" not in complaint
    assert complaint.count("\n") == (1 if err else 0)
    assert process.returncode == code


def test_text_goes_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    assert emit("result")
    learn_accounts(["DU1234567"])
    warn("DU1234567 is\nodd")
    complain("first\nsecond\x07")
    out, err = capsys.readouterr()
    assert out == "result\n"
    assert err == "warning: DU***567 is\\nodd\nerror: first\nerror: second\\x07\n"


def test_a_narrow_console_escapes_what_it_cannot_show(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    make_console_safe()
    assert emit("caf\u00e9")
    assert raw.getvalue() in {b"caf\\xe9\n", "caf\u00e9\n".encode(), "caf\u00e9\r\n".encode()}


def test_without_a_console_nothing_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    make_console_safe()
    assert not emit("result")


def test_a_closed_stream_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stdout", stream)
    assert not emit("result")
