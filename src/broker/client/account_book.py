"""The account as downloaded, row by row, and the snapshot it amounts to.

Rows are kept under their own key, so a repeated row replaces the earlier one and is never added.
Only rows of the configured account enter. Reading is strict: what enters planning must be finite
and believable, or the run is refused with the name of the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from src.base.errors import BrokerLost, Refused, UnbelievableData
from src.base.money import plain_text
from src.broker.client.ledger import believable, read_ledger
from src.core.account.usd_cash import covered_debt, no_dollars
from src.core.records.account import AccountSnapshot, Position, UnmanagedPosition
from src.core.records.portfolios import CASH

MAX_ROWS: Final = 20_000
_MAX_SHARES: Final = Decimal(10) ** 9
_MAX_PRICE: Final = Decimal(10) ** 8
_UNSET: Final = Decimal(10) ** 300


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """One position row as it came: numbers may be NaN, infinite or "unset"."""

    con_id: int
    symbol: str
    sec_type: str
    currency: str
    qty: Decimal
    avg_cost: Decimal | None = None
    price: Decimal | None = None
    value: Decimal | None = None

    @property
    def is_managed(self) -> bool:
        """USD stocks and ETFs are managed; everything else is only shown.

        So is a stock whose ticker is CASH: the name means money here.
        """
        return self.is_dollar_stock and self.symbol != CASH

    @property
    def is_dollar_stock(self) -> bool:
        """What the broker calls STK, in USD: stocks and ETFs."""
        return self.sec_type == "STK" and self.currency == "USD"


class FigureRow(NamedTuple):
    """One figure of an account, still as text."""

    account_id: str
    key: str
    currency: str
    text: str


class PositionRow(NamedTuple):
    """One position of an account that was asked about by itself."""

    account_id: str
    row: HeldRow


@dataclass(slots=True)
class AccountBook:
    """All rows of one download of one account.

    ``positions`` come from the list of all positions, ``portfolio`` from the account's own
    updates with market prices; ``values`` maps (key, currency) → text. ``unreadable`` names a
    message that could not be decoded while the download ran. With ``is_multi`` the figures came by
    reqAccountUpdatesMulti, which has no portfolio. ``failure`` says why the account could not be
    read.
    """

    account_id: str
    positions: dict[int, HeldRow] = field(default_factory=dict)
    portfolio: dict[int, HeldRow] = field(default_factory=dict)
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    has_positions: bool = False
    has_values: bool = False
    is_multi: bool = False
    warnings: list[str] = field(default_factory=list)
    unreadable: str = ""
    failure: BrokerLost | None = None

    @property
    def is_complete(self) -> bool:
        """Both End messages have come."""
        return self.has_positions and self.has_values

    def missing(self) -> str:
        """The answers that are still incomplete, in words."""
        parts = [] if self.has_positions else ["positions"]
        return " and ".join(parts + ([] if self.has_values else ["account values"]))

    def note_unreadable(self, name: str) -> None:
        """Remember the first message that was not understood during the download."""
        if not self.is_complete:
            self.unreadable = self.unreadable or name

    def add_position(self, account_id: str, row: HeldRow) -> None:
        """A row of the list of positions, which holds every account of the login."""
        if account_id == self.account_id:
            self._put(self.positions, row)

    def add_portfolio(self, account_id: str, row: HeldRow) -> None:
        """A row of the account's portfolio; a list without end is none."""
        if account_id == self.account_id and not self.is_multi:
            self._put(self.portfolio, row)

    def add_value(self, account_id: str, key: str, currency: str, text: str) -> None:
        """A figure of the account, still as text."""
        if account_id == self.account_id and len(self.values) < MAX_ROWS:
            self.values[key, currency] = text

    def use_positions(self, rows: Iterable[PositionRow]) -> None:
        """Complete the book with the positions that were asked for this account alone."""
        self.has_positions = True
        for found in rows:
            self.add_position(found.account_id, found.row)

    def use_multi(self, rows: Iterable[FigureRow]) -> None:
        """Complete the book with the figures of a multi request; portfolio rows are dropped."""
        self.is_multi = self.has_values = True
        self.portfolio.clear()
        for row in rows:
            self.add_value(row.account_id, row.key, row.currency, row.text)

    def _put(self, rows: dict[int, HeldRow], row: HeldRow) -> None:
        if len(rows) >= MAX_ROWS:
            self.note_unreadable(f"flood of more than {MAX_ROWS} positions")
        else:
            rows[row.con_id] = row


def refuse_unreadable(book: AccountBook) -> None:
    """Raises: UnbelievableData if a message of the download could not be decoded."""
    if book.unreadable:
        raise UnbelievableData(
            "the broker sent a message that was not understood while the account was read"
            f" ({book.unreadable}); the figures may be incomplete, run again"
        )


