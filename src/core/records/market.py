"""What the broker says about contracts and prices, as records.

``src.core.records.plan`` offers these names too: it is where the rest of the program imports nouns.
``_usd`` is US dollars, ``_utc`` an aware datetime in UTC; an unknown figure is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from src.core.records.portfolios import Symbol

# --- contracts ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One trading session of a contract, both ends in UTC."""

    opens_utc: datetime
    closes_utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A qualified, unambiguous USD stock or ETF routed to SMART.

    ``hours_problem`` says what of its trading hours could not be read (empty: all could),
    ``time_zone`` is the exchange's, in the broker's spelling.
    """

    con_id: int
    symbol: Symbol
    long_name: str = ""
    primary_exchange: str = ""
    stock_type: str = ""
    order_types: tuple[str, ...] = ()
    regular_sessions: tuple[Session, ...] = ()
    extended_sessions: tuple[Session, ...] = ()
    hours_problem: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolLookup:
    """The broker's answer for one symbol: a listing, or why there is none.

    ``is_unknown``: the broker has no instrument of that name at all. ``candidates`` are readable
    descriptions of what was found instead (several matches, or the nearest names it offers), and
    ``spelled`` those that are this share class in the broker's own spelling. ``choices`` are the
    lines of the settings file that would settle which instrument is meant.
    """

    symbol: Symbol
    listing: Listing | None
    problem: str = ""
    is_unknown: bool = False
    candidates: tuple[str, ...] = ()
    spelled: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


# --- prices ---------------------------------------------------------------------------------


class QuoteStage(str, Enum):
    """How a quote was asked for, in the order of preference."""

    LIVE = "live"
    SNAPSHOT = "snapshot"
    DELAYED = "delayed"


class DataKind(str, Enum):
    """What kind of data the broker granted (message 58), in the order of preference."""

    LIVE = "live"
    FROZEN = "frozen"
    DELAYED = "delayed"
    DELAYED_FROZEN = "delayed frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What one stage of asking brought for one symbol; a missing field is None.

    ``refusal`` is the broker's code and text when it declined to give data.
    """

    symbol: Symbol
    stage: QuoteStage
    kind: DataKind = DataKind.LIVE
    bid_usd: Decimal | None = None
    ask_usd: Decimal | None = None
    last_usd: Decimal | None = None
    close_usd: Decimal | None = None
    as_of_utc: datetime | None = None
    is_halted: bool = False
    refusal: str = ""


Quotes = Mapping[Symbol, tuple[Quote, ...]]
"""Per symbol, the quotes of the stages that were asked, in that order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price chosen for one symbol and where it came from.

    ``source`` is readable text such as ``last``, ``snapshot last``, ``delayed last`` or
    ``account``; ``is_preferred`` is true only for the live preferred field.
    """

    symbol: Symbol
    price_usd: Decimal
    source: str
    is_preferred: bool
    as_of_utc: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """One price per needed symbol; halted symbols are priced but must not be traded."""

    prices: Mapping[Symbol, Price]
    halted: frozenset[Symbol] = frozenset()
    warnings: tuple[str, ...] = ()
