"""The portfolio CSV: what spreadsheets write is read, everything doubtful is named and refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from src.base.errors import PortfolioCsvError, UnknownSymbolError
from src.core.records.market import Listing, SymbolLookup
from src.core.records.portfolios import CASH, ModelPortfolios
from src.io.portfolio_csv import check_symbols, load_portfolios

D = Decimal


def load(tmp_path: Path, content: str | bytes) -> ModelPortfolios:
    path = tmp_path / "p.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_portfolios(path)


def problems_of(tmp_path: Path, content: str | bytes) -> list[str]:
    with pytest.raises(PortfolioCsvError) as caught:
        load(tmp_path, content)
    return [
        str(problem).replace(str(tmp_path), "").lstrip("/\\") for problem in caught.value.problems
    ]


def test_sample_file_is_valid() -> None:
    portfolios = load_portfolios(Path("data/portfolios.csv"))
    assert list(portfolios.models) == ["SMURF", "BADASS", "GLTR"]
    assert len(portfolios.symbols) == 13
    assert portfolios.models["GLTR"][CASH] < 0
    assert all(sum(weights.values()) == 1 for weights in portfolios.models.values())


def test_cells_become_fractions_and_every_model_lists_every_symbol(tmp_path: Path) -> None:
    content = "ETF,A,b\nspy,33%,12.5 %\n iau ,,.5\nCash,67,87\n"
    portfolios = load(tmp_path, content)
    assert portfolios.models == {
        "A": {"IAU": 0, "SPY": D("0.33"), CASH: D("0.67")},
        "b": {"IAU": D("0.005"), "SPY": D("0.125"), CASH: D("0.87")},
    }
    assert portfolios.symbols == ("IAU", "SPY")
    assert portfolios.lines == {"SPY": 2, "IAU": 3, CASH: 4}
    assert portfolios.content == content.encode()


PLAIN = "ETF,A\nSPY,60%\nIAU,40%\n"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.rstrip("\n").encode(),
        b'"ETF","A"\n"SPY","60%"\n"IAU","40%"\n',
        b'ETF, "A"\nSPY, "60%"\nIAU,\t40%\t\n',
        b"ETF,A,,,\nSPY,60%,,,\nIAU,40%,,,\n,,,,\n",
        b'\n# a, comment with a lone " and,"another\n\nETF,A\n  # indented\nSPY,60%\n\nIAU,40%\n\n',
        b'"# a comment\nover two lines, and ""quotes""",,\netf,A,\nSPY,60,\nIAU,40,\n',
        b"ETF,A\nSPY,60.005\nIAU,39.995\nGLD,-0%\n",
    ],
)
def test_spreadsheet_exports_just_work(tmp_path: Path, content: bytes) -> None:
    weights = load(tmp_path, content).models["A"]
    assert round(weights["SPY"], 3) == D("0.6")
    assert sum(weights.values()) == 1


@pytest.mark.parametrize("total", ["99.99", "100", "100.01", "100.010"])
def test_sum_tolerance_is_inclusive(tmp_path: Path, total: str) -> None:
    content = f"ETF,A\nSPY,50\nIAU,{D(total) - 50}\n"
    assert load(tmp_path, content).symbols == ("IAU", "SPY")


@pytest.mark.parametrize("total", ["99.98", "99.989999999999999999999", "100.0100000000000000001"])
def test_sums_outside_the_tolerance(tmp_path: Path, total: str) -> None:
    (problem,) = problems_of(tmp_path, f"ETF,A\nSPY,50\nIAU,{D(total) - 50}\n")
    assert problem == f"p.csv:1 column A: the weights sum to {total}%, expected 100% within 0.01"


def test_fractions_get_a_hint(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "ETF,A\nSPY,0.6\nIAU,0.4\n")
    assert "sum to 1%" in problem
    assert problem.endswith("(write percent, 33% or 33, not fractions such as 0.33)")


def test_negative_cash_may_balance_a_large_weight(tmp_path: Path) -> None:
    models = load(tmp_path, "ETF,A\nSPY,120\ncash,-20%\n").models
    assert models["A"] == {"SPY": D("1.2"), CASH: D("-0.2")}


def test_large_weight_without_borrowing(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "ETF,A\nSPY,120\nCASH,\n")
    assert problems == [
        "p.csv:1 column A: the weights sum to 120%, expected 100% within 0.01",
        "p.csv:2 column A: SPY is 120%, expected at most 100% while CASH is not negative",
    ]


