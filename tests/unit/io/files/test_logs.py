"""The log file and the screen: one line per event, nothing that acts, no account id in full."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.known_accounts import learn_accounts
from src.io.files.logs import RunLog, run_log, screen_log
from src.io.files.run_files import claim_run_files

START = datetime(2025, 1, 31, 14, 30, tzinfo=timezone.utc)
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR|CRITICAL)"
    r" run=20250131T143000Z [\w.]+: "
)
OURS = logging.getLogger("src.broker.example")
LIBRARY = logging.getLogger("ib_async.wrapper")


class Written:
    """The file of a log that has been closed."""

    text = ""

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@contextmanager
def written_log(directory: Path, level: str = "INFO") -> Iterator[Written]:
    files = claim_run_files(directory, START)
    written = Written()
    with run_log(files, level):
        yield written
    written.text = files.log.read_text(encoding="utf-8")
    files.log.unlink()


def log_exception(event: str, text: str) -> None:
    def fail() -> None:
        raise ValueError(text)

    try:
        fail()
    except ValueError:
        OURS.exception(event)


def test_every_line_has_utc_level_run_and_module(tmp_path: Path) -> None:
    with written_log(tmp_path) as log:
        OURS.info("order filled ref=%s qty_shares=%s", "IBR-20250131T143000Z-1-1", 5)
        OURS.debug("not at this level")
    assert log.lines == [log.lines[0]]
    assert LINE.match(log.lines[0])
    assert log.lines[0].endswith(
        "src.broker.example: order filled ref=IBR-20250131T143000Z-1-1 qty_shares=5"
    )


def test_every_line_of_a_simulated_run_says_so(tmp_path: Path) -> None:
    files = claim_run_files(tmp_path, START)
    with run_log(files, "INFO", is_simulated=True):
        OURS.info("one")
        OURS.error("two")
    lines = files.log.read_text(encoding="utf-8").splitlines()
    assert [" run=20250131T143000Z SIMULATED src." in line for line in lines] == [True, True]


@pytest.mark.parametrize(
    ("level", "expected"), [("INFO", ["warns"]), ("DEBUG", ["chatter", "warns"])]
)
def test_library_chatter_is_kept_only_for_debugging(
    tmp_path: Path, level: str, expected: list[str]
) -> None:
    with written_log(tmp_path, level) as log:
        LIBRARY.info("chatter")
        LIBRARY.warning("warns")
    assert [line.rpartition(": ")[2] for line in log.lines] == expected


def test_account_ids_are_masked_everywhere(tmp_path: Path) -> None:
    screen = io.StringIO()
    learn_accounts(["DU1234567", "U7654321"])
    with screen_log(screen), written_log(tmp_path, "DEBUG") as log:
        OURS.warning("account %s of %s", "DU1234567", ["DU1234567", "U7654321"])
        LIBRARY.debug("placeOrder account='DU1234567'")
        log_exception("failed for DU1234567", "DU1234567 is not it")
    shown = log.text + screen.getvalue()
    assert "1234567" not in shown
    assert "7654321" not in shown
    assert shown.count("DU***567") >= 6


def test_a_traceback_goes_to_the_file_and_cannot_fake_a_line(tmp_path: Path) -> None:
    screen = io.StringIO()
    with screen_log(screen), written_log(tmp_path) as log:
        log_exception("unexpected", "first\n2025-01-31T14:30:00.000Z INFO run=x: forged")
    assert screen.getvalue() == "error: unexpected\n"
    assert "Traceback" in log.text
    assert [line for line in log.lines if LINE.match(line)] == [log.lines[0]]
    assert all(line.startswith("    | ") for line in log.lines[1:])


@given(text=st.text(st.characters(codec=None), max_size=60))
def test_one_event_is_one_printable_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    screen = io.StringIO()
    with screen_log(screen), written_log(tmp_path_factory.mktemp("log")) as log:
        OURS.warning("broker said: %s", text)
    for shown in (log.text, screen.getvalue()):
        assert shown.count("\n") == 1
        assert shown[:-1].isprintable()


def test_the_screen_shows_our_warnings_only() -> None:
    screen = io.StringIO()
    with screen_log(screen):
        OURS.info("detail")
        OURS.warning("took a delayed price")
        OURS.error("order rejected")
        LIBRARY.error("Error 2104, reqId -1: farm")
    assert screen.getvalue().splitlines() == [
        "warning: took a delayed price",
        "error: order rejected",
    ]


def test_a_log_that_cannot_be_written_is_said_once_and_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: object) -> None:
        raise OSError(28, "No space left on device")

    with run_log(claim_run_files(tmp_path, START), "INFO") as log:
        monkeypatch.setattr(type(log), "flush", full)
        OURS.info("one")
        OURS.info("two")
        assert log.is_damaged
        monkeypatch.undo()
    shown = capsys.readouterr().err.splitlines()
    assert shown == [
        f"warning: the log {log.path} is incomplete: [Errno 28] No space left on device"
    ]


def test_handlers_and_level_are_taken_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    with screen_log(io.StringIO()), written_log(tmp_path, "DEBUG"):
        assert root.level == logging.DEBUG
    assert (list(root.handlers), root.level) == before


def test_a_record_that_comes_after_the_end_is_dropped(tmp_path: Path) -> None:
    files = claim_run_files(tmp_path, START)
    with run_log(files, "INFO") as log:
        OURS.warning("in time")
    log.handle(OURS.makeRecord(OURS.name, logging.WARNING, __file__, 1, "late", (), None))
    assert log.stream is None
    assert "late" not in files.log.read_text(encoding="utf-8")


FULL = Path("/dev/full")
needs_a_full_disk = pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")


def fill_the_disk(log: RunLog) -> None:
    """From now on the kernel has no room for what is written to the log."""
    full = os.open(FULL, os.O_WRONLY)
    assert log.stream is not None
    os.dup2(full, log.stream.fileno())
    os.close(full)


def close_the_handle(log: RunLog) -> None:
    assert log.stream is not None
    log.stream.close()


@needs_a_full_disk
def test_a_log_that_cannot_be_flushed_or_closed_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_log(claim_run_files(tmp_path, START), "INFO") as log:
        fill_the_disk(log)
        OURS.info("one")
        OURS.info("two")
    assert log.is_damaged
    assert capsys.readouterr().err.count("is incomplete: [Errno 28]") == 1


def test_a_log_whose_handle_was_closed_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_log(claim_run_files(tmp_path, START), "INFO") as log:
        close_the_handle(log)
    assert "is incomplete" in capsys.readouterr().err
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with run_log(claim_run_files(tmp_path, START), "INFO") as log:
        close_the_handle(log)
        OURS.info("nobody can be told")
    assert log.is_damaged
