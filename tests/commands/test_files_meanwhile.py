"""Files that change, or vanish, between the start of a run and its end."""

from __future__ import annotations

import hashlib
import re
import shutil

import rebalance
from src.core.journal import PlanRecorded
from src.errors import ExitCode
from src.io.journal_db import open_journal
from src.io.state_dir import journal_path, state_dir
from tests.commands.kit import ACCOUNT, Gateway, LateAnswer, Workplace


def test_what_was_loaded_is_traded_whatever_the_files_say_later(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("rebalance", per_holding_band_bps=600)
    loaded = place.csv.read_bytes()

    def rewrite() -> None:
        place.csv.write_text("ETF,SMURF,BADASS,GLTR\nSPY,100%,100%,100%\n", encoding="utf-8")
        place.set("execution", max_orders=1)

    done = place.run("--confirm", stdin=LateAnswer(["y"], {1: rewrite}))
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert {order.symbol for order in gateway.orders} == {"MGK", "GLD", "GDX", "IBIT"}
    path = journal_path(state_dir(is_simulated=False), ACCOUNT)
    with open_journal(path, ACCOUNT) as journal:
        plan = journal.events(place.run_id())[0]
    assert isinstance(plan, PlanRecorded)
    assert plan.inputs_sha256 == hashlib.sha256(loaded).hexdigest()


def test_a_report_directory_that_vanishes_costs_no_record(
    place: Workplace, gateway: Gateway
) -> None:
    place.set("rebalance", per_holding_band_bps=600)
    run_ids: list[str] = []

    def vanish() -> None:
        run_ids.append(place.run_id())
        shutil.rmtree(place.reports)
        place.reports.write_text("in the way", encoding="utf-8")

    # Named, so that stdout may hold the account id: the rows are the report's own.
    answer = LateAnswer(["y"], {1: vanish})
    done = place.run("--confirm", stdin=answer, main=rebalance.main)
    assert done.code == ExitCode.UNFILLED
    assert len(gateway.orders) == 4
    assert "its rows stand above" in done.out
    printed = [line for line in done.out.splitlines() if re.match(r"timestamp_run,|.*T.*,DU", line)]
    assert len(printed) == 1 + len(gateway.orders)
    place.reports.unlink()
    (run_id,) = run_ids
    assert place.run("--rebuild", run_id).code == ExitCode.OK
    (post,) = place.reports_named("rebalance_post_")
    assert post.read_text(encoding="utf-8").splitlines() == printed
