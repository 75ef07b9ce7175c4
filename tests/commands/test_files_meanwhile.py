"""Files that change between the start of a run and its end."""

from __future__ import annotations

import hashlib
import logging

import pytest

from src.base.errors import ExitCode
from src.core.journal.events import PlanRecorded
from src.io.files.logs import RunLog
from src.io.files.state_dir import journal_path, state_dir
from src.io.journal.db import open_journal
from tests.commands.kit import ACCOUNT, Gateway, LateAnswer, Workplace
from tests.unit.io.files.test_logs import fill_the_disk, needs_a_full_disk


def test_what_was_loaded_is_traded_whatever_the_files_say_later(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("rebalance", per_holding_band_bps=600)
    loaded = place.config.read_bytes() + b"\0" + place.csv.read_bytes()

    def rewrite() -> None:
        place.csv.write_text("ETF,SMURF,BADASS,GLTR\nSPY,100%,100%,100%\n", encoding="utf-8")
        place.set("execution", max_orders=1)

    done = place.run("--confirm", stdin=LateAnswer(["y"], {1: rewrite}))
    assert (done.code, done.errors) == (ExitCode.OK, [])
    for name in ("settings.ini", "portfolios.csv"):
        assert f"{name} was changed meanwhile" in done.err
    assert {order.symbol for order in gateway.orders} == {"MGK", "GLD", "GDX", "IBIT"}
    path = journal_path(state_dir(is_simulated=False), ACCOUNT)
    with open_journal(path, ACCOUNT) as journal:
        plan = journal.events(place.run_id())[0]
    assert isinstance(plan, PlanRecorded)
    assert plan.inputs_sha256 == hashlib.sha256(loaded).hexdigest()


def the_log() -> RunLog:
    (log,) = (one for one in logging.getLogger().handlers if isinstance(one, RunLog))
    return log


@needs_a_full_disk
@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_full_disk_for_the_log_alone_changes_no_exit_code(
    place: Workplace, gateway: Gateway, answer: str
) -> None:
    """All filled is 0 and nothing sent is 0, whatever becomes of the log."""
    done = place.run("--confirm", stdin=LateAnswer([answer], {1: lambda: fill_the_disk(the_log())}))
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert "is incomplete: [Errno 28]" in done.err
    assert bool(gateway.orders) == (answer == "y")
