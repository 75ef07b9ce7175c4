"""How people and other brokers write a ticker, and how this broker does.

IBKR writes a share class with a space (``BRK B``) and a preferred share with PR (``BAC PRL``);
elsewhere they are ``BRK.B``, ``BRK-B``, ``BAC-L``, ``BAC.PR.L``. And what reads like money may be
an instrument: a leveraged fund trades as USD, while cash is written CASH in the portfolios file.
Two instruments may share a ticker: the one that [contracts] does not choose is named with its id.

Source: SRS F-118 and F-115.
"""

from __future__ import annotations

import re
from typing import Final

from src.core.records.portfolios import CASH, Symbol

_TWIN: Final = "#"
_MOST_DIGITS: Final = 10
_BETWEEN: Final = re.compile(r"[ ./^-]+")
_CURRENCIES: Final = frozenset(
    {"AUD", "CAD", "CHF", "CNH", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR"}
    | {"JPY", "KRW", "MXN", "NOK", "NZD", "PLN", "SEK", "SGD", "USD", "ZAR"}
)
_MONEY_WORDS: Final = frozenset(
    {"MONEY", "DOLLAR", "DOLLARS", "EURO", "EUROS", "LIQUID", "LIQUIDITY", "BARGELD", "GELD"}
    | {"KASSE", "LIQUIDITAET", "ARGENT", "ESPECES", "LIQUIDITE", "LIQUIDITES", "EFECTIVO"}
    | {"DINERO", "LIQUIDEZ", "CONTANTI", "LIQUIDITA", "DINHEIRO", "CAIXA", "KONTANTER"}
)


def twin_name(ticker: Symbol, con_id: int) -> Symbol:
    """How a held instrument is called whose ticker the settings give to another contract."""
    return f"{ticker}{_TWIN}{con_id}"


def ticker_of(symbol: Symbol) -> Symbol:
    """What the broker calls the instrument: ``EXUS`` of ``EXUS#12345678``."""
    return symbol.partition(_TWIN)[0] if twin_con_id(symbol) else symbol


def twin_con_id(symbol: Symbol) -> int:
    """The contract id in a twin's name; 0 for every other symbol."""
    ticker, _, number = symbol.rpartition(_TWIN)
    is_id = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
    return int(number) if ticker and is_id else 0


def other_spellings(symbol: Symbol) -> tuple[Symbol, ...]:
    """What this broker may call a share class or preferred share; empty for a plain ticker."""
    root, series, suffix = _parts(symbol)
    if not suffix:
        return ()
    forms = (f"{root} {suffix}", f"{root} PR{series}")
    return tuple(form for form in dict.fromkeys(forms) if form != symbol)


def root_of(symbol: Symbol) -> Symbol:
    """The ticker without its class: ``BRK`` of ``BRK.B``."""
    return _parts(symbol)[0]


def is_same_class(symbol: Symbol, other: Symbol) -> bool:
    """True for two spellings of one share class, and for a ticker and itself."""
    return _parts(symbol)[:2] == _parts(other)[:2]


def reads_like_money(symbol: Symbol) -> bool:
    """True for a currency's code and for what people write for cash."""
    words = [word for word in _BETWEEN.split(symbol.upper()) if word]
    if CASH in words or not _MONEY_WORDS.isdisjoint(words):
        return True
    rest = "".join(words)
    return rest in _CURRENCIES or rest.replace(CASH, "", 1) in (_CURRENCIES | {""})


def _parts(symbol: Symbol) -> tuple[str, str, str]:
    """Root, class or series, and the suffix it stands in: ``BAC``, ``L`` and ``PRL``."""
    root, *rest = [part for part in _BETWEEN.split(symbol.upper()) if part] or [symbol]
    suffix = "".join(rest)
    series = re.sub(r"^(?:PR|P(?=.$))(?=.)", "", suffix)
    return root, series, suffix
