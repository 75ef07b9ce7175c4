"""Responses about instruments and quotes: ticks, contract details, price increments."""

from dataclasses import dataclass
from decimal import Decimal

from src.simulator.messages.orders import ZERO, ContractKey, TagValue


@dataclass(frozen=True, slots=True, kw_only=True)
class TickPrice:
    """A price with its size; -1 with size 0 is "no quote". ``attribs`` is a bit mask."""

    req_id: int
    tick_type: int
    price: Decimal
    size: Decimal | None = ZERO
    attribs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSize:
    """A size in shares."""

    req_id: int
    tick_type: int
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TickGeneric:
    """A number that is neither price nor size, for example halted (49)."""

    req_id: int
    tick_type: int
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TickString:
    """A text tick, for example the time of the last trade (45), epoch seconds."""

    req_id: int
    tick_type: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSnapshotEnd:
    """The snapshot is complete."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataTypeGrant:
    """Kind of quotes this ticker gets: 1 live, 2 frozen, 3 delayed, 4 delayed frozen."""

    req_id: int
    market_data_type: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReqParams:
    """Facts about a quote subscription: price increment, BBO exchange code."""

    req_id: int
    min_tick: Decimal
    bbo_exchange: str
    snapshot_permissions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetails:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDetailsEnd:
    """No more instruments match."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecTypeName:
    """One derivative security type available on an underlying."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSample:
    """One instrument that resembles the pattern."""

    con_id: int
    symbol: str
    sec_type: str
    primary_exchange: str
    currency: str
    derivative_sec_types: tuple[SecTypeName, ...] = ()
    description: str = ""
    issuer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSamples:
    """The instruments that resemble the pattern."""

    req_id: int
    samples: tuple[SymbolSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceIncrement:
    """From ``low_edge`` on, prices are multiples of ``increment``."""

    low_edge: Decimal
    increment: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRule:
    """The price increments of one market rule."""

    rule_id: int
    increments: tuple[PriceIncrement, ...]
