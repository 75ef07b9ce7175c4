"""Read an account snapshot from the JSON that ``python -m src.snapshot --csv`` prints.

Planning from a file needs ``cash_usd``, ``positions`` (``symbol``, ``qty_shares``) and ``prices``
(symbol → ``price_usd``); everything else may be absent. All problems of a file are reported at
once. A short position is refused here as it is for a live account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

from src.base.accounts import is_account
from src.base.errors import Problem, Refused, SnapshotFileError
from src.base.known_accounts import learn_accounts
from src.base.money import plain_text
from src.base.text import printable
from src.core.records.account import AccountSnapshot, AccountTerms, Position, UnmanagedPosition
from src.core.records.market import Price, PriceBook
from src.core.records.portfolios import CASH, Symbol
from src.io.files.json_document import NoNumber, parse_document

_MAX_SHARES = Decimal(10) ** 9
_MAX_CASH = Decimal(10) ** 13
_LOWEST_PRICE, _HIGHEST_PRICE = Decimal("0.0001"), Decimal(10) ** 8
_MAX_SYMBOL_CHARS = 40
_MISSING = "missing (python -m src.snapshot --csv makes a file that has it)"
FILE_SOURCE = "snapshot file"
_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFile:
    """What a snapshot file holds: the account and the prices to plan with."""

    snapshot: AccountSnapshot
    prices: PriceBook


def load_snapshot_file(path: Path) -> SnapshotFile:
    """Read and check a snapshot file.

    Raises: SnapshotFileError with every problem; Refused for a short position.
    """
    reader = _Reader(source=str(path))
    document = parse_document(path)
    account_id = reader.account(document)
    learn_accounts([account_id])
    positions = reader.positions(document)
    prices = reader.prices(document)
    snapshot = AccountSnapshot(
        account_id=account_id,
        as_of_utc=reader.time(document, "as_of_utc"),
        positions=positions,
        unmanaged=reader.unmanaged(document),
        cash_usd=reader.within(
            reader.number(document, "cash_usd", "cash_usd"), "cash_usd", _MAX_CASH
        ),
        ignored_cash=reader.ignored_cash(document),
        usd_per_unit={},
        terms=reader.terms(document),
    )
    if reader.problems:
        raise SnapshotFileError(reader.problems)
    _refuse_shorts(snapshot)
    return SnapshotFile(snapshot=snapshot, prices=prices)


def prices_for(book: PriceBook, symbols: Iterable[Symbol], source: str) -> PriceBook:
    """The part of a file's prices that a plan needs.

    Raises: SnapshotFileError naming every symbol without a price.
    """
    wanted = sorted(set(symbols))
    missing = [symbol for symbol in wanted if symbol not in book.prices]
    if missing:
        raise SnapshotFileError(
            Problem(
                where=f"{source} prices",
                what=f"no price for {', '.join(missing)}",
                hint="run `python -m src.snapshot --csv` with the same portfolios file",
            )
        )
    return PriceBook(prices={symbol: book.prices[symbol] for symbol in wanted})


def _refuse_shorts(snapshot: AccountSnapshot) -> None:
    shorts = [held.symbol for held in snapshot.positions if held.qty_shares < 0]
    if shorts:
        raise Refused(
            f"short position in {', '.join(sorted(shorts))}: only long holdings can be planned"
        )


@dataclass(slots=True)
class _Reader:
    """Takes values out of the parsed JSON and collects what is wrong with them."""

    source: str
    problems: list[Problem] = field(default_factory=list)

    def number(self, holder: Mapping[str, object], key: str, where: str) -> Decimal:
        value = holder.get(key)
        if isinstance(value, Decimal):
            return value
        if isinstance(value, NoNumber):
            self._report(where, value.problem)
            return Decimal(0)
        self._report(where, "missing" if value is None else "expected a number")
        return Decimal(0)

    def known(self, holder: Mapping[str, object], key: str, where: str) -> Decimal | None:
        return None if holder.get(key) is None else self.number(holder, key, where)

    def within(self, number: Decimal, where: str, most: Decimal) -> Decimal:
        """The number, reported when it is beyond what any account holds."""
        if abs(number) > most:
            self._report(where, f"{plain_text(number)} is beyond {plain_text(most)}")
        return number

    def text(self, holder: Mapping[str, object], key: str) -> str:
        value = holder.get(key, "")
        if isinstance(value, str):
            return value
        self._report(key, "expected text")
        return ""

    def account(self, document: Mapping[str, object]) -> str:
        account_id = self.text(document, "account_id")
        if account_id and not is_account(account_id):
            self._report("account_id", f"'{printable(account_id)}' is not an account id")
        return account_id

    def time(self, holder: Mapping[str, object], key: str) -> datetime:
        text = self.text(holder, key)
        if not text:
            return _UNKNOWN_TIME
        try:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            self._report(key, f"'{printable(text)}' is not an ISO 8601 time")
            return _UNKNOWN_TIME
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

    def positions(self, document: Mapping[str, object]) -> tuple[Position, ...]:
        found: dict[Symbol, Position] = {}
        for index, row in enumerate(self._rows(document, "positions", required=True)):
            where = f"positions[{index}]"
            symbol = self._symbol(row, where)
            if symbol in found:
                self._report(where, f"{symbol} stands twice")
            named = f"{where} {printable(symbol)}"
            qty_shares = self.number(row, "qty_shares", f"{named} qty_shares")
            found[symbol] = Position(
                con_id=self._con_id(row, where),
                symbol=symbol,
                qty_shares=self.within(qty_shares, f"{named} qty_shares", _MAX_SHARES),
                avg_cost_usd=self.known(row, "avg_cost_usd", f"{named} avg_cost_usd"),
            )
        return tuple(held for held in found.values() if held.qty_shares != 0)

    def unmanaged(self, document: Mapping[str, object]) -> tuple[UnmanagedPosition, ...]:
        return tuple(
            UnmanagedPosition(
                con_id=self._con_id(row, "unmanaged"),
                symbol=printable(self.text(row, "symbol")),
                sec_type=printable(self.text(row, "sec_type")),
                currency=printable(self.text(row, "currency")),
                qty=self.number(row, "qty", f"unmanaged[{index}] qty"),
                value=self.known(row, "value", f"unmanaged[{index}] value"),
            )
            for index, row in enumerate(self._rows(document, "unmanaged", required=False))
        )

    def ignored_cash(self, document: Mapping[str, object]) -> dict[str, Decimal]:
        holder = self._object(document, "ignored_cash", required=False)
        return {
            printable(currency): self.number(
                holder, currency, f"ignored_cash {printable(currency)}"
            )
            for currency in holder
        }

    def terms(self, document: Mapping[str, object]) -> AccountTerms:
        """The account's kind, where the file tells it."""
        holder = self._object(document, "account_kind", required=False)
        return AccountTerms(
            trading_type=printable(self.text(holder, "trading_type"), _MAX_SYMBOL_CHARS),
            account_type=printable(self.text(holder, "account_type"), _MAX_SYMBOL_CHARS),
            available_funds_usd=self._figure(holder, "available_funds_usd"),
            buying_power_usd=self._figure(holder, "buying_power_usd"),
        )

    def _figure(self, holder: Mapping[str, object], key: str) -> Decimal | None:
        number = self.known(holder, key, f"account_kind {key}")
        return None if number is None else self.within(number, f"account_kind {key}", _MAX_CASH)

    def prices(self, document: Mapping[str, object]) -> PriceBook:
        holder = self._object(document, "prices", required=True)
        prices: dict[Symbol, Price] = {}
        for name in holder:
            symbol, where = name.strip().upper(), f"prices {printable(name)}"
            if symbol in prices:
                self._report(where, f"{printable(symbol)} stands twice")
            price_usd = self._price(holder, name, where)
            prices[symbol] = Price(
                symbol=symbol, price_usd=price_usd, source=FILE_SOURCE, is_preferred=True
            )
        return PriceBook(prices=prices)

    def _price(self, holder: Mapping[str, object], name: str, where: str) -> Decimal:
        price_usd = self.number(holder, name, where)
        is_number = isinstance(holder[name], Decimal)
        if is_number and not _LOWEST_PRICE <= price_usd <= _HIGHEST_PRICE:
            limits = f"from {_LOWEST_PRICE} to {plain_text(_HIGHEST_PRICE)}"
            self._report(where, f"{printable(plain_text(price_usd), 30)} is not a price {limits}")
        return price_usd

    def _symbol(self, row: Mapping[str, object], where: str) -> Symbol:
        symbol = self.text(row, "symbol").strip().upper()
        if not symbol or symbol == CASH or symbol != printable(symbol, _MAX_SYMBOL_CHARS):
            self._report(
                f"{where} symbol", f"'{printable(symbol, _MAX_SYMBOL_CHARS)}' is not an ETF symbol"
            )
        return symbol

    def _con_id(self, row: Mapping[str, object], where: str) -> int:
        value = row.get("con_id")
        if value is None:
            return 0
        if isinstance(value, Decimal) and value == value.to_integral_value() and value >= 0:
            return int(value)
        self._report(f"{where} con_id", "expected a whole number")
        return 0

    def _rows(
        self, document: Mapping[str, object], key: str, *, required: bool
    ) -> list[dict[str, object]]:
        value = document.get(key)
        if value is None and not required:
            return []
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            self._report(key, _MISSING if value is None else "expected a list of objects")
            return []
        return value

    def _object(
        self, document: Mapping[str, object], key: str, *, required: bool
    ) -> Mapping[str, object]:
        value = document.get(key)
        if value is None and not required:
            return {}
        if not isinstance(value, dict):
            self._report(key, _MISSING if value is None else "expected an object")
            return {}
        return value

    def _report(self, where: str, what: str) -> None:
        self.problems.append(Problem(where=f"{self.source}: {where}", what=what))
