"""The account's figures: cash per currency, exchange rates, and the broker's own net liq.

USD cash is the ledger row of USD, never the ``BASE`` row, which is the total of all currencies; of
its two figures one is chosen (``src.core.account.usd_cash``).
The account's base currency need not be USD: rates are given as base per unit of a currency, so the
worth of one unit in USD is its rate divided by the rate of USD. Newer gateways write the ledger's
keys with a prefix, ``$LEDGER-CashBalance``; both spellings mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from src.base.errors import UnbelievableData
from src.base.money import exact_arithmetic
from src.base.text import printable
from src.core.account.usd_cash import choose_usd_cash
from src.core.records.account import AccountTerms, ClassWorth, SecondFigures

Values = Mapping[tuple[str, str], str]
"""(key, currency) → text, as the rows came."""

_PREFIX: Final = "$LEDGER-"
_TOTAL: Final = "BASE"
_LOOK_IN_TWS: Final = "compare with the account window of TWS, then run again"
_MANY_DIGITS: Final = 20
_MAX_USD: Final = Decimal(10) ** 13
_MAX_OTHER: Final = Decimal(10) ** 17
_MAX_RATE: Final = Decimal(10) ** 9
_LEDGER_MARKS: Final = frozenset({"Currency", "RealCurrency", "ExchangeRate", "StockMarketValue"})
_WORTH_KEYS: Final = (
    "AccruedCash",
    "CorporateBond",
    "CorporateBondValue",
    "Cryptocurrency",
    "FundValue",
    "FutureOptionValue",
    "IssuerOptionValue",
    "MoneyMarketFundValue",
    "MutualFundValue",
    "NetDividend",
    "OptionMarketValue",
    "StockMarketValue",
    "TBillValue",
    "TBondValue",
    "WarrantValue",
)
"""The ledger's values beside cash. ``FundValue`` is the sum of the two kinds of funds."""
_POSITION_KEYS: Final = frozenset(_WORTH_KEYS) - {"AccruedCash", "NetDividend", "FundValue"}
"""Those that are the worth of positions, each counted once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the figures say; ``cash_usd`` is None in an account that never held dollars.

    ``net_liq_usd`` is None when it cannot be converted.
    """

    cash_usd: Decimal | None
    ignored_cash: Mapping[str, Decimal]
    usd_per_unit: Mapping[str, Decimal]
    net_liq_usd: Decimal | None
    terms: AccountTerms = AccountTerms()
    second_figures: SecondFigures = SecondFigures()
    class_worth: tuple[ClassWorth, ...] = ()
    warnings: tuple[str, ...] = ()


def believable(number: Decimal, name: str, limit: Decimal) -> Decimal:
    """The number, if it is finite and not absurdly large.

    Raises: UnbelievableData naming the field.
    """
    if not number.is_finite() or not abs(number) <= limit:
        shown = number if abs(number.adjusted()) < _MANY_DIGITS else f"{number:.6g}"
        raise UnbelievableData(f"the broker's {name} cannot be true: {shown}; {_LOOK_IN_TWS}")
    return number


def is_ready(values: Values) -> bool:
    """False while a gateway that has just started says its figures are not valid yet."""
    return all(
        text.strip().lower() != "false"
        for (key, _), text in values.items()
        if key == "AccountReady"
    )


@exact_arithmetic()
def read_ledger(values: Values) -> Ledger:
    """Read cash, rates and net liq from (key, currency) → text.

    Raises: UnbelievableData when a needed figure cannot be true.
    """
    plain = _without_prefix(values)
    totals, balances = _by_currency(plain, "TotalCashBalance"), _by_currency(plain, "CashBalance")
    cash = balances | totals
    usd = choose_usd_cash(totals.get("USD"), balances.get("USD"), _room_for_cash(plain))
    if usd is None and any(key in _LEDGER_MARKS and code == "USD" for key, code in plain):
        raise UnbelievableData(
            "the account's ledger has a row of USD without its cash (CashBalance), so the USD "
            "cash is unknown; run again"
        )
    rates = _rates(plain)
    per_unit = {code: rate / rates["USD"] for code, rate in rates.items()} if "USD" in rates else {}
    return Ledger(
        cash_usd=None if usd is None else usd.usd,
        ignored_cash={code: cash[code] for code in sorted(cash) if code != "USD" and cash[code]},
        usd_per_unit=per_unit,
        net_liq_usd=_net_liq_usd(plain, per_unit),
        terms=_terms(plain, per_unit),
        second_figures=SecondFigures(
            other_cash_usd=None if usd is None else usd.other_usd,
            accrued_cash_usd=_side_figure(plain, "AccruedCash", per_unit),
            accrued_dividend_usd=_side_figure(plain, "AccruedDividend", per_unit),
            insured_deposit_usd=_side_figure(plain, "InsuredDeposit", per_unit),
        ),
        class_worth=_class_worth(plain),
        warnings=(usd.warning,) if usd is not None and usd.warning else (),
    )


