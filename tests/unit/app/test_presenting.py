"""What is shown and filed of a proposal: text or JSON on stdout, the pre-trade report, the log."""

from __future__ import annotations

import csv
import json
import logging
import os
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from src.app.proposing.planning import Proposal
from src.app.proposing.presenting import Presentation, present, write_pre_report
from src.base.errors import Refused
from src.base.settings import IbkrSettings, Settings
from src.io.files.run_files import RunFiles, name_run_files
from tests.kits.builders import (
    ACCOUNT,
    NOON_UTC,
    account,
    listing,
    plan,
    price_book,
    snapshot,
    targets,
)

SETTINGS = Settings(
    ibkr=IbkrSettings(account_id=ACCOUNT), models={"A": Decimal(1)}, source="settings.ini"
)


@pytest.fixture
def proposal() -> Proposal:
    holdings, prices = {"SPY": 10, "XLE": 1}, {"SPY": 600, "IAU": 60, "XLE": 90}
    return Proposal(
        plan=plan(account(holdings, prices, 5000), targets({"SPY": 50, "IAU": 40})),
        prices=price_book(prices),
        snapshot=snapshot(holdings, 5000),
        listings={symbol: listing(symbol) for symbol in prices},
        not_in_model=frozenset({"XLE"}),
        warnings=("a figure is doubtful",),
        obstacles=("the market is closed",),
    )


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    return name_run_files(tmp_path, "20250131T170000Z", NOON_UTC)


def how(*notices: str, is_simulated: bool = False, as_json: bool = False) -> Presentation:
    return Presentation(
        settings=SETTINGS, is_simulated=is_simulated, as_json=as_json, notices=notices
    )


def test_the_preview_tells_notices_warnings_and_obstacles(
    proposal: Proposal, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert present(proposal, how("dry run: nothing is sent", is_simulated=True), NOON_UTC)
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("SIMULATED")
    assert "dry run: nothing is sent" in out.splitlines()
    assert "a figure is doubtful" in out
    assert "trading: the market is closed" in out
    assert f"plan made hash={proposal.plan.plan_hash}" in caplog.text
    assert caplog.text.count("ticket planned") == len(proposal.plan.tickets) > 0
    assert "plan warning text=trading: the market is closed" in caplog.text


def test_json_is_one_object_with_the_same_warnings(
    proposal: Proposal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert present(proposal, how("dry run", is_simulated=True, as_json=True), NOON_UTC)
    document = json.loads(capsys.readouterr().out)
    assert document["account_id"] == ACCOUNT
    assert document["plan_hash"] == proposal.plan.plan_hash
    assert document["source"] == "simulated"
    simulated, dry = document["notices"]
    assert simulated.startswith("SIMULATED")
    assert dry == "dry run"
    assert document["warnings"][0] == "a figure is doubtful"
    assert document["obstacles"] == ["the market is closed"]


def test_a_reader_who_left_is_noticed(proposal: Proposal, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert not present(proposal, how(), NOON_UTC)


def test_the_report_repeats_the_plan(proposal: Proposal, files: RunFiles) -> None:
    path = write_pre_report(proposal, how(), files)
    assert path == files.pre
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["symbol"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"SPY", "IAU", "XLE", "CASH"}
    for ticket in proposal.plan.tickets:
        assert rows[ticket.symbol]["action"] == ticket.side.value
        assert rows[ticket.symbol]["qty_shares"] == f"{ticket.qty_shares:f}"
        assert rows[ticket.symbol]["order_type"]
    assert rows["CASH"]["action"] == "NONE"
    assert rows["CASH"]["order_type"] == rows["CASH"]["algo"] == ""


def test_without_a_report_nothing_goes_on(proposal: Proposal, files: RunFiles) -> None:
    files.pre.parent.joinpath("gone").write_text("x", encoding="utf-8")
    lost = name_run_files(files.pre.parent / "gone", "20250131T170000Z", NOON_UTC)
    with pytest.raises(Refused, match=r"pre-trade report .* could not be written: .*nothing was"):
        write_pre_report(proposal, how(), lost)


def test_a_plan_made_anew_leaves_the_first_report_alone(
    proposal: Proposal, files: RunFiles
) -> None:
    first = write_pre_report(proposal, how(), files)
    before = first.read_bytes()
    changed = replace(proposal, plan=plan(account({}, {"IAU": 60}, 900), targets({"IAU": 90})))
    second = write_pre_report(changed, how(), files)
    assert second.name == "rebalance_pre_20250131T170000Z-2.csv"
    assert first.read_bytes() == before != second.read_bytes()
