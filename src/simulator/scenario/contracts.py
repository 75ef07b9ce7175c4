"""Scenario records for tradable contracts: what they are, what they cost, what data they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from src.simulator.scenario.calendar import check_zone
from src.simulator.scenario.reader import RawDecimal

_TICK_NAMES = ("bid", "ask", "last", "close", "open", "high", "low")
REFUSAL_CODES = (354, 10089, 10090, 10168, 10186, 10197)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    """From ``after_sec`` on (counted from the start) the last price is ``price``."""

    after_sec: float
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataSetup:
    """How market data of one contract behaves.

    ``access``: ``live``; ``delayed`` (live is refused with ``refusal``, delayed data flows);
    ``none`` (live refused with ``refusal``, delayed with 10168, or 10197 for both; 10090 refuses in
    part: the close follows it);
    ``silent`` (nothing arrives, ever).
    ``shown`` replaces single price fields by what is sent instead: -1, 0, ``"NaN"``, the unset
    number, or null for a field that never ticks. Orders still fill at the true price.
    """

    access: Literal["live", "delayed", "none", "silent"] = "live"
    refusal: int = 354
    delay_sec: float = 0
    snapshot_end_sec: float = 0
    halted: Literal[0, 1, 2] = 0
    shown: Mapping[str, RawDecimal | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.refusal not in REFUSAL_CODES:
            raise ValueError(f"refusal must be one of {REFUSAL_CODES}; found {self.refusal}")
        if self.delay_sec < 0 or self.snapshot_end_sec < 0:
            raise ValueError("delays must not be negative")
        for name in self.shown:
            if name not in _TICK_NAMES:
                raise ValueError(f"shown.{name}: known are {', '.join(_TICK_NAMES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSetup:
    """One contract. Prices are in its currency; ``spread`` is ask minus bid around ``price``.

    ``is_delisted``: can be held, but nothing is known of it (200). ``algos`` and ``midprice``:
    whether such orders are supported. The ``details_`` fields are what
    contract details say in place of the truth.
    """

    con_id: int
    symbol: str
    price: Decimal
    long_name: str = ""
    sec_type: str = "STK"
    stock_type: str = "ETF"
    currency: str = "USD"
    primary_exchange: str = "ARCA"
    valid_exchanges: tuple[str, ...] = ("SMART", "AMEX", "NYSE", "ARCA", "NASDAQ", "BATS", "IEX")
    local_symbol: str | None = None
    trading_class: str | None = None
    last_trade_date: str = ""
    strike: Decimal = Decimal(0)
    right: str = ""
    multiplier: str = ""
    time_zone: str = "US/Eastern"
    spread: Decimal = Decimal("0.02")
    prev_close: Decimal | None = None
    price_steps: tuple[PriceStep, ...] = ()
    min_tick: Decimal = Decimal("0.01")
    size_increment: Decimal = Decimal("0.0001")
    market_rule_id: int = 26
    algos: bool = True
    midprice: bool = True
    market_data: MarketDataSetup = MarketDataSetup()
    is_delisted: bool = False
    details_con_id: int | None = None
    details_symbol: str | None = None
    details_time_zone: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.con_id < 2**31 - 1:
            raise ValueError(f"con_id must be a positive 32 bit number; found {self.con_id}")
        if not self.symbol or not self.valid_exchanges:
            raise ValueError("symbol and valid_exchanges must not be empty")
        if self.price <= 0 or any(step.price <= 0 for step in self.price_steps):
            raise ValueError("prices must be above 0 (use market_data.shown for false ones)")
        if self.spread < 0 or self.min_tick <= 0 or self.spread >= 2 * self.price:
            raise ValueError("spread must be at least 0, min_tick above 0")
        if self.prev_close is not None and self.prev_close <= 0:
            raise ValueError(f"prev_close must be above 0; found {self.prev_close}")
        if self.multiplier and not self.multiplier.isdecimal():
            raise ValueError(f"multiplier must be a whole number; found {self.multiplier!r}")
        check_zone(self.time_zone)

    @property
    def units_per_contract(self) -> int:
        """What a price is multiplied with: 100 for a usual stock option, else 1."""
        return int(self.multiplier or "1")
