"""Portfolio files as people's spreadsheets really write them, through the validator.

Each is taken and means what it meant there, or is refused with one message that names the place
and the way out. What each of them stands for as a kind is tested in ``unit/io/test_sheet_shape.py``
and ``property/test_sheet_laws.py``.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.base.errors import ExitCode
from src.io import validate_config, validate_portfolios
from src.io.portfolio_csv import load_portfolios
from tests.commands.kit import Done, Workplace

NBSP = "\u00a0"
WORDS = ("TRUE", "NA", "ON", "ALL", "NAN", "NULL", "INF", "MAR", "SEP", "E")
SEVEN = ("VTI", "BND", "IAU", "GLD", "VXUS", "IEF", "MUB")
TAKEN = {  # the file, and the weights in percent of its model CORE
    "F01 semicolons and decimal commas": (
        "ETF;CORE\r\nVTI;62,50%\r\nBND;37,50%\r\n",
        {"VTI": "62.5", "BND": "37.5"},
    ),
    "F02 decimal commas in quotation marks": (
        'ETF,CORE\r\nVTI,"62,50%"\r\nBND,"37,50%"\r\n',
        {"VTI": "62.5", "BND": "37.5"},
    ),
    "F03 a no-break space before the percent sign": (
        f"ETF,CORE\r\nVTI,60{NBSP}%\r\nBND,40\u202f%\r\n",
        {"VTI": "60", "BND": "40"},
    ),
    "F05 a no-break space behind a symbol": (
        f"ETF,CORE\r\nVTI{NBSP},60%\r\nBND,40%\r\n",
        {"VTI": "60", "BND": "40"},
    ),
    "F06 a row of no-break spaces": (
        f"ETF,CORE\r\nVTI,60%\r\nBND,40%\r\n{NBSP},{NBSP}\r\n",
        {"VTI": "60", "BND": "40"},
    ),
    "F07 a first line that names the separator": (
        "sep=,\r\nETF,CORE\r\nVTI,60%\r\nBND,40%\r\n",
        {"VTI": "60", "BND": "40"},
    ),
    "F20 the minus sign of print": (
        "ETF,CORE\nVTI,70%\nBND,40%\nCASH,\u221210%\n",
        {"VTI": "70", "BND": "40", "CASH": "-10"},
    ),
    "F21 tickers as formulas": (
        'ETF,CORE\n"=""VTI""",60%\n"=""BND""",40%\n',
        {"VTI": "60", "BND": "40"},
    ),
    "F22 a percent with a long tail": (
        "ETF,CORE\nVTI,33.33333333333333%\nBND,33.33333333333333%\nGLD,33.33333333333334%\n",
        {"VTI": "33.33333333333333", "BND": "33.33333333333333", "GLD": "33.33333333333334"},
    ),
    "F29 blank and zero cells as the plan's author writes them": (
        "ETF,CORE,OTHER\nVTI,,0%\nBND,,15%\nIAU,100%,30%\nGLD,0%,55%\n",
        {"VTI": "0", "BND": "0", "IAU": "100", "GLD": "0"},
    ),
    "S07 tickers that are words": (
        "ETF,CORE\n" + "".join(f"{one},10%\n" for one in WORDS),
        dict.fromkeys(WORDS, "10"),
    ),
}
REFUSED = {  # the file, and what its only message says
    "F09 a row of totals": ("ETF,CORE\nVTI,60%\nBND,40%\nTotal,100%\n", ":4: 'Total' looks like"),
    "F08 the title that Numbers writes": ("Table 1\nETF,CORE\nVTI,100%\n", ":1: 'Table 1' looks"),
    "F12 fractions": (
        "ETF,weight\nVTI,0.25\nBND,0.25\nIAU,0.5\n",
        "(write percent, 33% or 33, not fractions such as 0.33)",
    ),
    "F14 models in rows": ("Model,VTI,BND\nCORE,60%,40%\nOTHER,40%,60%\n", "columns are swapped"),
    "F15 a row per model and symbol": (
        "model,ticker,weight\nCORE,VTI,60\nCORE,BND,40\n",
        "one row per model and symbol (expected ETF,<model>",
    ),
    "F16 a column of names": (
        "ETF,Name,CORE\nVTI,Vanguard Total Stock,60%\nBND,Vanguard Total Bond,40%\n",
        "column 'Name' holds text such as",
    ),
    "F17 an error value for a ticker": ("ETF,CORE\nVTI,60%\n#N/A,25%\nBND,15%\n", ":3 column ETF"),
    "F18 an error value for a weight": ("ETF,CORE\nVTI,60%\nBND,#REF!\n", ":3 column CORE: '#REF!"),
    "F26 a page to sign in": (
        "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n",
        "this is a web page, not a CSV file (sign in, open the sheet, and export it",
    ),
    "F27 a name in an old encoding": ("ETF,M\xdcLLER\nVTI,100%\n", "save it as UTF-8 text"),
    "F28 seven times 14.3%": (
        "ETF,CORE\n" + "".join(f"{one},14.3%\n" for one in SEVEN),
        "the weights sum to 100.1%, expected 100% within 0.01",
    ),
}


def judged(place: Workplace, content: str, encoding: str = "utf-8") -> Done:
    """What the validator says of a file whose models CORE and, if it is there, OTHER are mixed."""
    place.csv.write_bytes(content.encode(encoding))
    mix = "CORE = 1\n" + ("OTHER = 0\n" if "OTHER" in content else "")
    place.config.write_text(
        f"[ibkr]\naccount_id = DU1234567\n[models]\n{mix}", encoding="utf-8", newline="\n"
    )
    return place.run(str(place.csv), "--offline", main=validate_portfolios.main)


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_is_taken_as_it_was_meant(place: Workplace, name: str) -> None:
    content, percents = TAKEN[name]
    done = judged(place, content)
    assert (done.code, done.errors) == (ExitCode.OK, [])
    assert f"{len(percents)} symbols in" in done.out or "CASH" in percents
    weights = load_portfolios(place.csv).models["CORE"]
    assert {symbol: weight * 100 for symbol, weight in weights.items() if symbol in percents} == {
        symbol: Decimal(text) for symbol, text in percents.items()
    }


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_with_one_message(place: Workplace, name: str) -> None:
    content, words = REFUSED[name]
    done = judged(place, content, "cp1252" if name.startswith("F27") else "utf-8")
    assert done.code == ExitCode.INPUT
    (line,) = done.errors
    assert str(place.csv) in line
    assert words in line


def test_f01_says_how_a_foreign_file_was_read(place: Workplace) -> None:
    done = judged(place, TAKEN["F01 semicolons and decimal commas"][0])
    assert "read with ; and decimal comma" in done.out


def test_f31_settings_with_decimal_commas_are_asked_for_a_point(place: Workplace) -> None:
    place.config.write_text(
        "[ibkr]\naccount_id = DU1234567\n[models]\nCORE = 0,6\nOTHER = 0,4\n"
        "[rebalance]\nmin_order_usd = 1.000,00\n",
        encoding="utf-8",
    )
    done = place.run(str(place.config), main=validate_config.main)
    assert done.code == ExitCode.INPUT
    assert len(done.errors) == 3
    assert all("with a decimal point and no commas" in line for line in done.errors)
