"""Spreadsheets of every language are read; a table of another shape is named, once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from src.base.errors import PortfolioCsvError
from src.core.records.portfolios import CASH, ModelPortfolios
from src.io.portfolio_csv import load_portfolios

D = Decimal
EXPORTS = Path(__file__).with_name("exports")
"""One sheet, saved as text by LibreOffice Calc in four languages."""

NBSP, NARROW, THIN, MINUS = "\u00a0", "\u202f", "\u2009", "\u2212"


def load(tmp_path: Path, content: str) -> ModelPortfolios:
    path = tmp_path / "p.csv"
    path.write_bytes(content.encode())
    return load_portfolios(path)


def only_problem(tmp_path: Path, content: str | bytes) -> str:
    path = tmp_path / "p.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PortfolioCsvError) as caught:
        load_portfolios(path)
    (problem,) = caught.value.problems
    return str(problem).replace(str(tmp_path), "").lstrip("/\\")


# --- what is taken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ("german_semicolons.csv", "read with ; and decimal comma"),
        ("german_commas.csv", "read with decimal comma"),
        ("german_tabs.csv", "read with tab and decimal comma"),
        ("french_semicolons.csv", "read with ; and decimal comma"),
        ("swiss_semicolons.csv", "read with ;"),
        ("american_commas.csv", ""),
    ],
)
def test_one_sheet_saved_in_four_languages_is_one_portfolio(file: str, form: str) -> None:
    portfolios = load_portfolios(EXPORTS / file)
    assert portfolios.models == {
        "SMURF": {"BRK B": D("0.1225"), "IAU": D("0.3525"), "SPY": D("0.625"), CASH: D("-0.1")},
        "BADASS": {"BRK B": D("0.305"), "IAU": D("0.195"), "SPY": D("0.5"), CASH: D(0)},
    }
    assert portfolios.form == form


@pytest.mark.parametrize(
    "content",
    [
        "ETF;A\r\nSPY;60,5%\r\nIAU;39,5%\r\n",
        "ETF;A;;\nSPY;60,5;;\nIAU;39,5;;\n;;;\n",
        "sep=;\nETF;A\nSPY;60.5\nIAU;39.5\n",
        "sep=,\nETF,A\nSPY,60.5\nIAU,39.5\n",
        "sep=;\r\n\r\nETF;A\r\nSPY;60,5\r\nIAU;39,5\r\n",
        'ETF,A\nSPY,"60,5%"\nIAU,"39,5%"\n',
        "ETF\tA\nSPY\t60,5 %\nIAU\t39,5 %\n",
        "# a; comment, with both\nETF;A\nSPY;60,5\nIAU;39,5\n",
        f"ETF,A\n{NBSP}SPY{NBSP},60.5{NBSP}%\nIAU,39.5{NARROW}%\n",
        f"ETF;A\nSPY;60,5{NARROW}%\nIAU;39,5{THIN}%\n",
        f"ETF,A\nSPY,60.5\nIAU,39.5\n{NBSP},{NBSP}\n",
        'ETF,A\n"=""SPY""","=""60.5"""\n"=""IAU""",39.5\n',
        '"ETF";"A"\n"SPY";"60,5%"\n"IAU";"39,5%"\n',
    ],
)
def test_exports_of_any_language_just_work(tmp_path: Path, content: str) -> None:
    weights = load(tmp_path, content).models["A"]
    assert weights == {"IAU": D("0.395"), "SPY": D("0.605"), CASH: D(0)}


@pytest.mark.parametrize("borrowed", [f"{MINUS}10%", "(10%)", "(10)%", "(10.0) %", "-10", "–10 %"])
def test_every_spelling_of_minus_is_minus_where_it_is_allowed(
    tmp_path: Path, borrowed: str
) -> None:
    weights = load(tmp_path, f"ETF,A\nSPY,110%\nCASH,{borrowed}\n").models["A"]
    assert weights[CASH] == D("-0.1")
    assert "only CASH may be negative" in only_problem(tmp_path, f"ETF,A\nSPY,90\nIAU,{borrowed}\n")


def test_symbols_that_are_words_stay_symbols(tmp_path: Path) -> None:
    words = ("TRUE", "NA", "ON", "ALL", "NAN", "NULL", "INF", "SUM", "TOTAL", "E")
    content = "ETF,A\n" + "".join(f"{word},10%\n" for word in words)
    assert load(tmp_path, content).symbols == tuple(sorted(words))


