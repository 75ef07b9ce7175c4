"""What the benchmarks measure with: processes, accounts of N symbols, and a gateway's wire log.

Times are wall times of whole processes as a person sees them, memory is the highest resident size
the kernel notes for a process (not on Windows), messages are counted by the gateway as received.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "DU1234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One process: first byte on stdout, end, CPU time, highest memory, exit code."""

    first_sec: float
    done_sec: float
    cpu_sec: float
    memory_mib: float
    code: int


def environment(state: Path | None = None) -> dict[str, str]:
    """Ours, with compiled modules kept as Python does it by default."""
    found = {**os.environ, "PYTHONPATH": str(ROOT)}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    if state is not None:
        found |= {"XDG_STATE_HOME": str(state), "LOCALAPPDATA": str(state)}
    return found


def measure(arguments: Sequence[str], folder: Path = ROOT, stdin: str = "") -> Measured:
    """Run Python with these arguments once."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(folder / "state"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin as keyboard:
        keyboard.write(stdin.encode())
    process.stdout.read(1)
    first_sec = time.perf_counter() - started
    process.stdout.read()
    process.stdout.close()
    cpu_sec, memory_mib, code = _reap(process)
    return Measured(
        first_sec=first_sec,
        done_sec=time.perf_counter() - started,
        cpu_sec=cpu_sec,
        memory_mib=memory_mib,
        code=code,
    )


def _reap(process: subprocess.Popen[bytes]) -> tuple[float, float, int]:
    cpu_sec = memory_mib = 0.0  # Windows does not tell
    if sys.platform == "win32":
        process.wait()
    else:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_sec = usage.ru_utime + usage.ru_stime
        memory_mib = usage.ru_maxrss / 2**10 / (1024 if sys.platform == "darwin" else 1)
    return cpu_sec, memory_mib, process.returncode


def best(arguments: Sequence[str], runs: int, folder: Path = ROOT) -> Measured:
    """The run of several that was on screen first: the least disturbed one."""
    return min((measure(arguments, folder) for _ in range(runs)), key=lambda one: one.first_sec)


# --- a gateway in a process of its own ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Accounts of N symbols, every second one held, and how their gateway behaves."""

    symbols: int
    latency_ms: int
    fill_sec: float = 0.1
    snapshot_end_sec: float = 0
    accounts: int = 1

    @property
    def ids(self) -> list[str]:
        """The accounts of the login."""
        return [ACCOUNT, *(f"DU{2222222 + number}" for number in range(1, self.accounts))]

    @property
    def names(self) -> list[str]:
        """The symbols."""
        return [f"E{number:03d}" for number in range(self.symbols)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A working directory whose settings point at a running gateway."""

    folder: Path

    @property
    def wire_log(self) -> Path:
        """Every message the gateway received."""
        return self.folder / "wire.jsonl"

    def messages(self) -> list[tuple[float, str, list[str]]]:
        """Time, name and fields of all messages of the last connection."""
        rows = [json.loads(line) for line in self.wire_log.read_text("utf-8").splitlines()]
        starts = [number for number, row in enumerate(rows) if row["name"] == "StartApi"]
        return [
            (datetime.fromisoformat(row["at_utc"]).timestamp(), row["name"], row["fields"])
            for row in rows[starts[-1] :]
        ]

    def connections(self) -> int:
        """How many connections have logged in so far."""
        return self.wire_log.read_text("utf-8").count('"name": "StartApi"')


@contextmanager
def stage(shop: Shop) -> Iterator[Stage]:
    """Files for this shop and a gateway that serves it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_scenario(shop, folder / "scenario.json")
        command = [
            *(sys.executable, "-m", "src.simulator", "--port", "0"),
            *("--scenario", str(folder / "scenario.json")),
            *("--latency-ms", str(shop.latency_ms), "--wire-log", str(folder / "wire.jsonl")),
        ]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout is not None
            ready = dict(part.split("=") for part in process.stdout.readline().split()[1:])
            _write_user_files(shop, folder, ready["port"])
            try:
                yield Stage(folder=folder)
            finally:
                process.terminate()


def _write_scenario(shop: Shop, path: Path) -> None:
    random = Random(shop.symbols)  # noqa: S311 - test data, not secrets
    contracts = [
        {
            "con_id": 1000 + number,
            "symbol": name,
            "price": (price := round(random.uniform(20, 500), 2)),
            "prev_close": price,
            "spread": 0.02,
            "market_data": {"snapshot_end_sec": shop.snapshot_end_sec},
        }
        for number, name in enumerate(shop.names)
    ]
    positions = [
        {"con_id": 1000 + number, "quantity": random.randint(5, 60), "avg_cost": 100}
        for number in range(0, shop.symbols, 2)
    ]
    accounts = [
        {"account_id": one, "cash": {"USD": 100_000}, "positions": positions} for one in shop.ids
    ]
    scenario = {"fill_delay_sec": shop.fill_sec, "accounts": accounts, "contracts": contracts}
    path.write_text(json.dumps(scenario), encoding="utf-8")


def _write_user_files(shop: Shop, folder: Path, port: str) -> None:
    (folder / "config").mkdir()
    several = "".join(f"[account:A{n}]\nid = {one}\n" for n, one in enumerate(shop.ids))
    account = f"account_id = {ACCOUNT}\n" if shop.accounts == 1 else ""
    (folder / "config" / "settings.ini").write_text(
        f"{several if shop.accounts > 1 else ''}[ibkr]\nport = {port}\n{account}read_only = false\n"
        "[models]\nALL = 1\n[rebalance]\nper_holding_band_bps = 0\nmin_order_usd = 0\n"
        "[execution]\nmax_orders = 1000\nprice_move_limit_pct = 50%\n",
        encoding="utf-8",
    )
    share = round(100 / shop.symbols, 4)
    weights = [share] * (shop.symbols - 1) + [round(100 - share * (shop.symbols - 1), 4)]
    rows = [f"{name},{weight:.4f}%" for name, weight in zip(shop.names, weights, strict=True)]
    (folder / "data").mkdir()
    text = "\n".join(["ETF,ALL", *rows, ""])
    (folder / "data" / "portfolios.csv").write_text(text, encoding="utf-8")


# --- what the wire log tells ----------------------------------------------------------------


def most_in_a_second(times: Sequence[float]) -> int:
    """The largest number of messages within any one second."""
    window: deque[float] = deque()
    most = 0
    for at in times:
        window.append(at)
        while at - window[0] >= 1:
            window.popleft()
        most = max(most, len(window))
    return most


def most_lines(messages: Sequence[tuple[float, str, list[str]]]) -> int:
    """The largest number of quotes open at one time: asked for and not yet cancelled."""
    open_lines = most = 0
    for _, name, _ in messages:
        open_lines += (name == "ReqMktData") - (name == "CancelMktData")
        most = max(most, open_lines)
    return most
