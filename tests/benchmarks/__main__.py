"""Every promise about speed and memory, required and measured: ``python -m tests.benchmarks``.

By hand, on a quiet machine; nothing here runs in CI. Name rows to run only those:

    python -m tests.benchmarks start history dry accounts trade plan sizing

README.md beside this file has the formulas.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from src.broker.wire.pacing import BURST_MESSAGES, drain_sec
from tests.benchmarks.stage import (
    ACCOUNT,
    ROOT,
    Shop,
    Stage,
    best,
    environment,
    measure,
    most_in_a_second,
    most_lines,
    stage,
)
from tests.benchmarks.years_of_runs import write_years

MESSAGES_PER_SEC = 45
FREE_MESSAGES = 45
ROUND_TRIPS = 5
_ORDER_ACCOUNT, _ORDER_REF = 23, 26
"""Where a placeOrder names its account and its reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One promise: what, the most that is allowed, what was measured, and its unit."""

    what: str
    allowed: float
    measured: float
    unit: str
    note: str = ""

    def __str__(self) -> str:
        verdict = "ok" if self.measured <= self.allowed else "MISSED"
        figures = f"{self.allowed:9.3f} {self.measured:9.3f} {self.unit:<8}"
        return f"{self.what:<52} {figures} {verdict:<6} {self.note}".rstrip()


def main(names: list[str]) -> int:
    """Run the named groups, or all; 1 when a promise was missed."""
    unknown = sorted(set(names) - set(GROUPS))
    if unknown:
        print(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
        return 2
    print(f"{'':<52} {'allowed':>9} {'measured':>9}")
    missed = 0
    for name in names or GROUPS:
        for row in GROUPS[name]():
            print(row, flush=True)
            missed += row.measured > row.allowed
    print(f"{missed} missed" if missed else "every promise kept")
    return int(missed > 0)


# --- starting -------------------------------------------------------------------------------


def start() -> Iterator[Row]:
    """Commands that answer from files alone, against a bare interpreter."""
    commands = {
        "rebalance.py --help": (["rebalance.py", "--help"], 2.3),
        "rebalance.py --version": (["rebalance.py", "--version"], 2.3),
        "validate_config": (["-m", "src.io.validate_config", "config/settings.ini"], 3.0),
        "validate_portfolios --offline": (
            ["-m", "src.io.validate_portfolios", "data/portfolios.csv", "--offline"],
            3.0,
        ),
    }
    for what, (arguments, allowed) in commands.items():
        pairs = [(measure(["-c", "pass"]), measure(arguments)) for _ in range(30)]
        bare = min(one.done_sec for one, _ in pairs)
        measured = min(one.done_sec for _, one in pairs)
        note = f"{measured * 1000:.0f} ms, bare Python {bare * 1000:.0f} ms"
        yield Row(what=what, allowed=allowed, measured=measured / bare, unit="x bare", note=note)


# --- looking back ---------------------------------------------------------------------------


def history() -> Iterator[Row]:
    """Years of weekly runs with 20 orders, against a process that imports pandas and ends."""
    cpu_sec = {}
    for years in (10, 5):
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory)
            state = folder / "state" / "ibkr-rebalancer"
            state.mkdir(parents=True)
            write_years(state / f"{ACCOUNT}.sqlite3", years)
            pairs = [
                (measure(["-c", "import pandas"]), measure(["-m", "src.history"], folder))
                for _ in range(7)
            ]
        assert all(one.code == 0 for _, one in pairs)
        cpu_sec[years] = min(one.cpu_sec for _, one in pairs)
    imported, done = (min(one.done_sec for one in ones) for ones in zip(*pairs, strict=True))
    note = f"{done:.2f} s, import pandas {imported:.2f} s"
    what = "history of 5 years, 5200 orders"
    yield Row(what=what, allowed=2, measured=done / imported, unit="x import", note=note)
    growth = cpu_sec[10] / cpu_sec[5]
    yield Row(what="history of 10 years: CPU time", allowed=2.1, measured=growth, unit="x 5 y.")


# --- dry runs -------------------------------------------------------------------------------


def dry() -> Iterator[Row]:
    """Until the preview is on screen, embedded and through a gateway in another process."""
    yield from _embedded()
    for symbols, latency_ms, ends_sec in ((20, 100, 0), (20, 100, 11)):
        yield from _dry_run(Shop(symbols=symbols, latency_ms=latency_ms, snapshot_end_sec=ends_sec))
    for symbols, latency_ms in ((80, 100), (100, 50), (250, 100)):
        yield from _dry_run(Shop(symbols=symbols, latency_ms=latency_ms))


def cost() -> Iterator[Row]:
    """What asking the broker what 20 orders cost adds until the preview, run by run in turn."""
    shop = Shop(symbols=20, latency_ms=100)
    command = [str(ROOT / "rebalance.py")]
    plain, asking = [], []
    with stage(shop) as here:
        for _ in range(5):
            plain.append(measure(command, here.folder).first_sec)
            asking.append(measure([*command, "--what-if"], here.folder).first_sec)
        messages = here.messages()
    questions = sum(name == "PlaceOrder" for _, name, _ in messages)
    trips, quiet_sec = 2 * shop.latency_ms / 1000, 1.0
    earlier = [0.0] * (len(messages) - questions)
    pacing = drain_sec(earlier, 0.0, BURST_MESSAGES, questions)
    yield Row(
        what=f"--what-if, {questions} orders, 100 ms: adds to the preview",
        allowed=trips + quiet_sec + pacing + 0.1,
        measured=min(asking) - min(plain),
        unit="s",
        note=f"2 r {trips:.1f} s, listening {quiet_sec:.1f} s, pacing {pacing:.2f} s",
    )


def _embedded() -> Iterator[Row]:
    """The embedded gateway, against a process that imports ib_async and ends."""
    run = ["rebalance.py", "--dry-run", "--simulate"]
    simulator = [
        "-c",
        "import ib_async, src.simulator.gateway.server, src.simulator.scenario.records",
    ]
    measure(run)
    measure(simulator)
    threes = [
        (measure(["-c", "import ib_async"]), measure(run), measure(simulator)) for _ in range(15)
    ]
    imports, runs, simulators = zip(*threes, strict=True)
    imported = min(one.done_sec for one in imports)
    first = min(one.first_sec for one in runs)
    done = min(one.done_sec for one in runs)
    own = min(one.done_sec for one in simulators) - imported
    what, unit = "dry run, 13 symbols, --simulate", "x import"
    note = f"{first:.2f} s, import ib_async {imported:.2f} s"
    yield Row(what=f"{what}: preview", allowed=1.7, measured=first / imported, unit=unit, note=note)
    note = f"{done:.2f} s, CPU time {min(one.cpu_sec for one in runs):.2f} s"
    yield Row(what=f"{what}: all done", allowed=2, measured=done / imported, unit=unit, note=note)
    memory_mib = max(one.memory_mib for one in runs)
    yield Row(what=f"{what}: memory", allowed=62, measured=memory_mib, unit="MiB")
    what = "the simulator's own import"
    yield Row(what=what, allowed=1 / 3, measured=own / imported, unit=unit, note=f"{own:.2f} s")


def _dry_run(shop: Shop) -> Iterator[Row]:
    few = shop.symbols <= 20
    with stage(shop) as here:
        runs = 5 if few else 2
        run = best([str(ROOT / "rebalance.py")], runs, here.folder)
        messages, connections = here.messages(), here.connections()
    imported = best(["-c", "import ib_async; print()"], 5).first_sec
    waiting = ROUND_TRIPS * shop.latency_ms / 1000
    pacing = max(0, len(messages) - FREE_MESSAGES) / MESSAGES_PER_SEC
    factor = 1.25 if few else 1.3
    name = f"dry run, {shop.symbols} symbols, r = {shop.latency_ms} ms"
    late = f", snapshots end after {shop.snapshot_end_sec} s" if shop.snapshot_end_sec else ""
    yield Row(
        what=name + late,
        allowed=factor * (imported + waiting + pacing),
        measured=run.first_sec,
        unit="s",
        note=f"{factor} x ({imported:.2f} + {waiting:.2f} + {pacing:.2f})",
    )
    if few:
        return
    times = [at for at, _, _ in messages]
    total = f"{len(messages)} messages"
    busiest = most_in_a_second(times)
    yield Row(
        what=f"{name}: in any second", allowed=50, measured=busiest, unit="messages", note=total
    )
    yield Row(what=f"{name}: open quotes", allowed=100, measured=most_lines(messages), unit="lines")
    yield Row(what=f"{name}: per run", allowed=1, measured=connections / runs, unit="connect.")


# --- several accounts -----------------------------------------------------------------------


def accounts() -> Iterator[Row]:
    """Twelve accounts of the same 20 symbols against one of them."""
    latency_ms, many = 100, 12
    program, runs = str(ROOT / "rebalance.py"), 5
    with stage(Shop(symbols=20, latency_ms=latency_ms)) as here:
        one = best([program], runs, here.folder)
    with stage(Shop(symbols=20, latency_ms=latency_ms, accounts=many)) as here:
        twelve = best([program, "--all"], runs, here.folder)
        messages = here.messages()
    what = f"{many} accounts of 20 symbols, r = {latency_ms} ms"
    pacing = max(0, len(messages) - FREE_MESSAGES) / MESSAGES_PER_SEC
    yield Row(
        what=f"{what}: table",
        allowed=1.6 * one.first_sec + pacing,
        measured=twelve.first_sec,
        unit="s",
        note=f"1.6 x one account's {one.first_sec:.2f} + {pacing:.2f}; "
        f"{twelve.first_sec / one.first_sec:.2f} x, {len(messages)} messages",
    )
    busiest = most_in_a_second([at for at, _, _ in messages])
    yield Row(what=f"{what}: in any second", allowed=50, measured=busiest, unit="messages")
    ratio, note = twelve.memory_mib / one.memory_mib, f"{twelve.memory_mib:.0f} MiB"
    yield Row(what=f"{what}: memory", allowed=1.3, measured=ratio, unit="x one", note=note)
    yield from _confirmed(many, latency_ms / 1000)


def _confirmed(many: int, latency_sec: float) -> Iterator[Row]:
    """Each account's orders, from its first to its last word, added up."""
    fill_sec = 0.1
    shop = Shop(symbols=20, latency_ms=int(latency_sec * 1000), fill_sec=fill_sec, accounts=many)
    with stage(shop) as here:
        done = measure(
            [str(ROOT / "rebalance.py"), "--confirm", "--all"], here.folder, "y\n" * many
        )
        assert done.code == 0
        spans = [_first_order_to_last_end(here, name) for name in shop.ids]
    heard_sec = fill_sec + latency_sec
    yield Row(
        what=f"{many} x 20 orders, one account after another",
        allowed=1.1 * many * (latency_sec + 2 * heard_sec),
        measured=sum(spans),
        unit="s",
        note=f"1.1 x {many} x (r {latency_sec} + 2 x L {heard_sec}); {done.done_sec:.0f} s in all",
    )


