"""A snapshot file gives an account and prices, or every problem it has."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.base.errors import InputError, Refused, SnapshotFileError
from src.core.showing.snapshot_json import snapshot_as_json
from src.core.valuation import value_account
from src.io.files.json_document import MAX_BYTES
from src.io.files.snapshot_file import SnapshotFile, load_snapshot_file, prices_for
from tests.kits.builders import Number, con_id, price_book, snapshot

LEAST = {
    "cash_usd": 100.5,
    "positions": [{"symbol": " spy ", "qty_shares": 2}],
    "prices": {"spy": 620.45},
}


def load(tmp_path: Path, document: object) -> SnapshotFile:
    path = tmp_path / "s.json"
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text, encoding="utf-8")
    return load_snapshot_file(path)


def problems(tmp_path: Path, **changes: object) -> list[str]:
    with pytest.raises(SnapshotFileError) as raised:
        load(tmp_path, {**LEAST, **changes})
    return [str(one).removeprefix(f"{tmp_path / 's.json'}: ") for one in raised.value.problems]


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    file = load(tmp_path, LEAST)
    (held,) = file.snapshot.positions
    assert (held.symbol, held.qty_shares, held.con_id) == ("SPY", Decimal(2), 0)
    assert file.snapshot.cash_usd == Decimal("100.5")
    assert file.snapshot.account_id == ""
    assert file.prices.prices["SPY"].price_usd == Decimal("620.45")


def test_everything_that_can_stand_in_it(tmp_path: Path) -> None:
    file = load(
        tmp_path,
        {
            **LEAST,
            "account_id": "DU1234567",
            "as_of_utc": "2025-01-31T14:30:00+02:00",
            "ignored_cash": {"CAD": -12.5},
            "unmanaged": [
                {"symbol": "SPY", "sec_type": "OPT", "currency": "USD", "qty": -1, "con_id": 7},
                {"symbol": "BUND", "sec_type": "BOND", "currency": "EUR", "qty": 2, "value": 9.5},
            ],
            "unknown": "ignored",
        },
    )
    assert file.snapshot.account_id == "DU1234567"
    moment = file.snapshot.as_of_utc
    assert moment == datetime(2025, 1, 31, 12, 30, tzinfo=timezone.utc)
    assert moment.utcoffset() in (timedelta(0), timedelta(hours=2))
    assert file.snapshot.ignored_cash == {"CAD": Decimal("-12.5")}
    assert [one.value for one in file.snapshot.unmanaged] == [None, Decimal("9.5")]


def test_a_position_of_nothing_is_none(tmp_path: Path) -> None:
    rows = [{"symbol": "SPY", "qty_shares": 0}]
    assert load(tmp_path, {**LEAST, "positions": rows}).snapshot.positions == ()


def test_what_the_snapshot_command_prints_can_be_read(tmp_path: Path) -> None:
    holdings: dict[str, Number] = {"SPY": "3.5", "IAU": 10}
    book = price_book({"SPY": "620.45", "IAU": "0.0001"})
    held = snapshot(holdings, "-12.34")
    account = value_account(held, book, {symbol: con_id(symbol) for symbol in holdings})
    document = snapshot_as_json(held, account, book, (), with_prices=True)
    file = load(tmp_path, dict(document))
    assert {one.symbol: one.qty_shares for one in file.snapshot.positions} == {
        "SPY": Decimal("3.5"),
        "IAU": Decimal(10),
    }
    assert file.snapshot.cash_usd == Decimal("-12.34")
    assert {s: one.price_usd for s, one in file.prices.prices.items()} == {
        "SPY": Decimal("620.45"),
        "IAU": Decimal("0.0001"),
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cash_usd": None}, "cash_usd: missing"),
        ({"cash_usd": "5"}, "cash_usd: expected a number"),
        ({"cash_usd": True}, "cash_usd: expected a number"),
        ({"cash_usd": 1e14}, "cash_usd: 100000000000000 is beyond 10000000000000"),
        ({"positions": {}}, "positions: expected a list of objects"),
        ({"positions": [5]}, "positions: expected a list of objects"),
        ({"positions": None}, "positions: missing"),
        ({"positions": [{"symbol": "SPY"}]}, "positions[0] SPY qty_shares: missing"),
        (
            {"positions": [{"symbol": "SPY", "qty_shares": 2e9}]},
            "positions[0] SPY qty_shares: 2000000000 is beyond 1000000000",
        ),
        (
            {"positions": [{"symbol": "cash", "qty_shares": 1}]},
            "positions[0] symbol: 'CASH' is not an ETF symbol",
        ),
        (
            {"positions": [{"symbol": "A\x1b[2J", "qty_shares": 1}]},
            "positions[0] symbol: 'A\\x1b[2J' is not an ETF symbol",
        ),
        (
            {"positions": [{"symbol": "SPY", "qty_shares": 1, "avg_cost_usd": "x"}]},
            "positions[0] SPY avg_cost_usd: expected a number",
        ),
        (
            {"positions": [{"symbol": "SPY", "qty_shares": 1, "con_id": 1.5}]},
            "positions[0] con_id: expected a whole number",
        ),
        (
            {"positions": [{"symbol": s, "qty_shares": 1} for s in ("SPY", "spy")]},
            "positions[1]: SPY stands twice",
        ),
        ({"prices": []}, "prices: expected an object"),
        ({"prices": {"SPY": 0}}, "prices SPY: 0 is not a price from 0.0001 to 100000000"),
        ({"prices": {"SPY": 2e8}}, "prices SPY: 200000000 is not a price from"),
        ({"prices": {"SPY": None}}, "prices SPY: missing"),
        ({"prices": {"SPY": 1, "spy": 2}}, "prices spy: SPY stands twice"),
        ({"account_id": "all"}, "account_id: 'all' is not an account id"),
        ({"account_id": 5}, "account_id: expected text"),
        ({"as_of_utc": "yesterday"}, "as_of_utc: 'yesterday' is not an ISO 8601 time"),
        ({"ignored_cash": {"CAD": "x"}}, "ignored_cash CAD: expected a number"),
        ({"unmanaged": [{"symbol": "X"}]}, "unmanaged[0] qty: missing"),
    ],
)
def test_each_problem_names_its_place(
    tmp_path: Path, changes: dict[str, object], expected: str
) -> None:
    (found,) = problems(tmp_path, **changes)
    assert found.startswith(expected)


@pytest.mark.parametrize("digits", [39, 60, 5000])
def test_a_number_of_too_many_digits_is_told_at_its_place(tmp_path: Path, digits: int) -> None:
    price = "6." + "1" * digits
    text = json.dumps(LEAST).replace("620.45", price).replace("100.5", "1e30")
    with pytest.raises(SnapshotFileError) as raised:
        load(tmp_path, text)
    found, cash = raised.value.problems
    assert cash.what == "'1e30' is not valid: expected a number below 10**18"
    assert found.where.endswith("prices spy")
    assert found.what.endswith("is not valid: expected a number of at most 40 characters")
    assert len(found.what) < 200


def test_a_price_of_forty_characters_is_kept_to_the_last_digit(tmp_path: Path) -> None:
    price = "620.123456789012345678901234567890123456"
    file = load(tmp_path, json.dumps(LEAST).replace("620.45", price))
    assert file.prices.prices["SPY"].price_usd == Decimal(price)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, cash_usd="x", prices={"A": -1, "B": "y"}, as_of_utc=5)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a JSON snapshot"),
        ("[]", "expected one JSON object"),
        ('{"cash_usd": NaN}', "NaN is not a number"),
        ('{"cash_usd": -Infinity}', "-Infinity is not a number"),
        ('{"cash_usd": 1e400, "positions": [], "prices": {}}', "expected a number below"),
        (f'{{"cash_usd": {"9" * 5000}, "positions": [], "prices": {{}}}}', "at most 40 characters"),
        ('{"prices": {"A": 1, "A": 2}}', "the same name stands twice"),
        ("[" * 100_000, "not a JSON snapshot"),
        ("{" + " " * MAX_BYTES + "}", "larger than"),
    ],
)
def test_what_is_no_snapshot_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SnapshotFileError, match=words) as raised:
        load(tmp_path, text)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 3000


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SnapshotFileError, match="cannot be read"):
        load_snapshot_file(tmp_path)


def test_short_positions_are_refused(tmp_path: Path) -> None:
    rows = [{"symbol": s, "qty_shares": -1} for s in ("SPY", "IAU")]
    with pytest.raises(Refused, match="short position in IAU, SPY"):
        load(tmp_path, {**LEAST, "positions": rows})


def test_only_the_needed_prices_are_used_and_none_may_miss() -> None:
    book = price_book({"SPY": 1, "IAU": 2, "XLE": 3})
    assert list(prices_for(book, ["SPY", "IAU", "SPY"], "s.json").prices) == ["IAU", "SPY"]
    with pytest.raises(SnapshotFileError, match=r"s\.json prices: no price for B, C"):
        prices_for(book, ["C", "SPY", "B"], "s.json")


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
keys = st.sampled_from(
    (
        *("cash_usd", "positions", "prices", "unmanaged", "ignored_cash", "account_id"),
        *("as_of_utc", "account_kind"),
    )
)


def check_lines(message: str) -> None:
    assert all(line.isprintable() for line in message.splitlines())


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(keys, values, max_size=4))
def test_any_document_is_read_or_refused_with_a_reason(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    try:
        file = load(tmp_path, {**LEAST, **changes})
    except (InputError, Refused) as error:
        check_lines(str(error))
    else:
        assert file.snapshot.cash_usd.is_finite()
        assert all(one.price_usd > 0 for one in file.prices.prices.values())
