"""Exit 2: a wrong command line, settings file, CSV, symbol or report directory, in plain lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from src import snapshot
from src.base.errors import ExitCode
from src.io import validate_config, validate_portfolios
from tests.commands.kit import ACCOUNT, Done, Gateway, Workplace


def wrong(done: Done, *words: str) -> None:
    assert done.code == ExitCode.INPUT, done
    assert done.out == ""
    text = "\n".join(done.errors)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--dryrun"], "unknown flag --dryrun, did you mean --dry-run?"),
        (["--json", "--confirm"], "--json"),
        (["--confirm", "--recover"], "stands alone"),
        (["--confirm", "--from-snapshot", "x.json"], "--from-snapshot"),
        (["--simulate", "--from-snapshot", "x.json"], "not allowed with"),
        (["--accept", "20250131T143000Z"], "--accept goes with --recover"),
        (["--recover", "--accept", "yesterday"], "'yesterday' is not a run id"),
        (["--rebuild", "../../x"], "is not a run id"),
        (["--rebuild", "20250131T143000Z"], "no journal of this account knows run"),
        (["--from-snapshot", "none.json"], "none.json: cannot be read"),
        (["--config", "none.ini"], "none.ini"),
        (["--csv", "none.csv"], "none.csv"),
        (["surplus"], "unexpected argument surplus"),
    ],
)
def test_the_command_line(place: Workplace, flags: list[str], words: str) -> None:
    done = place.run(*flags)
    wrong(done, words)
    assert len(done.errors) == 1


def test_every_problem_of_both_files_is_told(place: Workplace) -> None:
    place.set("rebalance", min_order_usd="-1", max_leverage="9", trigger_mode="sometimes")
    done = place.run("--simulate")
    wrong(done, "min_order_usd", "max_leverage", "trigger_mode")
    assert len(done.errors) == 3
    assert all(str(Path("config/settings.ini")) in line for line in done.errors)
    wrong(place.run("config/settings.ini", main=validate_config.main), "min_order_usd")
    text = place.csv.read_text(encoding="utf-8")
    place.csv.write_text(text.replace("SPY,30%", "SPY,31%"), encoding="utf-8")
    done = place.run(str(place.csv), "--offline", main=validate_portfolios.main)
    wrong(done, "max_leverage", "column SMURF", "101%")


def test_a_mix_that_must_borrow_more_than_allowed(place: Workplace, gateway: Gateway) -> None:
    place.set("rebalance", max_leverage="1")
    place.set("models", SMURF="0", BADASS="0", GLTR="100%")
    wrong(place.run("--confirm", stdin="y\n"), "max_leverage")
    assert gateway.names == []


@pytest.mark.parametrize(
    ("symbol", "words"),
    [("SPYY", "SPYY"), ("IGLN", "IGLN"), ("EXS1", "EXS1"), ("XIU", "XIU")],
)
def test_unknown_and_ambiguous_symbols(
    place: Workplace, gateway: Gateway, symbol: str, words: str
) -> None:
    text = place.csv.read_text(encoding="utf-8")
    place.csv.write_text(text.replace("CWB,", f"{symbol},"), encoding="utf-8")
    commands: dict[str, Callable[[], Done]] = {
        "dry run": place.run,
        "confirm": lambda: place.run("--confirm", stdin="y\n"),
        "validator": lambda: place.run(str(place.csv), main=validate_portfolios.main),
        "snapshot": lambda: place.run("--csv", str(place.csv), main=snapshot.main),
    }
    line = text[: text.index("CWB,")].count("\n") + 1
    for run in commands.values():
        done = run()
        wrong(done, words, f"portfolios.csv:{line} column ETF")
        assert len(done.errors) == 1
    assert gateway.order_messages == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("[1]", "expected one JSON object"),
        ("{", "not a JSON snapshot"),
        ("{}", "cash_usd: missing"),
        ('{"cash_usd": NaN, "positions": [], "prices": {}}', "NaN is not a number"),
    ],
)
def test_a_snapshot_file(place: Workplace, document: str, words: str) -> None:
    Path("snapshot.json").write_text(document, encoding="utf-8")
    wrong(place.run("--from-snapshot", "snapshot.json"), "snapshot.json", words)


def test_a_snapshot_file_without_a_needed_price(place: Workplace) -> None:
    told = json.loads(place.run("--simulate", main=snapshot.main).out)
    told["prices"] = {"SPY": 620}
    Path("snapshot.json").write_text(json.dumps(told), encoding="utf-8")
    wrong(place.run("--from-snapshot", "snapshot.json"), "no price for BIV, BLOK, BNDX, CWB")
    told["positions"][0]["qty_shares"] = -5
    Path("snapshot.json").write_text(json.dumps(told), encoding="utf-8")
    done = place.run("--from-snapshot", "snapshot.json", "--json")
    assert done.code == ExitCode.REFUSED
    assert "short position in SPY" in done.errors[0]


def test_a_report_directory_that_cannot_be_used_stops_before_connecting(
    place: Workplace, gateway: Gateway
) -> None:
    Path("file").write_text("x", encoding="utf-8")
    Path("closed").mkdir()
    Path("closed").chmod(0o500)
    unusable = {"file": "is a file, not a directory", "file/below": "lies below a file"}
    if sys.platform != "win32":
        Path("dangling").symlink_to("nowhere")
        unusable["dangling"] = "is a link to a directory that does not exist"
        if os.geteuid() != 0:
            unusable["closed"] = "cannot be written to"
    for name, words in unusable.items():
        place.set("io", report_dir=name)
        for flags in ((), ("--confirm",)):
            wrong(place.run(*flags, stdin="y\n"), "[io] report_dir", name, words)
    assert gateway.names == []
    place.set("io", report_dir="new/below")
    assert place.run("--confirm", stdin="n\n").code == ExitCode.OK
    assert list(Path("new/below").glob("rebalance_pre_*.csv"))


def test_a_state_directory_that_cannot_be_used_refuses_trading(
    place: Workplace, gateway: Gateway, state_home: Path
) -> None:
    state_home.write_text("in the way", encoding="utf-8")
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert str(state_home) in done.errors[0]
    assert gateway.names == []
    assert place.run().code == ExitCode.OK


def test_a_damaged_journal_refuses_trading_and_warns_a_dry_run(
    place: Workplace, gateway: Gateway, state_home: Path
) -> None:
    path = state_home / "ibkr-rebalancer" / f"{ACCOUNT}.sqlite3"
    assert place.run("--confirm", stdin="n\n").code == ExitCode.OK
    path.write_bytes(b"not a database at all" * 300)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.REFUSED
    assert "journal" in done.errors[0]
    looked = place.run()
    assert looked.code == ExitCode.OK
    assert "the order journal cannot be read" in " ".join((looked.out + looked.err).split())
    assert gateway.order_messages == []
