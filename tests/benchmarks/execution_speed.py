"""How long 20 orders take from the first to the last terminal state; run by hand.

    python -m tests.benchmarks.execution_speed

Ten sells and ten buys on the simulated gateway over a real socket, each filled L = 100 ms after it
arrives; journal on disk. The least possible time is 2 L (buys wait for the sells' money) plus one
journal commit per order (its intent must be on disk before it leaves). Pacing adds nothing up to
20 orders; above that, 1/20 s per order.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

from src.core.journal.events import IntentRecorded, Sent, TicketEnded
from src.io.journal.db import open_journal
from tests.kits.exchange_kit import ACCOUNT
from tests.kits.trading_kit import Desk, Trading, crowd, trade

ORDERS = 20
LATENCY_SEC = 0.1
RUNS = 5


def first_to_last_sec(done: Trading) -> float:
    """From the first intent to the last ticket's end."""
    first = next(one.at_utc for one in done.events if isinstance(one, IntentRecorded))
    last = [one.at_utc for one in done.events if isinstance(one, TicketEnded)][-1]
    return (last - first).total_seconds()


def commit_sec(home: Path) -> float:
    """What one journal commit costs on this disk."""
    event = Sent(run_id="20250131T170000Z", at_utc=datetime.now(timezone.utc), order_ref="x")
    with open_journal(home / "commits.sqlite3", ACCOUNT) as journal:
        started = time.perf_counter()
        for _ in range(100):
            journal.append(event)
        return (time.perf_counter() - started) / 100


def main() -> None:
    """Run the measurement and print it."""
    setting, lines = crowd(ORDERS, LATENCY_SEC)
    spans = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as home:
            done = trade(setting, lines, Path(home), Desk(pause_sec=1.2))
        assert set(done.statuses) == {"Filled"}, done.statuses
        spans.append(first_to_last_sec(done))
    with tempfile.TemporaryDirectory() as home:
        commit = commit_sec(Path(home))
    least = 2 * LATENCY_SEC + ORDERS * commit
    print(f"{ORDERS} orders, fills after {LATENCY_SEC:.3f} s, {RUNS} runs")
    print(f"first order to last terminal state: median {statistics.median(spans):.3f} s")
    print(f"all runs: {', '.join(f'{span:.3f}' for span in spans)} s")
    print(f"one journal commit here: {commit * 1000:.2f} ms")
    print(f"2 x L + {ORDERS} commits: {least:.3f} s")


if __name__ == "__main__":
    main()
