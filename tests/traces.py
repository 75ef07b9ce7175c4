"""``python -m tests.traces``: the way of one ticket from plan to socket, and of one fill to report.

A practice run on the simulated gateway is watched. At each place where the ticket, or the fill, is
handed on, the functions that stand on the stack are noted; printed are all of them, each once.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Final
from unittest import mock

from src.broker.execution import ExecutionRun, execute
from src.broker.ports import OrderDesk
from src.core.journal.events import FillRecorded, IntentRecorded, JournalEvent
from src.core.orders.events import FillSeen
from src.core.running.parts import Run

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = str(ROOT / "src") + os.sep
STILL: Final = ROOT / "tests/data/still.json"
_ABOVE: Final = ("simulator", "terminal", "app/trading")
"""What has to do with whole runs, or with the other side, not with a ticket or a fill."""
_PLACE_ORDER: Final = b"3\0"

Way = dict[tuple[str, str], None]
Test = Callable[[FrameType], bool]


def _holds(kind: type[JournalEvent]) -> Test:
    return lambda frame: any(isinstance(one, kind) for one in frame.f_locals.get("events", ()))


def _is_live(frame: FrameType) -> bool:
    """Not the journal's fold, which tells the same rules the same things again."""
    return any(name == "carry_out" for _, name in _stack(frame))


def _is_fill(frame: FrameType) -> bool:
    return isinstance(frame.f_locals.get("event"), FillSeen)


def _is_order(frame: FrameType) -> bool:
    message = frame.f_locals.get("msg")
    return isinstance(message, bytes) and message[4:].startswith(_PLACE_ORDER)


def _always(_frame: FrameType) -> bool:
    return True


HANDED_ON: Final[Mapping[str, Mapping[tuple[str, str], Test]]] = {
    "a ticket from plan to socket": {
        ("running/sends.py", "plan_attempt"): _always,
        ("journal/db.py", "append_all"): _holds(IntentRecorded),
        ("sending/order_sender.py", "send_order"): _always,
        ("client/guarded_client.py", "sendMsg"): _is_order,
    },
    "a fill from socket to report": {
        ("sending/order_desk.py", "_receive"): _is_fill,
        ("orders/fills.py", "_book"): _is_live,
        ("journal/db.py", "append_all"): _holds(FillRecorded),
        ("io/post_report.py", "write_post_report"): _always,
    },
}


def ways() -> dict[str, Way]:
    """The functions on each way, as (file, function)."""
    found: dict[str, Way] = {name: {} for name in HANDED_ON}

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        path = frame.f_code.co_filename
        if event != "call" or not path.startswith(SOURCE):
            return
        for name, places in HANDED_ON.items():
            for (file, function), is_it in places.items():
                if frame.f_code.co_name == function and path.endswith(file) and is_it(frame):
                    found[name].update(dict.fromkeys(_stack(frame)))

    _practise(watch)
    return found


def _stack(frame: FrameType | None) -> list[tuple[str, str]]:
    """The program's functions that lead here, outermost first, without the simulator's."""
    stack: list[tuple[str, str]] = []
    while frame is not None:
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        if path.startswith(SOURCE):
            stack.append((path.removeprefix(SOURCE), name))
        frame = frame.f_back
    return [one for one in reversed(stack) if not one[0].startswith(_ABOVE)]


def _practise(watch: Callable[[FrameType, str, object], None]) -> None:
    """Trade the sample account; watched only from the answer on, because watching is slow."""
    import rebalance
    from src.app import trading
    from src.terminal.cli import run_main

    async def watched(run: ExecutionRun, desk: OrderDesk) -> Run:
        sys.setprofile(watch)
        return await execute(run, desk)

    with tempfile.TemporaryDirectory() as home, mock.patch.object(trading, "execute", watched):
        os.environ |= {"XDG_STATE_HOME": home, "LOCALAPPDATA": home}
        settings = Path(home) / "settings.ini"
        text = (ROOT / "config/settings.ini").read_text(encoding="utf-8")
        settings.write_text(text.replace(";report_dir = ", f"report_dir = {home} ;"), "utf-8")
        flags = ("--confirm", "--simulate", str(STILL), "--config", str(settings))
        try:
            with (
                mock.patch.object(sys, "stdin", io.StringIO("y\n")),
                redirect_stdout(io.StringIO()),
                redirect_stderr(io.StringIO()),
            ):
                run_main(lambda: rebalance.main(flags))
        finally:
            sys.setprofile(None)


def report(found: Mapping[str, Way]) -> Iterator[str]:
    """Each way: how many functions in how many files, then all of them."""
    for name, way in found.items():
        files = {file for file, _ in way}
        yield f"{name}: {len(way)} functions in {len(files)} files"
        yield from (f"  {file}:{function}" for file, function in way)


def main() -> None:
    """Print both ways."""
    sys.stdout.write("\n".join(report(ways())) + "\n")


if __name__ == "__main__":
    main()