# --- trading --------------------------------------------------------------------------------


def trade() -> Iterator[Row]:
    """From the first order to the last terminal state, ten sells then ten buys."""
    latency_sec, fill_sec = 0.1, 0.1
    spans, connections = [], 0
    for _ in range(3):
        with stage(Shop(symbols=20, latency_ms=int(latency_sec * 1000), fill_sec=fill_sec)) as here:
            done = measure([str(ROOT / "rebalance.py"), "--confirm"], here.folder, "y\n")
            assert done.code == 0
            spans.append(_first_order_to_last_end(here))
            connections = max(connections, here.connections())
    heard_sec = fill_sec + latency_sec
    yield Row(
        what="20 orders: first sent to last terminal state",
        allowed=1.1 * (latency_sec + 2 * heard_sec),
        measured=min(spans),
        unit="s",
        note=f"1.1 x (r {latency_sec} + 2 x L {heard_sec}); all: "
        + ", ".join(f"{one:.3f}" for one in sorted(spans)),
    )
    yield Row(what="20 orders: connections", allowed=1, measured=connections, unit="connect.")
    yield from _many_tickets()


def _first_order_to_last_end(here: Stage, account: str = ACCOUNT) -> float:
    """Of one account, by the log that names its orders."""
    orders = [
        (at, fields[_ORDER_REF])
        for at, name, fields in here.messages()
        if name == "PlaceOrder" and fields[_ORDER_ACCOUNT] == account
    ]
    first, ref = min(orders)
    run_id = ref.split("-")[1]
    (log,) = (here.folder / "reports").rglob(f"rebalance_{run_id}.log")
    lines = log.read_text("utf-8").splitlines()
    ends = [line for line in lines if " order done " in line]
    return datetime.fromisoformat(ends[-1][:23] + "+00:00").timestamp() - first