def test_cash_alone_is_a_model_that_sells_everything(tmp_path: Path) -> None:
    portfolios = load(tmp_path, "ETF,A\nCASH,100%\n")
    assert portfolios.symbols == ()
    assert portfolios.models == {"A": {CASH: D(1)}}


@pytest.mark.parametrize("cell", ["", "0", "0%"])
def test_model_of_nothing(tmp_path: Path, cell: str) -> None:
    (problem,) = problems_of(tmp_path, f"ETF,A,B\nSPY,100,{cell}\n")
    assert problem == "p.csv:1 column B: every weight is 0, expected a sum of 100%"


@pytest.mark.parametrize(
    "cell",
    [
        "nan",
        "inf",
        "1e2",
        "1_0",
        "50%%",
        "%",
        "-",
        "fifty",
        "=1+1",
        "+5",
        "\u0665",
        "5.",
        "$5",
        "--5",
    ],
)
def test_malformed_percent(tmp_path: Path, cell: str) -> None:
    (problem,) = problems_of(tmp_path, f"ETF,A\nSPY,{cell}\nIAU,100\n")
    assert problem == (
        f"p.csv:2 column A: '{cell}' is not valid: expected blank or a percent such as 33% or 12.5"
    )


def test_negative_asset(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, "ETF,A\nSPY,-5%\nIAU,100\n")
    assert problem.startswith("p.csv:2 column A: '-5%' is not valid: expected 0 or more")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("SPY,33,5%", "the row has 3 cells, the header 2 (with a decimal comma write 33.5%"),
        ('SPY,"3,33,5%"', "with a decimal point and no commas"),
        ("SPY", "the row has 1 cells, the header 2"),
        ("SPY;100", "(separate the columns with commas, not semicolons)"),
        (",100", "column ETF: '' is not valid: expected a symbol in front"),
    ],
)
def test_rows_that_do_not_fit_the_header(tmp_path: Path, row: str, expected: str) -> None:
    (problem,) = problems_of(tmp_path, f"ETF,A\n{row}\n")[-1:]
    assert problem.startswith("p.csv:2")
    assert expected in problem


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("ETF", "p.csv:1: the header names no model"),
        ("ETF|A", "separate the columns with commas, not bars"),
        ("Symbol,A", "p.csv:1 column 1: the first column is 'Symbol', expected ETF"),
        ("A,ETF", "p.csv:1: ETF is column 2, expected it first"),
        ("ETF,A,,B", "p.csv:1 column 3: '': has no name"),
        ("ETF,A, a ", "p.csv:1 column 3: 'a' is also the name of column 2"),
        ("ETF,CASH", "CASH is not one"),
        ("ETF,e\u0301,\u00e9", "p.csv:1 column 3: '\u00e9' is also the name of column 2"),
        ("ETF,A=B", "expected a name without any of = : ; # ["),
        ("ETF,A\u200b", "printable characters"),
    ],
)
def test_bad_headers(tmp_path: Path, header: str, expected: str) -> None:
    columns = header.count(",")
    row = "SPY" + ",100" * columns
    assert any(expected in problem for problem in problems_of(tmp_path, f"{header}\n{row}\n"))


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("SP\u0423", "contains U+0423 CYRILLIC CAPITAL LETTER U"),
        ("\uff33PY", "contains U+FF33 FULLWIDTH LATIN CAPITAL LETTER S"),
        ("SPY\u200b", "contains U+200B ZERO WIDTH SPACE"),
        ("SP\x1bY", "contains U+001B"),
        ('"SP\nY"', "contains U+000A"),
        ("\u0131BIT", "contains U+0131 LATIN SMALL LETTER DOTLESS I"),
        ("ABCDEFGHIJKLM", "at most 12"),
        (".SPY", "only inside"),
        ("SPY-", "only inside"),
        ("=SPY", "at most 12 letters and digits"),
    ],
)
def test_symbols_that_only_look_right(tmp_path: Path, symbol: str, expected: str) -> None:
    (problem,) = problems_of(tmp_path, f"ETF,A\n{symbol},100\n")
    assert problem.startswith("p.csv:2 column ETF: ")
    assert expected in problem
    assert "\x1b" not in problem


@pytest.mark.parametrize("symbol", ["BRK B", "brk.b", "A", "BF-B", "123456789012"])
def test_symbols_of_all_usual_forms(tmp_path: Path, symbol: str) -> None:
    assert load(tmp_path, f"ETF,A\n{symbol},100\n").symbols == (symbol.upper(),)


