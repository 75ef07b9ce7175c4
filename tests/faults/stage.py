"""The whole command against one simulated gateway: invoke it, disturb it, look at what it left.

The gateway runs in the command's own event loop and is there while a session is open; the exchange
behind it lives on from one invocation to the next. What the program would wait for in minutes is
made short, nothing else is changed.
"""

from __future__ import annotations

import asyncio
import csv
import functools
import io
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rebalance
from src.app.proposing import session as session_module
from src.base.settings import Settings
from src.broker.ibkr_client import IbkrSession
from src.core.run.state import RunState
from src.core.running.parts import Terms
from src.io.files.state_dir import journal_path, state_dir
from src.io.journal.db import open_journal, peek_journal
from src.simulator.exchange import Exchange
from src.simulator.gateway.server import SimulatedGateway, utc_now
from src.simulator.gateway.wire_log import WireRecord
from src.simulator.messages.requests import CancelOrder, PlaceOrder, Request
from src.simulator.outbox.delivery import Delivery
from src.simulator.scenario.records import Scenario
from src.terminal.cli import run_main
from tests.faults.gateway_record import SentOrder, check_wire, orders_in, symbol_of
from tests.faults.market import ACCOUNT, CLIENT_ID, PLAN, PORTFOLIO, settings_text
from tests.faults.patience import QUICK, SHORT

if TYPE_CHECKING:
    import pytest