def _without_prefix(values: Values) -> dict[tuple[str, str], str]:
    """The ledger's rows under their plain names; one that has the prefix is surely such a row."""
    plain = {name: text for name, text in values.items() if not name[0].startswith(_PREFIX)}
    marked = {
        (key.removeprefix(_PREFIX), currency): text
        for (key, currency), text in values.items()
        if key.startswith(_PREFIX)
    }
    return plain | marked


def _room_for_cash(values: Values) -> tuple[Decimal, ...]:
    """What the net liquidation in USD leaves for cash, with the gain of futures in it and without.

    Nothing where a figure is missing or no number: these rows decide between two figures of cash
    and are needed for nothing else.
    """
    net_liq = _lenient(values.get(("NetLiquidationByCurrency", "USD")))
    if net_liq is None:
        return ()
    worth = {key: _lenient(values.get((key, "USD"))) or Decimal(0) for key in _WORTH_KEYS}
    funds = worth.pop("FundValue") or worth["MutualFundValue"] + worth["MoneyMarketFundValue"]
    plain = [worth[key] for key in worth if key not in ("MutualFundValue", "MoneyMarketFundValue")]
    room = net_liq - funds - sum(plain, Decimal(0))
    futures = _lenient(values.get(("FuturesPNL", "USD"))) or Decimal(0)
    return (room, room - futures)


def _class_worth(values: Values) -> tuple[ClassWorth, ...]:
    """The ledger's rows about positions, per class and currency, without those of 0."""
    found = []
    for (key, currency), text in sorted(values.items()):
        amount = _lenient(text)
        if key in _POSITION_KEYS and currency not in ("", _TOTAL) and amount:
            code = printable(currency, limit=8)
            found.append(ClassWorth(name=key, currency=code, amount=amount))
    return tuple(found)


def _terms(values: Values, per_unit: Mapping[str, Decimal]) -> AccountTerms:
    return AccountTerms(
        trading_type=_word(values, "TradingType-S"),
        account_type=_word(values, "AccountType"),
        available_funds_usd=_side_figure(values, "AvailableFunds", per_unit),
        buying_power_usd=_side_figure(values, "BuyingPower", per_unit),
        base_currency=_base_currency(values, per_unit),
    )


def _word(values: Values, wanted: str) -> str:
    texts = (text for (key, _), text in values.items() if key == wanted)
    return printable(next(texts, "").strip(), limit=40).upper()


def _side_figure(values: Values, wanted: str, per_unit: Mapping[str, Decimal]) -> Decimal | None:
    """A total in USD: the row in the base currency; None where it is missing, odd or unconvertible.

    A ledger row has one of each currency and their sum, ``BASE``, in the base currency.
    """
    rows = {currency: text for (key, currency), text in values.items() if key == wanted}
    base = _base_currency(values, per_unit)
    amount = _lenient(rows.get(_TOTAL, rows.get(base or "USD")))
    if amount is None or not base:
        return _lenient(rows.get("USD"))
    return amount * per_unit[base]


def _base_currency(values: Values, per_unit: Mapping[str, Decimal]) -> str:
    """The currency of the totals; empty where it cannot be converted."""
    return next((code for code in _net_liq_rows(values) if code in per_unit), "")


def _lenient(text: str | None) -> Decimal | None:
    """A figure that nothing is planned with; None when it cannot be true."""
    try:
        number = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) <= _MAX_OTHER else None


def _by_currency(values: Values, wanted: str) -> dict[str, Decimal]:
    return {
        printable(currency, limit=8): _amount(
            text, f"{wanted} in {printable(currency)}", _cap(currency)
        )
        for (key, currency), text in values.items()
        if key == wanted and currency not in ("", _TOTAL)
    }


def _rates(values: Values) -> dict[str, Decimal]:
    """Base currency per unit; the base currency itself is worth 1 of itself."""
    rates = {code: Decimal(1) for code in _net_liq_rows(values)}
    for (key, currency), text in values.items():
        if key == "ExchangeRate" and currency not in ("", _TOTAL):
            name = f"ExchangeRate of {printable(currency)}"
            rate = _amount(text, name, _MAX_RATE)
            if rate <= 0:
                raise UnbelievableData(
                    f"the broker's {name} cannot be true: {printable(text)}; {_LOOK_IN_TWS}"
                )
            rates[printable(currency, limit=8)] = rate
    return rates


def _net_liq_rows(values: Values) -> dict[str, str]:
    return {
        currency: text
        for (key, currency), text in values.items()
        if key == "NetLiquidation" and currency not in ("", _TOTAL)
    }


def _net_liq_usd(values: Values, per_unit: Mapping[str, Decimal]) -> Decimal | None:
    for currency, text in _net_liq_rows(values).items():
        amount = _amount(text, f"NetLiquidation in {printable(currency)}", _cap(currency))
        if currency in per_unit:
            return amount * per_unit[currency]
    return None


def _cap(currency: str) -> Decimal:
    return _MAX_USD if currency == "USD" else _MAX_OTHER


def _amount(text: str, name: str, limit: Decimal) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise UnbelievableData(
            f"the broker's {name} is no number: {printable(text)!r}; {_LOOK_IN_TWS}"
        ) from error
    return believable(number, name, limit)