@pytest.mark.parametrize(("one", "two"), [("SPY", " spy "), ("cash", "CASH"), ("CASH", ' "Cash"')])
def test_duplicates_name_both_lines(tmp_path: Path, one: str, two: str) -> None:
    (problem,) = problems_of(tmp_path, f"ETF,A\n{one},50\n\n{two},50\n")
    assert (
        problem == f"p.csv:4 column ETF: {one.upper()} stands twice, first in line 2 (keep one row)"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "p.csv:1: the file is empty"),
        ("# only a comment\n,,\n", "p.csv:1: the file is empty"),
        ("ETF,A\n", "p.csv:1: no symbol below the header"),
        (PLAIN.encode("utf-16"), "p.csv: is UTF-16 text"),
        (b"ETF,A\nSPY,\xe9\n", "p.csv:2: is not UTF-8 text"),
        (b"ETF,A\nS\x00PY,100\n", "p.csv:2: contains a NUL byte"),
        ('ETF,A\nSPY,"100\nIAU,5\n', "p.csv:2: a quoted cell is not closed"),
        ('ETF,A\nSPY,"10"0\n', "p.csv:2: a quoted cell is not closed or goes on behind"),
        ("ETF,A\nSPY," + "1" * 140_000 + "\n", "p.csv:2: a cell is longer than 128 KiB"),
        ("ETF,A\nSPY," + "1" * 1000 + "\n", "p.csv:2 column A: '1111"),
        ("ETF,A\n" + "SPY,1\n" * 10_001, "more problems"),
        ("x" * 1_000_001, "p.csv: is larger than 1 MB"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: str | bytes, expected: str) -> None:
    problems = problems_of(tmp_path, content)
    assert any(expected in problem for problem in problems)
    assert all(len(problem) < 300 for problem in problems)


def test_too_many_rows(tmp_path: Path) -> None:
    rows = "".join(f"S{number},\n" for number in range(10_001))
    (problem,) = problems_of(tmp_path, f"ETF,A\nSPY,100\n{rows}")
    assert problem == "p.csv:10002: has more than 10000 rows"


def test_every_problem_is_reported_in_file_order(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "ETF,A,A\nSPY,x,50\nSPY,1\nIAU,,10\n")
    assert [problem.partition(": ")[0] for problem in problems] == [
        "p.csv:1 column 3",
        "p.csv:2 column A",
        "p.csv:3",
        "p.csv:3 column ETF",
    ]


def lookup(symbol: str, stock_type: str = "ETF") -> SymbolLookup:
    listing = Listing(con_id=1, symbol=symbol, stock_type=stock_type)
    return SymbolLookup(symbol=symbol, listing=listing)


def test_known_symbols_pass_and_other_stocks_warn(tmp_path: Path) -> None:
    portfolios = load(tmp_path, PLAIN)
    known = {"SPY": lookup("SPY"), "IAU": lookup("IAU", "etc")}
    assert check_symbols(portfolios, known) == ()
    known["SPY"] = lookup("SPY", "COMMON")
    assert check_symbols(portfolios, known) == ("SPY is not an ETF: IBKR calls it COMMON",)


def test_all_unknown_symbols_are_named_with_their_candidates(tmp_path: Path) -> None:
    portfolios = load(tmp_path, "ETF,A\nSPYY,60\nIAU,30\nZZZ,10\n")
    known = {
        "IAU": lookup("IAU"),
        "SPYY": SymbolLookup(
            symbol="SPYY",
            listing=None,
            problem="ambiguous at IBKR",
            candidates=("SPY (ARCA)", "SPY\x1b (LSE)"),
        ),
    }
    with pytest.raises(UnknownSymbolError) as caught:
        check_symbols(portfolios, known)
    spyy, zzz = (str(problem).replace(f"{tmp_path}", "")[1:] for problem in caught.value.problems)
    assert spyy == (
        "p.csv:2 column ETF: SPYY: ambiguous at IBKR (IBKR offers SPY (ARCA); SPY\\x1b (LSE))"
    )
    assert zzz == ("p.csv:4 column ETF: ZZZ: not known at IBKR (look it up in TWS and correct it)")


def test_unknown_symbols_are_named_in_the_order_of_the_file(tmp_path: Path) -> None:
    portfolios = load(tmp_path, "ETF,A\nZZZ,60\nAAA,40\n")
    with pytest.raises(UnknownSymbolError) as caught:
        check_symbols(portfolios, {})
    assert [problem.what[:3] for problem in caught.value.problems] == ["ZZZ", "AAA"]
