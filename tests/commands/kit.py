"""A working directory with the sample files, a gateway to talk to, and commands run in it.

``Workplace.run`` runs a command inside this process, which is quick; the gateway has a thread of
its own. ``Workplace.start`` runs it as a process, for signals, terminals and pipes. Whatever
``run`` ran is checked for manners: no traceback, no bare account id, nothing unlabelled on stderr.
"""

from __future__ import annotations

import asyncio
import configparser
import io
import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import rebalance
from src.base.errors import ExitCode
from src.simulator.exchange import Exchange
from src.simulator.gateway.server import SimulatedGateway, utc_now
from src.simulator.scenario.records import GatewaySettings, Scenario, ScheduledEvent, load_scenario
from src.terminal.cli import run_main

if TYPE_CHECKING:
    import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
ACCOUNT: Final = "DU1234567"
LIMIT_SEC: Final = 60
ORDER_MESSAGES: Final = frozenset(
    {"PlaceOrder", "CancelOrder", "ReqGlobalCancel", "ReqAutoOpenOrders", "ExerciseOptions"}
)
STILL: Final = str(ROOT / "tests/data/still.json")
"""A scenario whose market stands still and fills at once."""
PROMPT: Final = "? [y/N]: "
_CON_ID, _SYMBOL, _SIDE, _QTY, _ACCOUNT = 2, 3, 16, 17, 23
"""Where the fields of placeOrder name these."""

Main = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The texts of the error lines."""
        found = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return [line.removeprefix("error: ") for line in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it stood on the wire."""

    side: str
    qty: str
    symbol: str
    account: str = ACCOUNT
    con_id: int = field(default=0, compare=False, repr=False)


def orders_among(messages: Iterable[tuple[str, Sequence[str]]]) -> list[Order]:
    """Every placeOrder among messages given as name and fields."""
    return [
        Order(
            side=fields[_SIDE],
            qty=fields[_QTY],
            symbol=fields[_SYMBOL],
            account=fields[_ACCOUNT],
            con_id=int(fields[_CON_ID]),
        )
        for name, fields in messages
        if name == "PlaceOrder"
    ]


# --- gateways -------------------------------------------------------------------------------


