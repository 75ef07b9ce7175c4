"""The two validating commands: OK and one line, or every problem, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from src.base.errors import ExitCode
from src.core.records.market import Listing, SymbolLookup
from src.io import validate_config, validate_portfolios
from src.terminal.cli import run_main

INI = "[ibkr]\naccount_id = DU1234567\n[models]\na = 1\n"
CSV = "ETF,A\nSPY,60\nIAU,40\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("s.ini").write_text(INI, encoding="utf-8")
    Path("p.csv").write_text(CSV, encoding="utf-8")
    return tmp_path


def offline(*argv: str) -> int:
    return run_main(lambda: validate_portfolios.main(["p.csv", "--offline", *argv]))


def test_good_settings(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(lambda: validate_config.main(["s.ini"])) == ExitCode.OK
    assert capsys.readouterr() == (
        "OK: s.ini: account DU***567 (paper, read-only), mix a 100%\n",
        "",
    )


def test_settings_warnings_do_not_fail(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.ini").write_text(INI.replace("DU", "U"), encoding="utf-8")
    assert run_main(lambda: validate_config.main(["s.ini"])) == ExitCode.OK
    out, err = capsys.readouterr()
    assert out == "OK: s.ini: account U***567 (LIVE, read-only), mix a 100%\n"
    assert err.startswith("warning: port 4002 is usually a paper session")


def test_bad_settings(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.ini").write_text("[ibkr]\nport = x\n", encoding="utf-8")
    assert run_main(lambda: validate_config.main(["s.ini"])) == ExitCode.INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["error"] * 3


def test_good_portfolios_alone(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert offline() == ExitCode.OK
    assert capsys.readouterr().out == (
        "OK: p.csv: 2 symbols in 1 model (A), "
        f"names not compared: no file {Path('config/settings.ini')}\n"
    )


def test_good_portfolios_with_settings(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert offline("--config", "s.ini") == ExitCode.OK
    assert capsys.readouterr().out == (
        "OK: p.csv: 2 symbols in 1 model (A), symbols not looked up\n"
    )


def test_names_are_compared(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.ini").write_text(INI.replace("a = 1", "b = 1"), encoding="utf-8")
    assert offline("--config", "s.ini") == ExitCode.INPUT
    assert capsys.readouterr().err.count("error: ") == 2


def test_problems_of_both_files_are_shown(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.ini").write_text(INI + "[oi]\n", encoding="utf-8")
    Path("p.csv").write_text("ETF,A\nSPY,1\n", encoding="utf-8")
    assert offline("--config", "s.ini") == ExitCode.INPUT
    err = capsys.readouterr().err
    assert "error: p.csv:1 column A: the weights sum to 1%" in err
    assert "error: s.ini:5 [oi]: unknown section" in err


def test_offline_and_simulate_exclude_each_other(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offline("--simulate") == ExitCode.INPUT
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize("iau_is_known", [True, False])
def test_symbols_are_looked_up(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    iau_is_known: bool,
) -> None:
    async def known_symbols(symbols: tuple[str, ...]) -> dict[str, SymbolLookup]:
        return {
            symbol: SymbolLookup(
                symbol=symbol,
                listing=(
                    Listing(con_id=1, symbol=symbol, stock_type="ETF")
                    if symbol != "IAU" or iau_is_known
                    else None
                ),
            )
            for symbol in symbols
        }

    @asynccontextmanager
    async def open_session(_settings: object, *, simulate: bool) -> AsyncIterator[SimpleNamespace]:
        assert simulate
        yield SimpleNamespace(known_symbols=known_symbols)

    session = ModuleType("src.app.proposing.session")
    monkeypatch.setattr(session, "open_session", open_session, raising=False)
    monkeypatch.setitem(sys.modules, "src.app.proposing.session", session)
    argv = ["p.csv", "--simulate", "--config", "s.ini"]
    code = run_main(lambda: validate_portfolios.main(argv))
    out, err = capsys.readouterr()
    if iau_is_known:
        assert code == ExitCode.OK
        told, *table = out.splitlines()
        assert told.endswith("symbols known at the simulated gateway")
        assert [line.split() for line in table] == [
            ["symbol", "name", "exchange", "conId"],
            ["IAU", "-", "-", "1"],
            ["SPY", "-", "-", "1"],
        ]
    else:
        assert code == ExitCode.INPUT
        assert "p.csv:3 column ETF: IAU: not known at IBKR (look it up" in err
