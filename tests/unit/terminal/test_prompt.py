"""One question, one line, whatever stands behind standard input."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
from pathlib import Path
from typing import TextIO

import pytest

from src.terminal.prompt import ask
from tests.kits.terminals import terminal

QUESTION = "Send 1 order? [y/N]: "
needs_terminals = pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")


def answer_from(stream: TextIO | None, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setattr(sys, "stdin", stream)
    return asyncio.run(asyncio.wait_for(ask(QUESTION), 10))


@pytest.mark.parametrize(
    ("piped", "answer"), [("y\nn\n", "y\n"), ("yes", "yes"), ("\n", "\n"), ("", None)]
)
def test_the_first_line_of_a_pipe_is_the_answer(
    piped: str,
    answer: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert answer_from(io.StringIO(piped), monkeypatch) == answer
    assert capsys.readouterr() == ("", f"{QUESTION}\n")


def test_no_standard_input_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer_from(None, monkeypatch) is None
    assert capsys.readouterr().err == f"{QUESTION}\n"


def test_a_closed_or_undecodable_input_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = io.StringIO("y\n")
    closed.close()
    assert answer_from(closed, monkeypatch) is None
    path = tmp_path / "bytes"
    path.write_bytes(b"\xff\xfe y\n")
    with path.open(encoding="utf-8") as file:
        assert answer_from(file, monkeypatch) is None


def test_a_closed_stderr_does_not_stop_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    shut = io.StringIO()
    shut.close()
    monkeypatch.setattr(sys, "stderr", shut)
    assert answer_from(io.StringIO("y\n"), monkeypatch) == "y\n"
    monkeypatch.setattr(sys, "stderr", None)
    assert answer_from(io.StringIO("y\n"), monkeypatch) == "y\n"


def test_an_interrupt_ends_the_waiting_and_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, over = threading.Event(), threading.Event()

    class Silence(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            reading.set()
            over.wait(10)
            return "y\n"

    async def interrupted() -> None:
        question = asyncio.ensure_future(ask(QUESTION))
        await asyncio.to_thread(reading.wait, 10)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question

    monkeypatch.setattr(sys, "stdin", Silence())
    asyncio.run(interrupted())
    over.set()
    assert capsys.readouterr().err == f"{QUESTION}\n"


@needs_terminals
def test_a_terminal_forgets_what_was_typed_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        terminal() as (keyboard, program),
        os.fdopen(program, "r", encoding="utf-8", closefd=False) as stream,
    ):
        os.write(keyboard, b"y\n")
        said = sys.stderr.write

        def type_after_the_question(text: str) -> int:
            if text == QUESTION:
                os.write(keyboard, b"later\n")
            return said(text)

        monkeypatch.setattr(sys.stderr, "write", type_after_the_question)
        assert answer_from(stream, monkeypatch) == "later\n"
    assert capsys.readouterr().err == QUESTION  # the terminal's own echo ended the line
