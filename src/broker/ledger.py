"""The account's figures: cash per currency, exchange rates, and the broker's own net liq.

USD cash is the ledger row of USD, never the ``BASE`` row, which is the total of all currencies.
The account's base currency need not be USD: rates are given as base per unit of a currency, so the
worth of one unit in USD is its rate divided by the rate of USD. Newer gateways write the ledger's
keys with a prefix, ``$LEDGER-CashBalance``; both spellings mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from src.core.money import exact_arithmetic
from src.errors import UnbelievableData
from src.text import printable

_PREFIX: Final = "$LEDGER-"
_TOTAL: Final = "BASE"
_MAX_USD: Final = Decimal(10) ** 13
_MAX_OTHER: Final = Decimal(10) ** 17
_MAX_RATE: Final = Decimal(10) ** 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What the figures say; ``net_liq_usd`` is None when it cannot be converted."""

    cash_usd: Decimal
    ignored_cash: Mapping[str, Decimal]
    usd_per_unit: Mapping[str, Decimal]
    net_liq_usd: Decimal | None


def believable(number: Decimal, name: str, limit: Decimal) -> Decimal:
    """The number, if it is finite and not absurdly large.

    Raises: UnbelievableData naming the field.
    """
    if not number.is_finite() or not abs(number) <= limit:
        raise UnbelievableData(f"the broker's {name} cannot be true: {number}")
    return number


def is_ready(values: Mapping[tuple[str, str], str]) -> bool:
    """False while a gateway that has just started says its figures are not valid yet."""
    return all(
        text.strip().lower() != "false"
        for (key, _), text in values.items()
        if key == "AccountReady"
    )


@exact_arithmetic()
def read_ledger(values: Mapping[tuple[str, str], str]) -> Ledger:
    """Read cash, rates and net liq from (key, currency) → text.

    Raises: UnbelievableData when the USD row is missing or a needed figure cannot be true.
    """
    plain = {
        (key.removeprefix(_PREFIX), currency): text for (key, currency), text in values.items()
    }
    cash = _by_currency(plain, "TotalCashBalance") | _by_currency(plain, "CashBalance")
    if "USD" not in cash:
        raise UnbelievableData(
            "the account's ledger has no USD row (CashBalance in USD), so its USD cash is unknown"
        )
    rates = _rates(plain)
    per_unit = {code: rate / rates["USD"] for code, rate in rates.items()} if "USD" in rates else {}
    return Ledger(
        cash_usd=cash["USD"],
        ignored_cash={code: cash[code] for code in sorted(cash) if code != "USD" and cash[code]},
        usd_per_unit=per_unit,
        net_liq_usd=_net_liq_usd(plain, per_unit),
    )


def _by_currency(values: Mapping[tuple[str, str], str], wanted: str) -> dict[str, Decimal]:
    return {
        printable(currency, limit=8): _amount(
            text, f"{wanted} in {printable(currency)}", _cap(currency)
        )
        for (key, currency), text in values.items()
        if key == wanted and currency not in ("", _TOTAL)
    }


def _rates(values: Mapping[tuple[str, str], str]) -> dict[str, Decimal]:
    """Base currency per unit; the base currency itself is worth 1 of itself."""
    rates = {code: Decimal(1) for code in _net_liq_rows(values)}
    for (key, currency), text in values.items():
        if key == "ExchangeRate" and currency not in ("", _TOTAL):
            name = f"ExchangeRate of {printable(currency)}"
            rate = _amount(text, name, _MAX_RATE)
            if rate <= 0:
                raise UnbelievableData(f"the broker's {name} cannot be true: {printable(text)}")
            rates[printable(currency, limit=8)] = rate
    return rates


def _net_liq_rows(values: Mapping[tuple[str, str], str]) -> dict[str, str]:
    return {
        currency: text
        for (key, currency), text in values.items()
        if key == "NetLiquidation" and currency not in ("", _TOTAL)
    }


def _net_liq_usd(
    values: Mapping[tuple[str, str], str], per_unit: Mapping[str, Decimal]
) -> Decimal | None:
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
        raise UnbelievableData(f"the broker's {name} is no number: {printable(text)!r}") from error
    return believable(number, name, limit)