class Gateway:
    """A simulated gateway in a thread of its own; see ``running_gateway``."""

    def __init__(self, server: SimulatedGateway, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self._loop = loop

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    @property
    def names(self) -> list[str]:
        """The names of all messages received."""
        return [record.name for record in self.server.wire_log]

    @property
    def order_messages(self) -> list[str]:
        """The names of all messages received that could touch an order."""
        return [name for name in self.names if name in ORDER_MESSAGES]

    @property
    def orders(self) -> list[Order]:
        """Every order received."""
        return orders_among((record.name, record.fields) for record in self.server.wire_log)

    def wait_for(self, name: str, count: int) -> None:
        """Return once that many messages of a name have arrived."""
        deadline = time.monotonic() + LIMIT_SEC
        while self.names.count(name) < count:
            assert time.monotonic() < deadline, f"no {count} x {name} in {LIMIT_SEC} s"
            self._let_a_turn_pass()

    def _let_a_turn_pass(self) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.005), self._loop).result(LIMIT_SEC)

    def happen(self, event: ScheduledEvent) -> None:
        """Make something happen at the exchange now, and wait until it has."""
        asyncio.run_coroutine_threadsafe(self._inject(event), self._loop).result(LIMIT_SEC)

    def hang_up(self) -> None:
        """Close every connection; the gateway goes on listening."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(LIMIT_SEC)

    async def _hang_up(self) -> None:
        for client in list(self.server._clients.values()):
            client.close()

    async def _inject(self, event: ScheduledEvent) -> None:
        exchange = self.server.exchange
        assert isinstance(exchange, Exchange)
        self.server._deliver(exchange.inject(event, utc_now()))


@contextmanager
def running_gateway(setting: Scenario) -> Iterator[Gateway]:
    """A gateway that other threads and processes can reach while the block runs.

    It keeps its log to itself: the run under test owns the log of this process.
    """
    logging.getLogger("src.simulator").propagate = False
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gateway")
    thread.start()
    try:
        server = SimulatedGateway(Exchange(setting, utc_now()))
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(LIMIT_SEC)
        try:
            yield Gateway(server, loop)
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(LIMIT_SEC)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT_SEC)
        loop.close()
        logging.getLogger("src.simulator").propagate = True


def sample(**changes: object) -> Scenario:
    """The sample account with parts of the scenario replaced; fills come at once."""
    healthy: dict[str, object] = {
        "fill_delay_sec": 0.01,
        "gateway": GatewaySettings(account_push_sec=0.01),
    }
    return replace(load_scenario(), **{**healthy, **changes})  # type: ignore[arg-type]


# --- the workplace --------------------------------------------------------------------------


class Workplace:
    """A directory with ``config/settings.ini`` and ``data/portfolios.csv``, made current."""

    def __init__(
        self, path: Path, capsys: pytest.CaptureFixture[str], processes: ExitStack
    ) -> None:
        self.path = path
        self.config = path / "config" / "settings.ini"
        self.csv = path / "data" / "portfolios.csv"
        self.reports = path / "reports"
        self._capsys = capsys
        self._processes = processes
        shutil.copytree(ROOT / "config", self.config.parent)
        shutil.copytree(ROOT / "data", self.csv.parent)

    def set(self, section: str, **values: object) -> None:
        """Change keys of the settings file."""
        parser = configparser.ConfigParser(inline_comment_prefixes=(";", "#"), interpolation=None)
        parser.read(self.config, encoding="utf-8")
        for key, value in values.items():
            parser[section][key] = str(value)
        with self.config.open("w", encoding="utf-8") as file:
            parser.write(file)

    def connect_to(self, gateway: Gateway) -> None:
        """Point the settings at a gateway; trading is allowed there."""
        self.set("ibkr", port=gateway.port, account_id=ACCOUNT, read_only="false")

    def run_id(self) -> str:
        """The id of the last run, as the names of its files carry it."""
        return max(self.reports.glob("*.log")).stem.removeprefix("rebalance_")

    def reports_named(self, start: str) -> list[Path]:
        """Files in the report directory, oldest first."""
        return sorted(self.reports.glob(f"{start}*"))

    def run(
        self,
        *args: str,
        stdin: str | io.StringIO = "",
        main: Main | None = None,
        during: Callable[[], None] = lambda: None,
    ) -> Done:
        """Run ``rebalance.py`` (or another command) with these flags, in this process.

        ``during`` runs in a thread beside it.
        """
        self._capsys.readouterr()
        before = sys.stdin
        sys.stdin = io.StringIO(stdin) if isinstance(stdin, str) else stdin
        beside = threading.Thread(target=during)
        beside.start()
        try:
            code = run_main(lambda: (main or rebalance.main)(args))
        finally:
            sys.stdin = before
            beside.join(LIMIT_SEC)
        out, err = self._capsys.readouterr()
        done = Done(code=code, out=out, err=err)
        check_manners(done, is_json="--json" in args or main is not None)
        return done

    def start(self, *args: str, **options: object) -> subprocess.Popen[str]:
        """Run ``rebalance.py`` as a process of its own; its streams are pipes unless given."""
        streams: dict[str, object] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, str(ROOT / "rebalance.py"), *args],
            cwd=self.path,
            text=True,
            encoding="utf-8",
            **{**streams, **options},
        )
        self._processes.enter_context(process)
        self._processes.callback(process.kill)
        return process


def finish(process: subprocess.Popen[str], stdin: str | None = None) -> Done:
    """Let a process end, and check its manners."""
    out, err = process.communicate(stdin, timeout=LIMIT_SEC)
    done = Done(code=process.returncode, out=out or "", err=err or "")
    check_manners(done)
    return done


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Read the process's stderr up to a text; fails when it ends without."""
    assert process.stderr is not None
    seen = ""
    while not seen.endswith(text):
        char = process.stderr.read(1)
        assert char, f"the process ended without saying {text!r}: {seen}"
        seen += char
    return seen


def check_manners(done: Done, *, is_json: bool = False) -> None:
    """What holds for every command, however it ends."""
    assert "Traceback" not in done.out + done.err
    assert ACCOUNT not in done.err
    assert is_json or ACCOUNT not in done.out
    if done.code == ExitCode.INTERRUPTED:
        assert "interrupted" in done.err or " filled; " in done.out, done
    elif done.code not in (ExitCode.OK, ExitCode.DUE):
        assert done.errors or " filled; " in done.out, done


class LateAnswer(io.StringIO):
    """Standard input on which something happens before each line is read."""

    def __init__(self, lines: Sequence[str], before: Mapping[int, Callable[[], None]]) -> None:
        super().__init__("".join(f"{line}\n" for line in lines))
        self._before = dict(before)
        self._read = 0

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        """Do what is to be done before this answer (counted from 1), then give it."""
        self._read += 1
        self._before.get(self._read, lambda: None)()
        return super().readline()
