"""Files that change between the start of a run and its end."""

from __future__ import annotations

import hashlib

from src.core.journal import PlanRecorded
from src.errors import ExitCode
from src.io.journal_db import open_journal
from src.io.state_dir import journal_path, state_dir
from tests.commands.kit import ACCOUNT, Gateway, LateAnswer, Workplace


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
