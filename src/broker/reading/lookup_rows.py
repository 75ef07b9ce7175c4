"""What an answer with contract details means: one listing, or the reason why there is none.

Of several matches none is taken, unless the settings choose one; then it has to be what they say.
Where something is to be chosen, the lines for the settings file come with it.

Source: SRS R-105 and F-118.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from src.base.settings import ContractChoice
from src.broker.client import convert
from src.core.records.market import SymbolLookup
from src.core.records.portfolios import Symbol
from src.core.showing.spelling import ticker_of, twin_con_id

if TYPE_CHECKING:
    from ib_async.contract import Contract, ContractDetails

MAX_CANDIDATES: Final = 5
_MAX_CHOICES: Final = 20
_LINE_CHARS: Final = 80
_UNKNOWN: Final = "not known to the broker as a USD stock or ETF"
_SMART: Final = "SMART"
_NO_CHOICE: Final = ContractChoice()
_SAME_EXCHANGE: Final = {"ISLAND": "NASDAQ", "NYSEARCA": "ARCA"}


def read_lookup(
    symbol: Symbol, rows: list[ContractDetails], choice: ContractChoice = _NO_CHOICE
) -> SymbolLookup:
    """Judge what is listed under a symbol; ``choice`` may name the exchange that is meant."""
    if not rows:
        return SymbolLookup(symbol=symbol, listing=None, problem=_UNKNOWN, is_unknown=True)
    meant = [row for row in rows if _is_on(row, choice.exchange)]
    con_ids = {row.contract.conId for row in meant if row.contract is not None}
    problem = "the broker knows several instruments of this name" if len(con_ids) > 1 else ""
    if not meant:
        problem = f"[contracts] gives it to {choice.exchange}, where the broker does not list it"
    problem = problem or next((text for row in meant if (text := _mismatch(symbol, row))), "")
    if not problem:
        return SymbolLookup(symbol=symbol, listing=convert.listing_from(meant[0]))
    candidates = dict.fromkeys(
        convert.described(row.contract, row.longName) for row in rows if row.contract
    )
    return SymbolLookup(
        symbol=symbol,
        listing=None,
        problem=problem,
        candidates=tuple(candidates)[:MAX_CANDIDATES],
        choices=choices(symbol, rows) if len(con_ids) != 1 else (),
    )


def read_chosen(
    symbol: Symbol, con_id: int, routed: list[ContractDetails], anywhere: list[ContractDetails]
) -> SymbolLookup:
    """Judge the instrument of a contract id: ``routed`` by SMART, else found ``anywhere``."""
    is_twin = bool(twin_con_id(symbol))
    if not routed and not anywhere:
        problem = f"[contracts] gives it conId {con_id}, which the broker does not know"
        return SymbolLookup(symbol=symbol, listing=None, problem=problem, is_unknown=is_twin)
    row = (routed or anywhere)[0]
    problem = _mismatch(ticker_of(symbol), row)
    if not problem and row.contract is not None and row.contract.conId != con_id:
        problem = "the broker answered with another contract id"
    if not problem and not routed and _SMART not in row.validExchanges.upper().split(","):
        problem = "it cannot be routed by SMART"
    if not problem:
        return SymbolLookup(
            symbol=symbol, listing=replace(convert.listing_from(row), symbol=symbol)
        )
    what = convert.described(row.contract, row.longName) if row.contract else "nothing"
    problem = f"[contracts] gives it conId {con_id}, which is {what}: {problem}"
    return SymbolLookup(symbol=symbol, listing=None, problem=problem)


def choices(symbol: Symbol, rows: Iterable[ContractDetails]) -> tuple[str, ...]:
    """A line for the settings file per USD stock or ETF of this ticker, fit for the screen."""
    found: dict[int, str] = {}
    for row in rows:
        if row.contract is not None and not _mismatch(symbol, row):
            words = (row.contract.primaryExchange, row.longName)
            remark = convert.clean(", ".join(word for word in words if word))
            line = f"{symbol} = {row.contract.conId}  ; {remark}"
            found.setdefault(row.contract.conId, line[:_LINE_CHARS].rstrip())
    return tuple(found.values())[:_MAX_CHOICES]


def is_usd_stock(contract: Contract) -> bool:
    """What can be managed: the broker calls stocks and ETFs STK."""
    return contract.secType == "STK" and contract.currency == "USD"


def _is_on(row: ContractDetails, exchange: str) -> bool:
    """Whether an instrument is listed on an exchange, old names of it included."""
    place = row.contract.primaryExchange if row.contract is not None else ""
    return not exchange or _usual(place) == _usual(exchange)


def _usual(exchange: str) -> str:
    return _SAME_EXCHANGE.get(exchange.upper(), exchange.upper())


def _mismatch(symbol: Symbol, row: ContractDetails) -> str:
    contract = row.contract
    if contract is None or contract.conId <= 0:
        return "the broker answered without a contract id"
    if contract.secType != "STK":
        return f"it is not a stock or ETF but {convert.clean(contract.secType)}"
    if contract.currency != "USD":
        return f"it trades in {convert.clean(contract.currency)}, not in USD"
    if contract.symbol.upper() != symbol.upper():
        return f"the broker answered with another symbol, {convert.clean(contract.symbol)}"
    return ""
