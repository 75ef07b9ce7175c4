"""The picture of what is waited for, with a fake terminal; on real ones: test_screen.py."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Coroutine

import pytest

from src.base.waits import STOP_HINT, Waits, elapsed_text
from src.io.files.logs import screen_log
from src.terminal.waiting import waits_shown


class Terminal(io.StringIO):
    """A terminal; ``is_gone`` once its window was closed."""

    is_gone = False

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.is_gone:
            raise BrokenPipeError
        return super().write(text)


def run(work: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(work())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("src.terminal.waiting._PATIENCE_SEC", 0.02)
    monkeypatch.setattr("src.terminal.waiting._PERIOD_SEC", 0.01)


def test_a_wait_is_told_with_its_time_and_limit() -> None:
    waits = Waits()
    done = 7
    with waits.on(lambda: f"{done} of 20 prices", 11):
        (lines,) = waits.current
        assert lines(3.2) == ("Waiting for 7 of 20 prices, 3 s of 11 s",)
        done = 8
        assert lines(12) == ("Waiting for 8 of 20 prices, 12 s of 11 s",)
    assert waits.current == []
    assert elapsed_text(4.6, None) == "5 s"


def test_a_short_wait_shows_nothing() -> None:
    out, waits = Terminal(), Waits()

    async def work() -> None:
        with waits_shown(waits, out), waits.on("the account"):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)

    run(work)
    assert out.getvalue() == ""


def test_a_long_wait_is_shown_once_however_often_it_is_asked_for() -> None:
    out, waits = Terminal(), Waits()

    async def work() -> None:
        with waits_shown(waits, out), waits.on("the account"), waits.on("the account"):
            await asyncio.sleep(0.05)
        before = len(out.getvalue())
        with waits.on("nobody looks any more"):
            await asyncio.sleep(0.05)
        assert len(out.getvalue()) == before

    run(work)
    first = out.getvalue().partition(STOP_HINT)[0]
    assert first.count("Waiting for the account, 0 s") == 1


def test_a_warning_meanwhile_goes_through_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    out, waits = Terminal(), Waits()
    monkeypatch.setattr("sys.stderr", out)

    async def work() -> None:
        with screen_log(), waits_shown(waits), waits.on("the account"):
            await asyncio.sleep(0.05)
            logging.getLogger("src.test").warning("something happened")
            await asyncio.sleep(0.03)

    run(work)
    assert "\x1b[2Kwarning: something happened" in out.getvalue()


def test_a_terminal_that_is_gone_ends_the_picture_only() -> None:
    out, waits = Terminal(), Waits()

    async def work() -> None:
        with waits_shown(waits, out), waits.on("the account"):
            await asyncio.sleep(0.05)
            out.is_gone = True
            await asyncio.sleep(0.05)

    run(work)
    assert "Waiting for the account" in out.getvalue()


def test_account_ids_and_control_characters_never_get_there() -> None:
    from src.base.known_accounts import learn_accounts

    learn_accounts(("DU1234567",))
    out, waits = Terminal(), Waits()

    async def work() -> None:
        with waits_shown(waits, out), waits.on("DU1234567 \x1b[2J\n"):
            await asyncio.sleep(0.05)

    run(work)
    assert "DU1234567" not in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_where_nobody_looks_nothing_is_drawn(stream: io.StringIO | None) -> None:
    waits = Waits()

    async def work() -> None:
        with waits_shown(waits, stream), waits.on("the account"):
            await asyncio.sleep(0.05)

    run(work)
    assert not stream or stream.getvalue() == ""