def disagreement(book: AccountBook) -> str:
    """Where the two lists differ in a managed position's quantity, in words; empty if nowhere.

    Other instruments may differ for good: currency trades appear as virtual positions in one only.
    A multi request leaves one list alone, and nothing to compare.
    """
    if book.is_multi:
        return ""
    return ", ".join(text for con_id in _con_ids(book) if (text := _difference(book, con_id)))


def read_snapshot(
    book: AccountBook, as_of_utc: datetime, names: Mapping[int, str] = MappingProxyType({})
) -> AccountSnapshot:
    """The account in our own terms; ``names`` by contract id stand for tickers that mean another.

    Raises: UnbelievableData naming the field; Refused for short positions in USD stocks or ETFs,
    and for an account without dollars.
    """
    ledger = read_ledger(book.values)
    rows = [row for con_id in _con_ids(book) if (row := _merged(book, con_id)).qty != 0]
    rows = [replace(row, symbol=names.get(row.con_id, row.symbol)) for row in rows]
    _refuse_shorts(rows)
    if ledger.cash_usd is None:
        raise Refused(no_dollars(ledger.ignored_cash, [_described(row) for row in rows]))
    debt = covered_debt(ledger.cash_usd, ledger.ignored_cash, ledger.usd_per_unit)
    return AccountSnapshot(
        account_id=book.account_id,
        as_of_utc=as_of_utc,
        positions=tuple(_position(row) for row in rows if row.is_managed),
        unmanaged=tuple(_unmanaged(row) for row in rows if not row.is_managed),
        cash_usd=ledger.cash_usd,
        ignored_cash=ledger.ignored_cash,
        usd_per_unit=ledger.usd_per_unit,
        broker_net_liq_usd=ledger.net_liq_usd,
        terms=ledger.terms,
        second_figures=ledger.second_figures,
        class_worth=ledger.class_worth if book.is_multi else (),
        warnings=tuple(
            text for text in (*book.warnings, *ledger.warnings, debt, *_named_cash(rows)) if text
        ),
    )


def _described(row: HeldRow) -> str:
    return f"{plain_text(row.qty)} {row.symbol} ({row.sec_type}, {row.currency})"


def _named_cash(rows: list[HeldRow]) -> list[str]:
    return [
        f"the stock whose ticker is {CASH} ({_described(row)}) is left alone: in a model that name "
        "means money"
        for row in rows
        if row.is_dollar_stock and not row.is_managed
    ]


def _con_ids(book: AccountBook) -> list[int]:
    return sorted(book.positions.keys() | book.portfolio.keys())


def _difference(book: AccountBook, con_id: int) -> str:
    listed, shown = book.positions.get(con_id), book.portfolio.get(con_id)
    row = listed or shown
    if row is None or not row.is_managed:
        return ""
    first = Decimal(0) if listed is None else listed.qty
    second = Decimal(0) if shown is None else shown.qty
    if first == second or not (first.is_finite() and second.is_finite()):
        return ""
    return f"{row.symbol} ({plain_text(first)} and {plain_text(second)})"


def _merged(book: AccountBook, con_id: int) -> HeldRow:
    """The position with the price of the portfolio row, every number checked."""
    shown = book.portfolio.get(con_id)
    row = book.positions.get(con_id) or book.portfolio[con_id]
    believable(row.qty, f"quantity of {row.symbol}", _MAX_SHARES)
    if shown is not None:
        believable(shown.qty, f"quantity of {row.symbol}", _MAX_SHARES)
    if row.qty != 0 and row.con_id <= 0:
        raise UnbelievableData(f"the position {row.symbol} came without a contract id")
    return HeldRow(
        con_id=con_id,
        symbol=row.symbol,
        sec_type=row.sec_type,
        currency=row.currency,
        qty=row.qty,
        avg_cost=row.avg_cost,
        price=None if shown is None else shown.price,
        value=None if shown is None else shown.value,
    )


def _refuse_shorts(rows: list[HeldRow]) -> None:
    shorts = [row for row in rows if row.is_managed and row.qty < 0]
    if shorts:
        listed = ", ".join(f"{row.symbol} ({plain_text(row.qty)})" for row in shorts)
        raise Refused(f"short positions are not supported: {listed}; close them in TWS first")


def _position(row: HeldRow) -> Position:
    price = row.price
    if price is not None:
        believable(price, f"market price of {row.symbol}", _MAX_PRICE)
    return Position(
        con_id=row.con_id,
        symbol=row.symbol,
        qty_shares=row.qty,
        avg_cost_usd=_known(row.avg_cost),
        market_price_usd=price if price is not None and price >= 0 else None,
    )


def _unmanaged(row: HeldRow) -> UnmanagedPosition:
    return UnmanagedPosition(
        con_id=row.con_id,
        symbol=row.symbol,
        sec_type=row.sec_type,
        currency=row.currency,
        qty=row.qty,
        value=_known(row.value),
    )


def _known(number: Decimal | None) -> Decimal | None:
    if number is None or not number.is_finite() or abs(number) > _UNSET:
        return None
    return number
