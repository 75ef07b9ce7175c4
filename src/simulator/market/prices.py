"""Prices, halts and sessions of the simulated market at this moment.

``price`` is the last trade; bid and ask lie around it by the contract's spread, on its tick.
"""

from __future__ import annotations

import math
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from src.simulator.market.chance import draw_step
from src.simulator.scenario.calendar import Hours, MarketCalendar
from src.simulator.scenario.records import ContractSetup, Scenario

_SESSION_SEC = 23_400
_PULL = 1 / 3600
_BID_SIZE, _ASK_SIZE, _LAST_SIZE, _VOLUME = (
    Decimal(400),
    Decimal(600),
    Decimal(100),
    Decimal(812000),
)


class Quote(NamedTuple):
    """True prices in the contract's currency; sizes in shares."""

    bid: Decimal
    ask: Decimal
    last: Decimal
    close: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    bid_size: Decimal = _BID_SIZE
    ask_size: Decimal = _ASK_SIZE
    last_size: Decimal = _LAST_SIZE
    volume: Decimal = _VOLUME


class Market:
    """The state of all contracts of a scenario."""

    def __init__(self, scenario: Scenario, start: datetime) -> None:
        self._contracts = scenario.contracts
        self._scripted = {contract.con_id: contract.price for contract in scenario.contracts}
        self._prices = dict(self._scripted)
        self._strayed = dict.fromkeys(self._scripted, 0.0)
        self._seed, self._moves = scenario.seed, 0
        self._step = scenario.daily_move_pct / 100 / math.sqrt(_SESSION_SEC)
        self._halts: dict[int, int] = {
            contract.con_id: contract.market_data.halted for contract in scenario.contracts
        }
        self._refusals: dict[int, int] = {}
        self.calendar = MarketCalendar(mode=scenario.market_mode, start_utc=start)

    def price(self, contract: ContractSetup) -> Decimal:
        """Last trade price."""
        return self._prices[contract.con_id]

    def set_price(self, contract: ContractSetup, price: Decimal) -> None:
        """Move the last trade price, and the quote with it; from there it wanders on."""
        self._scripted[contract.con_id] = self._prices[contract.con_id] = price
        self._strayed[contract.con_id] = 0

    def wander(self) -> list[ContractSetup]:
        """Let a second pass: every price takes a step of chance and is drawn back to its script.

        Returns the contracts whose price is another one now.
        """
        self._moves += 1
        moved = []
        for contract in self._contracts:
            con_id, tick = contract.con_id, contract.min_tick
            step = self._step * draw_step(self._seed, con_id, self._moves)
            self._strayed[con_id] = strayed = self._strayed[con_id] * (1 - _PULL) + step
            raw = self._scripted[con_id] * (1 + Decimal(strayed))
            price = max((raw / tick).to_integral_value(), Decimal(1)) * tick
            if price != self._prices[con_id]:
                self._prices[con_id] = price
                moved.append(contract)
        return moved

    def halt(self, contract: ContractSetup) -> int:
        """0 trading, 1 halted for news or regulation, 2 volatility pause."""
        return self._halts[contract.con_id]

    def set_halt(self, contract: ContractSetup, value: int) -> None:
        """Halt or resume a contract."""
        self._halts[contract.con_id] = value

    def refusal(self, contract: ContractSetup) -> int:
        """The code with which all data of the contract is refused for now, or 0."""
        return self._refusals.get(contract.con_id, 0)

    def set_refusal(self, contract: ContractSetup, code: int) -> None:
        """Refuse all data of a contract from now on; 0 gives it again."""
        self._refusals[contract.con_id] = code

    def quote(self, contract: ContractSetup) -> Quote:
        """The true quote, whatever the contract's market data shows to clients."""
        last = self.price(contract)
        close = contract.prev_close or contract.price
        tick = contract.min_tick
        bid = ((last - contract.spread / 2) / tick).to_integral_value(ROUND_FLOOR) * tick
        return Quote(
            bid=max(bid, tick),
            ask=max(bid, tick) + contract.spread,
            last=last,
            close=close,
            open=close,
            high=max(last, close),
            low=min(last, close),
        )

    def hours(self, contract: ContractSetup, now: datetime) -> Hours:
        """Session texts of the contract in its own time zone."""
        return self.calendar.hours(contract.time_zone, now)

    def is_regular(self, contract: ContractSetup, now: datetime) -> bool:
        """True while the contract trades in regular hours."""
        return self.calendar.is_regular(contract.time_zone, now)

    def is_trading(self, contract: ContractSetup, now: datetime) -> bool:
        """True while the contract trades in regular or extended hours."""
        return self.calendar.is_trading(contract.time_zone, now)
