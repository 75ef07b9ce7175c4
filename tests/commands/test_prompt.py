"""The prompt of a real process: signals, terminals, closed pipes, and a second process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from src.base.errors import ExitCode
from src.simulator.scenario.records import WireFaults
from tests.commands.conftest import OpenGateway
from tests.commands.kit import (
    LIMIT_SEC,
    PROMPT,
    Done,
    Gateway,
    LateAnswer,
    Workplace,
    finish,
    sample,
    wait_for,
)
from tests.kits.terminals import terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and terminals")


def log_text(place: Workplace) -> str:
    return max(place.reports.glob("*.log")).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_at_the_prompt_sends_nothing_and_frees_the_account(
    place: Workplace, gateway: Gateway, name: str
) -> None:
    number = getattr(signal, name)
    over = threading.Event()

    def stop() -> None:
        os.kill(os.getpid(), number)
        over.wait(LIMIT_SEC)

    done = place.run("--confirm", stdin=LateAnswer(["y"], {1: stop}))
    over.set()
    interrupted(place, done)
    assert place.run("--recover").out == "OK: no earlier run is open.\n"
    assert gateway.order_messages == []


def interrupted(place: Workplace, done: Done) -> None:
    """A run that was stopped at the prompt, with its last words."""
    assert done.code == ExitCode.INTERRUPTED
    assert done.errors == []
    assert "interrupted at the prompt: nothing was sent" in done.err.splitlines()
    assert done.err.splitlines()[-1].startswith("This run sent nothing. The log")
    assert place.run_id() in done.err
    assert "plan declined reason=interrupted at the prompt" in log_text(place)


def test_a_signal_during_the_second_look_sends_nothing(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(sample(wire=WireFaults(latency_sec=0.15)))

    def stop_at_the_second_look() -> None:
        gateway.wait_for("ReqPositions", 2)
        os.kill(os.getpid(), signal.SIGINT)

    done = place.run("--confirm", stdin="y\n", during=stop_at_the_second_look)
    assert done.code == ExitCode.INTERRUPTED
    assert done.errors == []
    assert "interrupted: nothing was sent" in done.err.splitlines()
    assert done.err.splitlines()[-1].startswith("This run sent nothing. The log")
    assert place.run("--recover").code == ExitCode.OK
    assert gateway.order_messages == []


def test_ctrl_c_in_a_process_of_its_own(place: Workplace, gateway: Gateway) -> None:
    process = place.start("--confirm")
    wait_for(process, PROMPT)
    process.send_signal(signal.SIGINT)
    interrupted(place, finish(process))
    assert gateway.order_messages == []


def test_what_was_typed_before_the_prompt_is_no_answer(place: Workplace, gateway: Gateway) -> None:
    place.set("rebalance", per_holding_band_bps=900)
    with terminal() as (keyboard, program):
        process = place.start("--confirm", stdin=program)
        os.write(keyboard, b"y\ny\n")
        wait_for(process, PROMPT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)  # it still waits: the early answers are gone
        assert gateway.order_messages == []
        os.write(keyboard, b"y\n")
        done = finish(process)
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert len(gateway.orders) == 1


def test_nobody_is_asked_about_a_plan_that_nobody_could_read(
    place: Workplace, gateway: Gateway
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = place.start("--confirm", stdout=writer)
    os.close(writer)
    done = finish(process, "y\n")
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert PROMPT not in done.err
    assert gateway.order_messages == []
    assert "the output was closed" in log_text(place)


def test_a_second_process_is_refused_until_the_first_is_gone(
    place: Workplace, gateway: Gateway
) -> None:
    first = place.start("--confirm")
    wait_for(first, PROMPT)
    started = time.monotonic()
    second = place.run("--confirm", stdin="y\n")
    assert time.monotonic() - started < 5
    assert second.code == ExitCode.REFUSED
    (line,) = second.errors
    assert f"another run holds this account (pid {first.pid} on " in line
    place.set("ibkr", client_id=43)
    assert f"pid {first.pid}" in place.run().out  # a dry run says so, and goes on
    first.kill()
    first.communicate()
    assert place.run("--confirm", stdin="n\n").code == ExitCode.OK
    assert gateway.order_messages == []