def _many_tickets() -> Iterator[Row]:
    with stage(Shop(symbols=500, latency_ms=0, fill_sec=0.01)) as here:
        done = measure([str(ROOT / "rebalance.py"), "--confirm"], here.folder, "y\n")
        orders = sum(name == "PlaceOrder" for _, name, _ in here.messages())
    note = f"{orders} orders, exit code {done.code}, {done.done_sec:.0f} s"
    yield Row(
        what="500 symbols traded: memory",
        allowed=200,
        measured=done.memory_mib,
        unit="MiB",
        note=note,
    )


# --- the planner: benchmarks of their own, in processes of their own ------------------------


def plan() -> Iterator[Row]:
    """How planning grows with the number of symbols."""
    yield from _own_report("planning_growth")


def deposits() -> Iterator[Row]:
    """What two years of monthly deposits leave idle, and what they turn over."""
    yield from _own_report("deposits")


def sizing() -> Iterator[Row]:
    """Rounding against the proven optimum; needs SciPy, which is not a dependency."""
    if find_spec("scipy") is None:
        print("sizing_quality: left out, it compares with SciPy's solver (pip install scipy)")
        return
    yield from _own_report("sizing_quality")


def orders() -> Iterator[Row]:
    """Twenty orders without latency, and what a journal commit costs on this disk."""
    yield from _own_report("execution_speed")


def _own_report(module: str) -> Iterator[Row]:
    """Run a benchmark that prints its own figures; a row only for whether it ended well."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    for line in (done.stdout + done.stderr[-400:]).splitlines():
        print(f"    {re.sub(str(Path.home()), '~', line)}")
    yield Row(what=module, allowed=0, measured=done.returncode, unit="exit code")


GROUPS: dict[str, Callable[[], Iterator[Row]]] = {
    "start": start,
    "history": history,
    "dry": dry,
    "accounts": accounts,
    "trade": trade,
    "orders": orders,
    "plan": plan,
    "cost": cost,
    "deposits": deposits,
    "sizing": sizing,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