_OPEN_SESSION = session_module.open_session
ROOT = Path(__file__).resolve().parents[2]
CODES = (0, 3, 4, 5, 130)
KILLED = 15 if sys.platform == "win32" else -9
Hook = Callable[["Stage"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What one invocation left: its code, its words, its report, what the gateway received."""

    code: int
    out: str
    err: str
    records: list[WireRecord]
    new_posts: list[Path]

    @property
    def orders(self) -> list[SentOrder]:
        return orders_in(self.records)

    @property
    def cancels(self) -> int:
        return sum(one.name == "CancelOrder" for one in self.records)

    @property
    def was_killed(self) -> bool:
        """True for the exit status of a process that was ended from outside."""
        return self.code == KILLED

    @property
    def last_line(self) -> str:
        """The last line on the screen: the summary's, or the error that ended the run."""
        errors = [line for line in self.err.splitlines() if line.startswith("error: ")]
        lines = self.out.strip().splitlines() if self.new_posts or not errors else errors
        return lines[-1] if lines else ""

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the post report written by this invocation."""
        (path,) = self.new_posts
        return read_rows(path)

    @property
    def statuses(self) -> dict[str, str]:
        """Symbol to status."""
        return {row["symbol"]: row["status"] for row in self.rows}


class Stage:
    """One exchange, one report directory, any number of invocations."""

    def __init__(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.reports = tmp_path / "reports"
        self._gateway: SimulatedGateway | None = None
        self.changes: Mapping[str, Mapping[str, object]] = {}
        self.order_hooks: dict[int, Hook] = {}
        self.cancel_hooks: dict[int, Hook] = {}
        self.may_trade_more = False
        self.is_journal_whole = True
        self._counts = {"PlaceOrder": 0, "CancelOrder": 0}
        self._home = tmp_path
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setattr(session_module, "open_session", self._with_gateway)
        impatient = functools.partial(Terms, patience=QUICK)
        monkeypatch.setattr("src.app.trading.Terms", impatient)
        monkeypatch.setattr("src.broker.reading.connection.backoff_sec", lambda *_: 0.02)
        for name, seconds in SHORT.items():
            monkeypatch.setattr(name, seconds)

    # --- the gateway ------------------------------------------------------------------------

    def open(self, scenario: Scenario) -> Stage:
        """Build the exchange; it lives until the end of the test."""
        self.exchange = Exchange(scenario, utc_now())
        self._gateway = SimulatedGateway(self.exchange)
        handle = self.exchange.handle

        def watched(client_id: int, request: Request, at_utc: object) -> list[Delivery]:
            deliveries = handle(client_id, request, at_utc)  # type: ignore[arg-type]
            if isinstance(request, (PlaceOrder, CancelOrder)):
                self._count(type(request).__name__)
            return deliveries

        self.exchange.handle = watched  # type: ignore[method-assign]
        return self

    @property
    def server(self) -> SimulatedGateway:
        assert self._gateway is not None, "open() comes first"
        return self._gateway

    def heal(self) -> None:
        """From now on nothing is wrong on the wire; the exchange and its state stay."""
        log = self.server.log
        self.exchange.scenario = replace(
            self.exchange.scenario, wire=type(self.exchange.scenario.wire)()
        )
        self._gateway = SimulatedGateway(self.exchange, port=self.server.port)
        self.server.log = log

    def disturb(self, **faults: int) -> None:
        """Trouble from the next response on: a fault's number counts from here."""
        script = self.server._faults
        counted = {name: script._responses + number for name, number in faults.items()}
        script._faults = replace(script._faults, **counted)  # type: ignore[arg-type]

    def close_gateway(self) -> None:
        """Close all connections and listen no more, until the next invocation."""
        self._later(self.server.stop())

    def restart_gateway(self) -> None:
        """Close all connections and listen again on the same port, the exchange's state kept."""
        self._later(self._restart())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Not from within the connection that is to be closed."""
        self._tasks.append(asyncio.ensure_future(work))

    async def _restart(self) -> None:
        await self.server.stop()
        await self.server.start()

    def _count(self, name: str) -> None:
        self._counts[name] += 1
        hooks = self.order_hooks if name == "PlaceOrder" else self.cancel_hooks
        hook = hooks.get(self._counts[name])
        if hook is not None:
            hook(self)

    @asynccontextmanager
    async def _with_gateway(
        self, settings: Settings, *, trading: bool = False, **_: object
    ) -> AsyncIterator[IbkrSession]:
        self._tasks: list[asyncio.Future[None]] = []
        async with self.server:
            ibkr = settings.ibkr._replace(port=self.server.port)
            try:
                async with _OPEN_SESSION(settings._replace(ibkr=ibkr), trading=trading) as session:
                    yield session
            finally:
                await asyncio.gather(*self._tasks)

    def cancel_by_hand(self) -> None:
        """A person cancels in TWS whatever still works."""
        now = self.server._clock()
        self.server.advance()
        for live in self.exchange._floor.book.working():
            self.exchange._flow.end_cancelled(live, now)

    # --- the command ------------------------------------------------------------------------

    def run(self, *flags: str, answer: str = "y\n") -> Ending:
        """Invoke the command once, in this process."""
        argv = self.command_line(*flags)
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        seen, posts = len(self.server.wire_log), self.posts()
        self._capsys.readouterr()
        code = run_main(lambda: rebalance.main(argv))
        shown = self._capsys.readouterr()
        return self._ending((seen, posts), int(code), shown.out, shown.err)

    def run_mortal(
        self,
        point: tuple[str, int, str],
        *flags: str,
        answer: str = "y\n",
        env: Mapping[str, str] | None = None,
    ) -> Ending:
        """Invoke it (``--confirm``) in a process of its own that dies at this point."""
        what, number, moment = point
        argv = [sys.executable, "-m", "tests.faults.launcher", what, str(number), moment]
        flags = flags or ("--confirm",)
        seen, posts = len(self.server.wire_log), self.posts()

        async def main() -> tuple[int, str, str]:
            async with self.server as server:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    *self.command_line(*flags, port=server.port),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=PIPE,
                    cwd=ROOT,
                    env=env,
                )
                out, err = await process.communicate(answer.encode())
                code = process.returncode or 0
                return code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

        return self._ending((seen, posts), *asyncio.run(main()))

    def command_line(self, *flags: str, port: int = 4002) -> list[str]:
        """The flags, and the files they name written."""
        config, portfolio = self._home / "settings.ini", self._home / "portfolios.csv"
        text = settings_text(port, self.reports.as_posix(), self.changes)
        config.write_text(text, encoding="utf-8")
        portfolio.write_text(PORTFOLIO, encoding="utf-8")
        return [*flags, "--config", str(config), "--csv", str(portfolio)]

    def _ending(self, before: tuple[int, list[Path]], code: int, out: str, err: str) -> Ending:
        seen, posts = before
        ending = Ending(
            code=code,
            out=out,
            err=err,
            records=self.server.wire_log[seen:],
            new_posts=[path for path in self.posts() if path not in posts],
        )
        self.check(ending)
        return ending

    def confirm(self, answer: str = "y\n") -> Ending:
        return self.run("--confirm", answer=answer)

    def recover(self, *flags: str) -> Ending:
        return self.run("--recover", *flags)

    # --- what is left -----------------------------------------------------------------------

    def check(self, ending: Ending) -> None:
        """What holds after every invocation, whatever happened: order counts, reports, codes."""
        check_wire(self.server.wire_log)
        assert "Traceback" not in ending.out + ending.err
        if self.is_journal_whole:
            sent = {order.order_ref for order in orders_in(self.server.wire_log)}
            assert sent <= self.announced(), "an order left before it was on record"
        if ending.was_killed:
            return
        kinds = {path.suffix for path in self.reports.iterdir()}
        assert kinds <= {".csv", ".log", ".html"}, "a file in the making was left behind"
        assert ending.code in CODES, ending.err
        for path in ending.new_posts:
            rows = read_rows(path)
            run_id = path.stem.split("_")[2].split("-")[0]
            if "Unresolved" not in {row["status"] for row in rows}:
                assert reported(rows) == self.executed(run_id)
                assert reported_usd(rows) == self.executed_usd(run_id)
            if ending.code == 0 and ending.orders:
                assert {row["status"] for row in rows} == {"Filled"}
        for symbol, shares in self.executed().items():
            assert abs(shares) <= abs(PLAN[symbol]) or self.may_trade_more

    def posts(self) -> list[Path]:
        """All post reports, oldest first."""
        found = self.reports.glob("rebalance_post_*.csv")
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.stem))

    def executed(self, run_id: str = "") -> dict[str, Decimal]:
        """Signed shares executed for our client (in one run), corrected, as the gateway knows."""
        return self._sum(run_id, lambda shares, _price: shares)

    def executed_usd(self, run_id: str = "") -> dict[str, Decimal]:
        """Signed value of the same."""
        return self._sum(run_id, lambda shares, price: shares * price)

    def _sum(self, run_id: str, worth: Callable[[Decimal, Decimal], Decimal]) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for one in self.exchange._floor.book.executions.values():
            live = one.live
            if live.client_id == CLIENT_ID and run_id in live.order.order_ref:
                symbol = symbol_of(live.contract.con_id)
                signed = one.shares if live.is_buy else -one.shares
                found[symbol] = found.get(symbol, Decimal(0)) + worth(signed, one.price)
        return {symbol: amount for symbol, amount in found.items() if amount}

    def announced(self) -> frozenset[str]:
        """The order refs on record in the journal."""
        path = journal_path(state_dir(is_simulated=False), ACCOUNT)
        with peek_journal(path, ACCOUNT) as journal:
            return frozenset() if journal is None else journal.order_refs()

    def open_runs(self) -> tuple[RunState, ...]:
        path = journal_path(state_dir(is_simulated=False), ACCOUNT)
        with open_journal(path, ACCOUNT) as journal:
            return journal.open_runs()


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def reported(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    """Symbol to signed shares of a post report, what filled only."""
    return {row["symbol"]: Decimal(row["qty_shares"]) for row in rows if Decimal(row["qty_shares"])}


def reported_usd(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    """Symbol to signed value of a post report, what filled only."""
    return {
        row["symbol"]: Decimal(row["fill_value_usd"]) for row in rows if Decimal(row["qty_shares"])
    }
