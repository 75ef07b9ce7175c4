"""The first interrupt is a cancellation that may be answered; the second leaves at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.terminal.interrupt import Sending, run_interruptible

ROOT = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process on Windows")


async def interrupted(number: signal.Signals = signal.SIGINT) -> str:
    os.kill(os.getpid(), number)
    await asyncio.sleep(60)
    return "never"


def test_the_result_is_passed_on_and_the_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)

    async def work() -> int:
        assert signal.getsignal(signal.SIGINT) is not before
        return 7

    assert run_interruptible(work()) == 7
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_is_passed_on() -> None:
    async def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        run_interruptible(fail())


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_cancels(name: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_interruptible(interrupted(getattr(signal, name)))


@posix
def test_who_handles_the_interrupt_has_the_last_word() -> None:
    async def tidy() -> str:
        try:
            return await interrupted()
        except asyncio.CancelledError:
            return "tidied up"

    assert run_interruptible(tidy()) == "tidied up"


@posix
@pytest.mark.parametrize("has_begun", [True, False])
def test_the_second_interrupt_leaves_at_once_and_says_what_is_true(*, has_begun: bool) -> None:
    code = (
        "import asyncio, os, signal\n"
        "from src.terminal.interrupt import Sending, run_interruptible\n"
        "sending = Sending()\n"
        "async def stubborn():\n"
        f"    sending.has_begun = {has_begun}\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    try:\n"
        "        await asyncio.sleep(60)\n"
        "    except asyncio.CancelledError:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        await asyncio.sleep(60)\n"
        "run_interruptible(stubborn(), sending)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == (ExitCode.UNFILLED if has_begun else ExitCode.INTERRUPTED)
    assert ("--recover" in done.stderr) == has_begun
    assert ("orders may still be working" in done.stderr) == has_begun
    assert ("this run sent nothing" in done.stderr) != has_begun
    assert "Traceback" not in done.stderr


def test_a_command_that_sends_nothing_says_so_when_left_at_once() -> None:
    assert Sending().exit_code is ExitCode.INTERRUPTED
    assert Sending().last_words.endswith("this run sent nothing.")
