"""Whatever bytes the two input files hold: a result or the documented error, never a traceback."""

from __future__ import annotations

import configparser
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.base import money
from src.base.errors import ConfigError, InputError, PortfolioCsvError
from src.io.config_loader import load_settings
from src.io.files.input_file import InputText
from src.io.portfolio_csv import load_portfolios
from src.io.settings_file.ini_scan import scan_ini
from src.io.settings_file.keys import KEY_RULES

MORE = settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
KEYS = [key for rules in KEY_RULES.values() for key in rules]
INI_PIECES = [
    *("[ibkr]", "[models]", "[rebalance]", "[DEFAULT]", "[", "]", "\n", "\r\n", "\r", " ", "\t"),
    *(
        "=",
        ":",
        ";",
        "#",
        "%",
        "1%",
        "0.5",
        "nan",
        "1e400",
        "DU1",
        "true",
        "\ufeff",
        "\x00",
        "\x1b",
    ),
    *KEYS,
]
CSV_PIECES = [
    *("ETF", "A", "b", "SPY", "CASH", ",", ",", ",", "\n", "\r\n", "\r", '"', ";", "#", " ", "="),
    *(
        "100",
        "-20",
        "120%",
        "33,5%",
        "nan",
        "1e5",
        "%",
        "\u0423",
        "\u200b",
        "\x00",
        "\x1b",
        "\ufeff",
    ),
]
plain_values = st.text(st.sampled_from("abz019.%=:#;[] "), max_size=12)


def pieces(vocabulary: list[str]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(vocabulary), max_size=60).map(
        lambda parts: "".join(parts).encode()
    )


def check_refusal(error: InputError) -> None:
    assert error.problems
    assert all(str(problem).isprintable() for problem in error.problems)


def check_expectation(message: str) -> None:
    assert message.startswith("expected")


@MORE
@given(content=st.one_of(st.binary(max_size=400), pieces(INI_PIECES)))
def test_any_settings_file_loads_or_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.ini"
    path.write_bytes(content)
    try:
        loaded = load_settings(path)
    except ConfigError as error:
        check_refusal(error)
    else:
        assert abs(money.exact_sum(loaded.models.values()) - 1) <= Decimal("0.001")


@MORE
@given(content=st.one_of(st.binary(max_size=400), pieces(CSV_PIECES)))
def test_any_portfolio_file_loads_or_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    try:
        portfolios = load_portfolios(path)
    except PortfolioCsvError as error:
        check_refusal(error)
    else:
        for weights in portfolios.models.values():
            assert abs(money.exact_sum(weights.values()) - 1) <= Decimal("0.0001")
            assert all(weight >= 0 for symbol, weight in weights.items() if symbol != "CASH")


@MORE
@given(data=st.data())
def test_a_valid_portfolio_file_is_read_back(tmp_path: Path, data: st.DataObject) -> None:
    cents = data.draw(st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
    cash = 10_000 - sum(cents)
    cells = [f"S{at},{Decimal(value) / 100}%" for at, value in enumerate(cents)]
    order = data.draw(st.permutations([*cells, f"Cash,{Decimal(cash) / 100}"]))
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    path = tmp_path / "p.csv"
    path.write_bytes(newline.join(["ETF,M", *order]).encode())
    weights = load_portfolios(path).models["M"]
    assert weights["CASH"] == Decimal(cash) / 10_000
    assert [weights[f"S{at}"] for at in range(len(cents))] == [Decimal(c) / 10_000 for c in cents]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["[a]", "[b b]", "; c", "  # c", "", "\t"]),
            st.builds(
                "{} {} {}".format, st.sampled_from("klm"), st.sampled_from("=:"), plain_values
            ),
        ),
        max_size=12,
    )
)
def test_the_scanner_reads_what_configparser_reads(lines: list[str]) -> None:
    """Where our stricter scan finds no problem, both see the same sections, keys and values."""
    scanned = scan_ini(InputText(name="f", lines=tuple(lines), raw=b""))
    if len(scanned.problems):
        return
    oracle = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";", "#"))
    oracle.read_string("\n".join(lines))
    assert {name: dict(oracle[name]) for name in oracle.sections()} == {
        section.name: {key: entry.value for key, entry in section.entries.items()}
        for section in scanned.sections.values()
    }


@given(st.text(max_size=45))
def test_numbers_are_plain_or_refused(text: str) -> None:
    try:
        value = money.parse_decimal(text)
    except ValueError as error:
        check_expectation(str(error))
    else:
        assert value.is_finite()
        assert set(text) <= set("-.0123456789")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_text_of_a_number_reads_back_within_its_places(value: Decimal) -> None:
    for text, places in ((money.usd_text(value), 2), (money.price_text(value), 4)):
        assert abs(money.parse_decimal(text) - value) * 2 * 10**places <= 1
        assert len(text.partition(".")[2]) == places
        assert not (text.startswith("-") and Decimal(text) == 0)
    assert money.parse_decimal(money.shares_text(value)) == Decimal(money.price_text(value))
