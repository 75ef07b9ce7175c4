"""Responses about instruments and quotes: ticks, contract details, price increments."""

from decimal import Decimal
from typing import NamedTuple

from src.simulator.messages.orders import ZERO, ContractKey, TagValue


class TickPrice(NamedTuple):
    """A price with its size; -1 with size 0 is "no quote". ``attribs`` is a bit mask."""

    req_id: int
    tick_type: int
    price: Decimal
    size: Decimal | None = ZERO
    attribs: int = 0


class TickSize(NamedTuple):
    """A size in shares."""

    req_id: int
    tick_type: int
    size: Decimal


class TickGeneric(NamedTuple):
    """A number that is neither price nor size, for example halted (49)."""

    req_id: int
    tick_type: int
    value: Decimal


class TickString(NamedTuple):
    """A text tick, for example the time of the last trade (45), epoch seconds."""

    req_id: int
    tick_type: int
    value: str


class TickSnapshotEnd(NamedTuple):
    """The snapshot is complete."""

    req_id: int


class MarketDataTypeGrant(NamedTuple):
    """Kind of quotes this ticker gets: 1 live, 2 frozen, 3 delayed, 4 delayed frozen."""

    req_id: int
    market_data_type: int


class TickReqParams(NamedTuple):
    """Facts about a quote subscription: price increment, BBO exchange code."""

    req_id: int
    min_tick: Decimal
    bbo_exchange: str
    snapshot_permissions: int


class ContractDetails(NamedTuple):
    """One instrument; hours are ``yyyymmdd:hhmm-yyyymmdd:hhmm;...`` in ``time_zone_id``."""

    req_id: int
    contract: ContractKey
    market_name: str = ""
    min_tick: Decimal = Decimal("0.01")
    md_size_multiplier: int = 1
    order_types: str = ""
    valid_exchanges: str = ""
    price_magnifier: int = 1
    under_con_id: int = 0
    long_name: str = ""
    contract_month: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    time_zone_id: str = ""
    trading_hours: str = ""
    liquid_hours: str = ""
    ev_rule: str = ""
    ev_multiplier: Decimal | None = None
    sec_ids: tuple[TagValue, ...] = ()
    agg_group: int | None = None
    under_symbol: str = ""
    under_sec_type: str = ""
    market_rule_ids: str = ""
    real_expiration_date: str = ""
    stock_type: str = ""
    min_size: Decimal | None = None
    size_increment: Decimal | None = None
    suggested_size_increment: Decimal | None = None


class ContractDetailsEnd(NamedTuple):
    """No more instruments match."""

    req_id: int


class SecTypeName(NamedTuple):
    """One derivative security type available on an underlying."""

    name: str


class SymbolSample(NamedTuple):
    """One instrument that resembles the pattern."""

    con_id: int
    symbol: str
    sec_type: str
    primary_exchange: str
    currency: str
    derivative_sec_types: tuple[SecTypeName, ...] = ()
    description: str = ""
    issuer_id: str = ""


class SymbolSamples(NamedTuple):
    """The instruments that resemble the pattern."""

    req_id: int
    samples: tuple[SymbolSample, ...]


class PriceIncrement(NamedTuple):
    """From ``low_edge`` on, prices are multiples of ``increment``."""

    low_edge: Decimal
    increment: Decimal


class MarketRule(NamedTuple):
    """The price increments of one market rule."""

    rule_id: int
    increments: tuple[PriceIncrement, ...]
