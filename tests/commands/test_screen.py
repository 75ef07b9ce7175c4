"""What a person sees on a terminal while a run waits, and what keys pressed meanwhile do.

The runs are processes in pseudo terminals of 80 columns and 24 lines, against a slow gateway.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.simulator.scenario.records import ScheduledEvent, WireFaults
from src.terminal.progress import CANCEL_HINT, STOPPING
from tests.commands.conftest import OpenGateway
from tests.commands.kit import PROMPT, Workplace, finish, sample
from tests.kits.terminals import Frame, Watched, watched
from tests.recording import GOLDEN, WRITTEN_ANEW, as_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals")

SLOW = WireFaults(latency_sec=0.6)
QUESTION = PROMPT.strip()


def waits_of(run: Watched) -> set[str]:
    """What was waited for in any frame, without the seconds."""
    lines = {line for frame in run.frames for line in frame}
    return {
        re.sub(r", \d+ s( of \d+ s)?$", "", line.removeprefix("Waiting for "))
        for line in lines
        if line.startswith("Waiting for ")
    }


def is_at_the_question(frame: Frame) -> bool:
    return bool(frame) and frame[-1].endswith(QUESTION)


def one_order(place: Workplace) -> None:
    place.set("rebalance", per_holding_band_bps=900)


def test_every_wait_is_shown_and_gives_way_to_what_comes(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(sample(wire=SLOW, fill_delay_sec=1.0))
    with watched(["--confirm"], place.path) as run:
        run.until_text("Waiting for the login at 127.0.0.1")
        run.type("y\nxxx")  # neither seen nor an answer
        at_question = run.until(is_at_the_question)
        assert "Waiting" not in run.everything()
        run.type("y\n")
        working = run.until_text("of 300 s")
        code = run.end()
    assert code == ExitCode.OK
    waits = waits_of(run)
    assert {"the account", "open orders", "current time"} <= waits
    assert any(re.fullmatch(r"\d+ of 14 prices", one) for one in waits)
    assert any(re.fullmatch(r"\d+ of 14 contracts", one) for one in waits)
    assert not any("xxx" in line for frame in run.frames for line in frame)
    assert not at_question[-1].endswith("y")
    assert working[-1] == CANCEL_HINT
    assert any(re.search(r"SELL GDX +0 of 127 .* s of 300 s$", line) for line in working)
    shown = run.everything()
    assert f"{QUESTION} y" in shown  # what is typed at the question is seen again
    assert "Waiting" not in shown
    assert CANCEL_HINT not in shown
    assert "orders done" not in shown
    assert len(re.findall(r"^BUY +MGK|^MGK +BUY", shown, re.MULTILINE)) == 1
    assert run.shows_cursor
    assert b"\x1b[3" not in run.raw  # no colour


def test_ctrl_c_says_that_it_was_heard(place: Workplace, open_gateway: OpenGateway) -> None:
    one_order(place)
    open_gateway(sample(wire=WireFaults(latency_sec=0.2), fill_delay_sec=60))
    with watched(["--confirm"], place.path) as run:
        run.until(is_at_the_question)
        run.type("y\n")
        run.until_text(CANCEL_HINT)
        run.type("\x03")
        run.until_text(STOPPING)
        assert run.end() == ExitCode.INTERRUPTED
    assert STOPPING not in run.everything()
    assert "^C" not in run.everything()


def test_leaving_at_once_leaves_the_terminal_as_it_was(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    one_order(place)
    open_gateway(sample(wire=WireFaults(latency_sec=0.2), fill_delay_sec=60))
    with watched(["--confirm"], place.path) as run:
        before = run.modes()
        run.until(is_at_the_question)
        run.type("y\n")
        run.until_text(CANCEL_HINT)
        assert not run.shows_keys
        run.type("\x03")
        run.until_text(STOPPING)
        run.type("\x03")
        assert run.end() == ExitCode.UNFILLED
        assert run.modes() == before
    assert run.shows_cursor
    last = "".join(run.everything().splitlines()[-2:])  # it wraps
    assert "Run `python rebalance.py --recover` before trading again" in last


def test_a_window_that_is_closed_cancels_what_works_and_files_it(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    one_order(place)
    open_gateway(sample(fill_delay_sec=60))
    with watched(["--confirm"], place.path) as run:
        run.until(is_at_the_question)
        run.type("y\n")
        run.until_text(CANCEL_HINT)
        assert run.close_window() == ExitCode.INTERRUPTED
    (report,) = place.reports_named("rebalance_post_")
    assert ",Cancelled," in report.read_text(encoding="utf-8")
    (log,) = place.reports.glob("*.log")
    assert "run finished exit_code=130" in log.read_text(encoding="utf-8")


def has(text: str) -> Callable[[Frame], bool]:
    return lambda frame: text in " ".join(frame)


def from_the_question(frame: Frame) -> Frame:
    """Without what a picture that was longer for a moment may have pushed away or not."""
    first = next(number for number, line in enumerate(frame) if line.startswith("Send "))
    return frame[first:]


def test_the_recording_shows_a_run_as_its_user_sees_it(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(sample(wire=SLOW, fill_delay_sec=1.5))
    frames: dict[str, Frame] = {}
    with watched(["--confirm"], place.path) as run:
        frames["While the gateway answers"] = run.until(has("Waiting for the login"))
        frames["While prices come"] = run.until(has("of 14 prices"))
        frames["The first question"] = run.until(is_at_the_question)
        gateway.happen(ScheduledEvent(what="position", symbol="GDX", value=Decimal(150)))
        run.type("y\n")
        run.until(lambda frame: not is_at_the_question(frame))
        frames["Asked again: shares were sold meanwhile"] = run.until(is_at_the_question)
        run.type("y\n")
        selling = run.until(
            lambda frame: has("0 of 13 orders done")(frame) and not has("sending")(frame)
        )
        buying = run.until(
            lambda frame: has("7 of 13 orders done")(frame)
            and len(re.findall(r"BUY .*? PreSubmitted", " ".join(frame))) == 6
        )
        frames["While the sells work"] = from_the_question(selling)
        frames["While the buys work"] = from_the_question(buying)
        assert run.end() == ExitCode.OK
        frames["The end"] = run.frames[-1]
    text = as_text(frames)
    if os.environ.get(WRITTEN_ANEW):
        GOLDEN.write_text(text, encoding="utf-8", newline="\n")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_what_is_said_meanwhile_stands_above_the_picture(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    one_order(place)
    open_gateway(sample(fill_delay_sec=3))
    with watched(["--confirm"], place.path) as run:
        run.until(is_at_the_question)
        place.csv.write_text(place.csv.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        run.type("y\n")
        run.until_text(CANCEL_HINT)
        os.kill(run.process.pid, signal.SIGINT)
        assert run.end() == ExitCode.INTERRUPTED
    lines = run.everything().splitlines()
    warnings = [line for line in lines if line.startswith("warning: ")]
    assert any("was changed meanwhile" in line for line in warnings)
    assert any("no further order is sent: interrupted" in line for line in warnings)


def test_a_narrow_terminal_is_left_clean(place: Workplace, open_gateway: OpenGateway) -> None:
    open_gateway(sample(wire=SLOW))
    with watched(["--dry-run"], place.path, size=(30, 10)) as run:
        run.until_text("Waiting for the login at 127")
        assert run.end() == ExitCode.OK
    assert "Waiting" not in run.everything()
    assert "Ctrl+C" not in run.everything()


def test_a_dumb_terminal_gets_one_plain_line_per_wait(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(sample(wire=SLOW))
    with watched(["--dry-run"], place.path, env={"TERM": "dumb"}) as run:
        assert run.end() == ExitCode.OK
    assert b"\x1b" not in run.raw
    lines = run.everything().splitlines()
    assert sum(line.startswith("Waiting for the login at") for line in lines) == 1


def test_a_redirected_result_leaves_the_orders_on_the_terminal(
    place: Workplace, open_gateway: OpenGateway, tmp_path: Path
) -> None:
    one_order(place)
    open_gateway(sample(fill_delay_sec=1))
    with (
        (tmp_path / "out.txt").open("wb") as out,
        watched(["--confirm"], place.path, stdout=out) as run,
    ):
        run.until(is_at_the_question)
        run.type("y\n")
        run.until_text(CANCEL_HINT)
        assert run.end() == ExitCode.OK
    written = (tmp_path / "out.txt").read_text(encoding="utf-8")
    assert "1 of 1 ticket filled" in written
    assert "\x1b" not in written
    assert re.search(r"^BUY +MGK +10 of 10 +Filled$", run.everything(), re.MULTILINE)


def test_a_pipe_gets_plain_lines_only(place: Workplace, open_gateway: OpenGateway) -> None:
    one_order(place)
    open_gateway(sample(fill_delay_sec=1))
    done = finish(place.start("--confirm"), "y\n")
    assert done.code == ExitCode.OK
    assert "\x1b" not in done.err + done.out
    assert "Waiting" not in done.err + done.out
    assert re.search(r"^BUY +MGK +10 of 10 +Filled$", done.err, re.MULTILINE)
