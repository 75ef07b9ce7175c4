"""Commands that only look: nothing they do can touch an order."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from src import snapshot
from src.base.errors import ExitCode
from src.io import validate_portfolios
from src.simulator.scenario.records import MarketDataSetup, RawDecimal, Scenario
from tests.commands.conftest import OpenGateway
from tests.commands.kit import ACCOUNT, PROMPT, Done, Gateway, Workplace, sample

SYMBOLS = (
    *("SPY", "SCHG", "MGK", "IAU", "GLD", "GDX", "BLOK", "IBIT", "ETHA", "CWB"),
    *("BIV", "VCIT", "BNDX", "XLE"),
)


def plan_of(done: Done) -> dict[str, object]:
    assert done.code == ExitCode.OK, done.err
    document = json.loads(done.out)
    assert isinstance(document, dict)
    return document


def test_the_default_is_a_dry_run_on_the_embedded_gateway(place: Workplace) -> None:
    done = place.run("--simulate")
    assert (done.code, done.err) == (ExitCode.OK, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("SIMULATED")
    assert lines[1].startswith("Rebalance plan for account DU***567 (paper)")
    assert lines[2].startswith("dry run (neither --dry-run nor --confirm was given)")
    assert any(line.startswith("SIMULATED") for line in lines[-8:])
    assert max(map(len, lines)) <= 80
    table = [line.split()[0].rstrip("*") for line in lines if line[:1].isalpha()]
    assert set(SYMBOLS) <= set(table)
    assert "\x1b" not in done.out
    (pre,) = place.reports_named("rebalance_pre_")
    (log,) = place.reports_named("rebalance_2")
    with pre.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["symbol"] for row in rows} == {*SYMBOLS, "CASH"}
    assert lines[-3:] == [
        "Nothing was sent.",
        f"The plan is filed in {pre.relative_to(place.path)}",
        "To trade it: python rebalance.py --confirm --simulate",
    ]
    text = log.read_text(encoding="utf-8")
    assert "SIMULATED" in text
    assert ACCOUNT not in text
    assert "run finished exit_code=0 orders_sent=0" in text
    assert place.reports_named("rebalance_post_") == []


def test_a_dry_run_asks_questions_only(place: Workplace, gateway: Gateway) -> None:
    for flags in ((), ("--dry-run",), ("--confirm", "--dry-run"), ("--json",)):
        assert place.run(*flags, stdin="y\n").code == ExitCode.OK
    assert gateway.names.count("StartApi") == 4
    assert gateway.order_messages == []


@pytest.mark.parametrize("is_setting", [True, False])
def test_read_only_wins_over_confirm(place: Workplace, gateway: Gateway, is_setting: bool) -> None:
    if is_setting:
        place.set("ibkr", read_only="true")
    done = place.run("--confirm", *([] if is_setting else ["--read-only"]), stdin="y\n")
    assert done.code == ExitCode.OK
    assert "read-only: nothing is sent" in done.out.splitlines()
    assert done.out.splitlines()[-1] == "read-only: nothing was sent"
    assert PROMPT not in done.err
    assert gateway.order_messages == []
    assert place.reports_named("rebalance_post_") == []


def test_json_is_one_object_with_the_agreed_names(place: Workplace) -> None:
    document = plan_of(place.run("--simulate", "--json"))
    assert list(document) == [
        *("schema", "source", "account_id", "plan_hash", "tickets", "skipped", "wishes", "what_if"),
        *("drift", "before", "after", "warnings", "obstacles", "notices"),
    ]
    assert (document["schema"], document["source"]) == ("rebalance-plan/2", "simulated")
    assert document["account_id"] == ACCOUNT
    tickets = document["tickets"]
    assert isinstance(tickets, list)
    assert {ticket["side"] for ticket in tickets} == {"BUY", "SELL"}
    assert all(isinstance(ticket["qty_shares"], int | float) for ticket in tickets)
    drift = document["drift"]
    assert isinstance(drift, list)
    assert {row["symbol"] for row in drift} == {*SYMBOLS, "CASH"}


def test_a_snapshot_file_gives_the_same_orders(place: Workplace, gateway: Gateway) -> None:
    live = plan_of(place.run("--json"))
    told = place.run("--csv", str(place.csv), main=snapshot.main)
    assert (told.code, told.err) == (ExitCode.OK, "")
    assert set(json.loads(told.out)["prices"]) == set(SYMBOLS)
    Path("snapshot.json").write_text(told.out, encoding="utf-8")
    planned = plan_of(place.run("--from-snapshot", "snapshot.json", "--json"))
    assert (live["source"], planned["source"]) == ("broker", "file")
    assert planned["tickets"] == live["tickets"]
    assert "symbols were not verified" in str(planned["warnings"])
    filed = place.reports_named("")
    shown = place.run("--from-snapshot", "snapshot.json")
    assert "symbols were not verified" in shown.out
    assert "\nNothing was sent.\nNothing is filed: a plan from a file is a what-if" in shown.out
    assert place.reports_named("") == filed
    assert gateway.order_messages == []


def test_a_what_if_makes_no_report_directory_and_save_files_the_plan_alone(
    place: Workplace,
) -> None:
    told = place.run("--simulate", "--csv", str(place.csv), main=snapshot.main)
    Path("snapshot.json").write_text(told.out, encoding="utf-8")
    assert place.run("--from-snapshot", "snapshot.json").code == ExitCode.OK
    assert not place.reports.exists()
    done = place.run("--from-snapshot", "snapshot.json", "--save")
    (path,) = place.reports_named("")
    assert path.name.startswith("fromfile_")
    assert done.out.splitlines()[-1] == f"The plan is filed in {path.relative_to(place.path)}"
    with path.open(encoding="utf-8", newline="") as file:
        assert {row["symbol"] for row in csv.DictReader(file)} == {*SYMBOLS, "CASH"}


def test_how_to_trade_names_the_files_of_this_run_and_what_stands_in_the_way(
    place: Workplace, gateway: Gateway
) -> None:
    own = Path("my settings.ini")
    own.write_bytes(place.config.read_bytes())
    last = place.run("--config", str(own)).out.splitlines()[-1]
    assert last == 'To trade it: python rebalance.py --confirm --config "my settings.ini"'
    place.set("ibkr", read_only="true")
    place.set("execution", max_orders=1)
    last = place.run("--dry-run").out.splitlines()[-1]
    assert last == (
        "To trade it, set read_only = false in [ibkr] and settle what begins with trading: above,"
        " then: python rebalance.py --confirm"
    )
    assert gateway.order_messages == []


def test_a_plan_from_prices_of_forty_digits_is_exact(place: Workplace) -> None:
    price = "33." + "3" * 37
    Path("long.json").write_text(
        json.dumps(
            {
                "cash_usd": 1000,
                "positions": [{"symbol": "XLE", "qty_shares": 300}],
                "prices": dict.fromkeys(SYMBOLS, 50),
            }
        ).replace('"XLE": 50', f'"XLE": {price}'),
        encoding="utf-8",
    )
    plan = plan_of(place.run("--from-snapshot", "long.json", "--json"))
    before = plan["before"]
    assert isinstance(before, dict)
    assert before["net_liq_usd"] == pytest.approx(11000, abs=1e-9)
    assert place.run("--from-snapshot", "long.json").code == ExitCode.OK


def test_a_snapshot_prices_only_what_is_managed(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    """XLE is in no model and has no price: kept, it is neither needed nor in the figures."""
    place.set("rebalance", unlisted_positions="keep")
    place.set("pricing", price_timeout_sec=1)
    open_gateway(_without_a_price("XLE"))
    told = place.run("--csv", str(place.csv), main=snapshot.main)
    assert (told.code, told.err) == (ExitCode.OK, "")
    document = json.loads(told.out)
    assert "XLE" not in document["prices"]
    assert "XLE" not in [row["symbol"] for row in document["positions"]]
    assert "XLE" in [row["symbol"] for row in document["unmanaged"]]
    Path("snapshot.json").write_text(told.out, encoding="utf-8")
    planned = plan_of(place.run("--from-snapshot", "snapshot.json", "--json"))
    assert planned["tickets"] == plan_of(place.run("--json"))["tickets"]


def _without_a_price(symbol: str) -> Scenario:
    """The sample, where neither quotes nor the account tell what one holding is worth."""
    setting = sample()
    (account,) = setting.accounts
    positions = tuple(
        replace(one, reported_price=RawDecimal(Decimal(0))) if one.symbol == symbol else one
        for one in account.positions
    )
    contracts = tuple(
        replace(one, market_data=MarketDataSetup(access="none")) if one.symbol == symbol else one
        for one in setting.contracts
    )
    return replace(setting, accounts=(replace(account, positions=positions),), contracts=contracts)


def test_a_snapshot_without_models_needs_no_csv(place: Workplace) -> None:
    done = place.run("--simulate", main=snapshot.main)
    document = json.loads(done.out)
    assert (done.code, done.err) == (ExitCode.OK, "")
    assert "prices" not in document
    assert [*document["ignored_cash"]] == ["CAD"]
    assert [row["sec_type"] for row in document["unmanaged"]] == ["OPT"]


def test_symbols_are_validated_at_a_gateway(place: Workplace, gateway: Gateway) -> None:
    done = place.run(str(place.csv), main=validate_portfolios.main)
    assert done.code == ExitCode.OK
    assert done.out.startswith("OK: ")
    assert done.out.splitlines()[0].endswith("symbols known at the broker")
    assert gateway.order_messages == []


def test_a_bug_is_one_line_and_the_log_knows_more(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.app.proposing.planning.plan_trades", lambda *_: 1 / 0)
    done = place.run("--simulate")
    assert done.code == ExitCode.BUG
    (line,) = done.err.splitlines()
    (log,) = place.reports_named("rebalance_2")
    assert line.startswith("error: internal error: ZeroDivisionError: division by zero at ")
    assert f"details in {log}: a fault of this program" in line
    assert "Traceback" in log.read_text(encoding="utf-8")
