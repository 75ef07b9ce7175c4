"""The tick messages of one market data line: which kind is granted, and what is shown.

Kinds are 1 live, 2 frozen, 3 delayed, 4 delayed frozen. A frozen quote is the last one before the
close; otherwise bid and ask of a closed market are -1 with size 0. Live data, where there is
permission for it, is sent also to those who ask for delayed data; a request for delayed frozen data
is granted as delayed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from src.simulator.accounts.account import ZERO
from src.simulator.market.prices import Market, Quote
from src.simulator.messages.market import (
    MarketDataTypeGrant,
    TickGeneric,
    TickPrice,
    TickReqParams,
    TickSize,
    TickString,
)
from src.simulator.messages.responses import Response
from src.simulator.scenario.records import ContractSetup

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4
_NO_QUOTE = Decimal(-1)
_ALL_TICKS = ("bid", "ask", "last", "high", "low", "close", "open")
_MOVING_TICKS = ("bid", "ask", "last")
_BBO_EXCHANGE, _SNAPSHOT_PERMISSIONS = "9c0001", 3


class _TickIds(NamedTuple):
    prices: dict[str, int]
    sizes: dict[str, int]
    volume: int
    time: int
    halted: int


_LIVE_IDS = _TickIds(
    prices={"bid": 1, "ask": 2, "last": 4, "high": 6, "low": 7, "close": 9, "open": 14},
    sizes={"bid": 0, "ask": 3, "last": 5},
    volume=8,
    time=45,
    halted=49,
)
_DELAYED_IDS = _TickIds(
    prices={"bid": 66, "ask": 67, "last": 68, "high": 72, "low": 73, "close": 75, "open": 76},
    sizes={"bid": 69, "ask": 70, "last": 71},
    volume=74,
    time=88,
    halted=90,
)


def grant(contract: ContractSetup, asked: int, *, is_trading: bool) -> int:
    """The kind of data a line gets that asked for ``asked``."""
    if contract.market_data.access == "delayed":
        return DELAYED
    return FROZEN if asked in (FROZEN, DELAYED_FROZEN) and not is_trading else LIVE


def first_ticks(
    market: Market, contract: ContractSetup, req_id: int, asked: int, now: datetime
) -> list[Response]:
    """Everything a new line is told."""
    kind = grant(contract, asked, is_trading=market.is_trading(contract, now))
    ids = _ids(kind)
    header: list[Response] = [
        TickReqParams(
            req_id=req_id,
            min_tick=contract.min_tick,
            bbo_exchange=_BBO_EXCHANGE,
            snapshot_permissions=_SNAPSHOT_PERMISSIONS,
        ),
        MarketDataTypeGrant(req_id=req_id, market_data_type=kind),
    ]
    quote = _visible(market, contract, kind, now)
    return [
        *header,
        *_prices(contract, quote, req_id, ids, _ALL_TICKS),
        *_sizes(contract, quote, req_id, ids),
        TickSize(req_id=req_id, tick_type=ids.volume, size=quote.volume),
        halt_tick(req_id, market.halt(contract), is_delayed=ids is _DELAYED_IDS),
        TickString(req_id=req_id, tick_type=ids.time, value=str(int(now.timestamp()))),
    ]


def price_ticks(
    market: Market, contract: ContractSetup, req_id: int, kind: int, now: datetime
) -> list[Response]:
    """What an open stream is told when the price has moved."""
    ids, quote = _ids(kind), _visible(market, contract, kind, now)
    return [
        *_prices(contract, quote, req_id, ids, _MOVING_TICKS),
        TickString(req_id=req_id, tick_type=ids.time, value=str(int(now.timestamp()))),
    ]


def close_tick(
    market: Market, contract: ContractSetup, req_id: int, now: datetime
) -> list[Response]:
    """What a client gets that has no subscription."""
    quote = _visible(market, contract, LIVE, now)
    return list(_prices(contract, quote, req_id, _LIVE_IDS, ("close",)))


def halt_tick(req_id: int, value: int, *, is_delayed: bool) -> TickGeneric:
    """0 trading, 1 halted, 2 volatility pause."""
    ids = _DELAYED_IDS if is_delayed else _LIVE_IDS
    return TickGeneric(req_id=req_id, tick_type=ids.halted, value=Decimal(value))


def _ids(kind: int) -> _TickIds:
    return _DELAYED_IDS if kind in (DELAYED, DELAYED_FROZEN) else _LIVE_IDS


def _visible(market: Market, contract: ContractSetup, kind: int, now: datetime) -> Quote:
    """The quote as it is shown: without bid and ask when the market is closed and not frozen."""
    quote = market.quote(contract)
    if market.is_trading(contract, now) or kind in (FROZEN, DELAYED_FROZEN):
        return quote
    return Quote(
        bid=_NO_QUOTE,
        ask=_NO_QUOTE,
        bid_size=ZERO,
        ask_size=ZERO,
        last=quote.last,
        close=quote.close,
        open=quote.open,
        high=quote.high,
        low=quote.low,
    )


def _prices(
    contract: ContractSetup, quote: Quote, req_id: int, ids: _TickIds, names: tuple[str, ...]
) -> Iterator[TickPrice]:
    true = {
        "bid": (quote.bid, quote.bid_size),
        "ask": (quote.ask, quote.ask_size),
        "last": (quote.last, quote.last_size),
        "high": (quote.high, ZERO),
        "low": (quote.low, ZERO),
        "close": (quote.close, ZERO),
        "open": (quote.open, ZERO),
    }
    for name in names:
        price, size = true[name]
        shown = contract.market_data.shown.get(name, price)
        if shown is not None:
            size = ZERO if shown == _NO_QUOTE else size
            tick_type = ids.prices[name]
            yield TickPrice(req_id=req_id, tick_type=tick_type, price=shown, size=size)


def _sizes(contract: ContractSetup, quote: Quote, req_id: int, ids: _TickIds) -> Iterator[TickSize]:
    sizes = {"bid": quote.bid_size, "ask": quote.ask_size, "last": quote.last_size}
    for name, size in sizes.items():
        shown = contract.market_data.shown.get(name, ZERO)
        if shown is not None:
            value = ZERO if shown == _NO_QUOTE else size
            yield TickSize(req_id=req_id, tick_type=ids.sizes[name], size=value)