def test_a_holding_as_large_as_those_above_it_is_no_total(tmp_path: Path) -> None:
    assert load(tmp_path, "ETF,A\nSPY,25\nIAU,25\nGLD,50\n").models["A"]["GLD"] == D("0.5")


# --- what is named, once ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "looks_like", "remedy"),
    [
        ("ETF,A,B\nSPY,60,40\nIAU,40,60\nTotal,100,100\n", 4, "'Total' looks like a total", "rem"),
        ("ETF;A\nSPY;60,5\nIAU;39,5\nSumme;100,0\n", 4, "'Summe' looks like a total", "remove"),
        ("ETF,A\nSPY,60\nIAU,40\n,100\n", 4, "'' looks like a total", "remove"),
        ("ETF,A\nSPY,30\nIAU,30\nStocks,60\nGLD,20\nBND,20\nBonds,40\n", 4, "line 7", "remove"),
        ("ETF,A\nSPY,33.3\nIAU,33.3\nGLD,33.4\nTotal,99.99\n", 5, "total", "remove"),
        ("Model,SPY,QQQ,IAU\nX,60,40,0\nY,40,20,40\n", 1, "rows and columns are swapped", "Trans"),
        ("ETF,SPY,CASH\nX,110,-10\nZ,105,-5\n", 1, "rows and columns are swapped", "Transpose"),
        ("model,ticker,weight\nX,SPY,60\nX,IAU,40\n", 1, "one row per model and symbol", "pivot"),
        ("ETF;Modell;Anteil\nSPY;X;62,5\nIAU;X;37,5\n", 1, "one row per model", "pivot"),
        ("ETF,Name,A\nSPY,S&P 500,60\nIAU,Gold,40\n", 1, "column 'Name' holds text", "remove it"),
        ("ETF,A,ISIN\nSPY,60,US78462F1030\nIAU,40,US4642851053\n", 1, "holds ISINs", "remove it"),
        ("ETF,A\nUS78462F1030,60\nUS4642851053,40\n", 1, "ISINs such as US78462F1030", "ticker"),
        ("Name,ETF,A\nGold,IAU,60\nStocks,SPY,40\n", 1, "ETF is column 2", "front"),
        ("Table 1\nETF,A\nSPY,60\nIAU,40\n", 1, "'Table 1' looks like a title", "delete"),
        ("My funds;;\n;;\nETF;A;B\nSPY;60;40\nIAU;40;60\n", 1, "header is line 3", "delete"),
        ("<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", 1, "a web page", "export it"),
        ("ETF,A\nSPY,60%\n#N/A,25%\nIAU,15%\n", 3, "'#N/A' is not valid", "mend the formula"),
        ("ETF;A\nSPY;60\n#NV;25\nIAU;15\n", 3, "'#NV' is not valid", "mend the formula"),
        ("ETF,A\nSPY,60%\n#NOM?,40%\n", 3, "'#NOM?' is not valid", "mend the formula"),
        ("ETF,A\nSPY,60%\nIAU,#REF!\n", 3, "'#REF!' is not valid", "mend the formula"),
        ("ETF,A\nSPY,60,5\n", 2, "the row has 3 cells", "33.5%, not 33,5%"),
        ("ETF;A\nSPY;60,5\nIAU;39.5\n", 3, "'39.5' and '60,5' in line 2", "the same decimal"),
        ("ETF,A\nNYSEARCA:SPY,100\n", 2, "without its exchange: SPY", ""),
        ("ETF,A\nBRK/B,100\n", 2, "a share class as IBKR writes it: BRK B", ""),
        ("ETF,A\nSPY,60\nIAU,0.4\n", 1, "IAU in line 3 is 0.4%, is 40% meant?", ""),
        (b"PK\x03\x04\x14\x00\x06\x00", 0, "is a workbook", "Save as → CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", 0, "is an old Excel workbook", "Save as → CSV UTF-8"),
        (b"\xff\xfeE\x00T\x00F\x00", 0, "is UTF-16 text", "Save as → CSV UTF-8"),
    ],
)
def test_another_shape_is_one_message_with_a_way_out(
    tmp_path: Path, content: str | bytes, line: int, looks_like: str, remedy: str
) -> None:
    problem = only_problem(tmp_path, content)
    assert problem.startswith(f"p.csv:{line}" if line else "p.csv: ")
    assert looks_like in problem
    assert remedy in problem


def test_a_comment_stays_a_comment(tmp_path: Path) -> None:
    content = "#N/A is what Excel writes, or so\n# x!\nETF,A\n#note,5\nSPY,100\n"
    assert load(tmp_path, content).symbols == ("SPY",)
