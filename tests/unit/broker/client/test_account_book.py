"""What rows must be to become a snapshot: own account, finite, agreeing, long."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.errors import Refused, UnbelievableData
from src.broker.client.account_book import (
    MAX_ROWS,
    AccountBook,
    HeldRow,
    disagreement,
    read_snapshot,
    refuse_unreadable,
)
from src.broker.client.ledger import is_ready, read_ledger
from src.core.records.account import AccountSnapshot

NOW = datetime(2025, 1, 31, 17, 0, tzinfo=timezone.utc)
OURS, OTHER = "DU1234567", "DU7654321"
CASH = {("CashBalance", "USD"): "100.50", ("CashBalance", "BASE"): "99999"}


def _row(symbol: str = "SPY", qty: str = "5", **changes: object) -> HeldRow:
    values: dict[str, object] = {
        "con_id": 1,
        "symbol": symbol,
        "sec_type": "STK",
        "currency": "USD",
        "qty": Decimal(qty),
        "price": Decimal(10),
    }
    return HeldRow(**{**values, **changes})  # type: ignore[arg-type]


def _book(*rows: HeldRow, values: dict[tuple[str, str], str] | None = None) -> AccountBook:
    book = AccountBook(OURS)
    for row in rows:
        book.add_position(OURS, row)
        book.add_portfolio(OURS, row)
    for (key, currency), text in (values or CASH).items():
        book.add_value(OURS, key, currency, text)
    return book


def _read(*rows: HeldRow) -> AccountSnapshot:
    return read_snapshot(_book(*rows), NOW)


def test_usd_cash_is_the_usd_row_and_never_base() -> None:
    snapshot = _read(_row())
    assert snapshot.cash_usd == Decimal("100.50")
    assert snapshot.ignored_cash == {}
    assert snapshot.as_of_utc == NOW


def test_a_repeated_row_replaces_and_a_foreign_one_is_ignored() -> None:
    book = _book(_row(qty="5"), _row(qty="7"))
    book.add_position(OTHER, _row(qty="100"))
    book.add_portfolio(OTHER, _row(qty="100"))
    book.add_value(OTHER, "CashBalance", "USD", "1")
    snapshot = read_snapshot(book, NOW)
    assert [held.qty_shares for held in snapshot.positions] == [7]
    assert snapshot.cash_usd == Decimal("100.50")


@pytest.mark.parametrize("qty", ["NaN", "Infinity", "-Infinity", "1.7976931348623157E308", "1e10"])
def test_quantities_that_cannot_be_true(qty: str) -> None:
    with pytest.raises(UnbelievableData, match="quantity of SPY"):
        _read(_row(qty=qty))


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1.7976931348623157E308"])
def test_market_prices_that_cannot_be_true(price: str) -> None:
    with pytest.raises(UnbelievableData, match="market price of SPY"):
        _read(_row(price=Decimal(price)))


def test_a_position_without_contract_id_cannot_be_true() -> None:
    with pytest.raises(UnbelievableData, match="without a contract id"):
        _read(_row(con_id=0))


def test_an_unmanaged_row_without_value_is_kept_and_never_a_holding() -> None:
    snapshot = _read(_row(sec_type="OPT", value=Decimal("NaN")), _row(con_id=2, currency="EUR"))
    assert snapshot.positions == ()
    assert [one.value for one in snapshot.unmanaged] == [None, None]


def test_every_short_position_is_listed() -> None:
    with pytest.raises(Refused, match=r"SPY \(-5\), IAU \(-0\.5\)"):
        _read(_row(qty="-5"), _row("IAU", "-0.5", con_id=2))


def test_a_short_option_is_only_shown() -> None:
    assert _read(_row(qty="-5", sec_type="OPT")).unmanaged[0].qty == -5


def test_disagreement_names_both_quantities() -> None:
    book = _book(_row(qty="5"))
    assert disagreement(book) == ""
    book.add_portfolio(OURS, _row(qty="6"))
    book.add_portfolio(OURS, _row("IAU", "0", con_id=2))
    assert disagreement(book) == "SPY (5 and 6)"


def test_a_virtual_currency_position_may_stand_in_one_list_only() -> None:
    book = _book()
    book.add_position(OURS, _row("EUR", "1000", con_id=2, sec_type="CASH"))
    book.add_portfolio(OURS, _row("GBP", "7", con_id=3, sec_type="CASH", value=Decimal(9)))
    assert disagreement(book) == ""
    assert [(one.symbol, one.qty, one.value) for one in read_snapshot(book, NOW).unmanaged] == [
        ("EUR", Decimal(1000), None),
        ("GBP", Decimal(7), Decimal(9)),
    ]


def test_what_could_not_be_read_during_the_download_counts() -> None:
    book = _book()
    book.note_unreadable("position")
    with pytest.raises(UnbelievableData, match=r"not understood.*position"):
        refuse_unreadable(book)
    done = _book()
    done.has_positions = done.has_values = True
    done.note_unreadable("position")
    refuse_unreadable(done)


def test_a_flood_of_positions_is_refused_and_not_stored() -> None:
    book = AccountBook(OURS)
    for con_id in range(1, MAX_ROWS + 10):
        book.add_position(OURS, _row(con_id=con_id))
    assert len(book.positions) == MAX_ROWS
    with pytest.raises(UnbelievableData, match="flood"):
        refuse_unreadable(book)


def test_what_is_missing_is_named() -> None:
    book = AccountBook(OURS)
    assert book.missing() == "positions and account values"
    book.has_positions = True
    assert book.missing() == "account values"


# --- ledger ---------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "$LEDGER-"])
def test_a_cad_account_is_converted_by_the_rate_of_usd(prefix: str) -> None:
    ledger = read_ledger(
        {
            (f"{prefix}CashBalance", "USD"): "100",
            (f"{prefix}CashBalance", "CAD"): "-50",
            (f"{prefix}ExchangeRate", "USD"): "1.25",
            (f"{prefix}ExchangeRate", "CAD"): "1.00",
            (f"{prefix}ExchangeRate", "BASE"): "1.00",
            ("NetLiquidation", "CAD"): "1250",
        }
    )
    assert ledger.cash_usd == 100
    assert ledger.ignored_cash == {"CAD": Decimal(-50)}
    assert ledger.usd_per_unit["CAD"] == Decimal("0.8")
    assert ledger.net_liq_usd == 1000


def test_the_base_currency_needs_no_rate() -> None:
    ledger = read_ledger({("CashBalance", "USD"): "1", ("NetLiquidation", "USD"): "7"})
    assert ledger.net_liq_usd == 7


def test_total_cash_balance_serves_where_cash_balance_is_missing() -> None:
    assert read_ledger({("TotalCashBalance", "USD"): "8"}).cash_usd == 8


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1e400", "1e14", "12,5", "x"])
def test_cash_that_is_no_believable_number(text: str) -> None:
    with pytest.raises(UnbelievableData, match="CashBalance in USD"):
        read_ledger({("CashBalance", "USD"): text})


@given(st.dictionaries(st.tuples(st.text(max_size=12), st.text(max_size=4)), st.text(max_size=9)))
def test_any_rows_are_read_or_refused(values: dict[tuple[str, str], str]) -> None:
    ledger = read_ledger({**values, ("CashBalance", "USD"): "5"})
    assert ledger.cash_usd == 5


def test_ready_unless_said_otherwise() -> None:
    assert is_ready({})
    assert is_ready({("AccountReady", ""): "true"})
    assert not is_ready({("AccountReady", ""): "false"})
