"""The nouns that cross every border of the program: frozen records and nothing else.

Units live in names: ``_usd`` US dollars, ``_shares`` shares (fractions allowed), ``_weight`` a
fraction of net liq (0.25 is a quarter), ``_utc`` an aware datetime in UTC. Money, weights and
quantities are ``Decimal``. One sign: drift = current − target, so positive is overweight.
Sequences are tuples; mappings are never mutated after construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from src.core.records.orders import (
    Fill,
    Side,
    TicketStatus,
)
from src.core.records.portfolios import Symbol, Weights
from src.core.records.wishes import NO_WISHES, Wishes

# --- inputs ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Symbol → target weight, CASH always present, summing to 1 within 1e-9."""

    weights: Weights


# --- valuation and drift --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One symbol, held or merely priced because it is targeted (``qty_shares`` 0)."""

    symbol: Symbol
    con_id: int
    qty_shares: Decimal
    price_usd: Decimal
    value_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """The account in USD at chosen prices; ``leverage`` is gross exposure / net liq."""

    account_id: str
    holdings: Mapping[Symbol, Holding]
    cash_usd: Decimal
    net_liq_usd: Decimal
    gross_exposure_usd: Decimal
    leverage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """``drift_weight`` = current − target; ``drift_usd`` = drift_weight × net liq."""

    symbol: Symbol
    target_weight: Decimal
    current_weight: Decimal
    drift_weight: Decimal
    drift_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftTable:
    """One row per held or targeted symbol and one for CASH, sorted by symbol."""

    rows: tuple[DriftRow, ...]


# --- plan -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTicket:
    """One intended order: one symbol, one side, one quantity."""

    con_id: int
    symbol: Symbol
    side: Side
    qty_shares: Decimal
    est_price_usd: Decimal
    est_value_usd: Decimal


class SkipCode(str, Enum):
    """Why a wanted trade is not planned, for programs; the reason beside it is for people."""

    MINIMUM = "minimum"
    SHARE_PRICE = "share_price"
    FRACTION = "fraction"
    CASH = "cash"
    NO_GAIN = "no_gain"
    HALTED = "halted"
    SETTLEMENT = "settlement"
    UNTOLD = "untold"
    WISH = "wish"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedTrade:
    """A trade that was wanted and not planned, with the reason as a code and in plain words.

    Journals of older versions do not tell the code.
    """

    symbol: Symbol
    code: SkipCode = SkipCode.UNTOLD
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementWait:
    """Buys that wait for settled money: ``waiting_usd`` of them are no tickets of the plan.

    ``spendable_usd`` is what buys may cost before anything settles; ``has_sells``: the plan sells,
    so its own proceeds are waited for.
    """

    spendable_usd: Decimal
    waiting_usd: Decimal
    has_sells: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePlan:
    """Sells, then buys, and the figures they lead to at the sizing prices.

    ``cash_floor_usd`` is F of the sizing rules (buffer and leverage cap). ``outside_limits`` says
    what of cash, buffer and leverage stays outside its limit, and why (empty: nothing does);
    ``waiting`` tells what of the buys had to be left for later (None: nothing). ``notes`` say what
    else is special. ``plan_hash`` is a hex digest over account, tickets, prices and figures: the
    same inputs give the same hash. ``wishes`` are those the plan follows.
    """

    account_id: str
    tickets: tuple[OrderTicket, ...]
    skipped: tuple[SkippedTrade, ...]
    before: Valuation
    after: Valuation
    drift_before: DriftTable
    drift_after: DriftTable
    cash_floor_usd: Decimal
    outside_limits: str = ""
    waiting: SettlementWait | None = None
    wishes: Wishes = NO_WISHES
    notes: tuple[str, ...] = ()
    plan_hash: str


# --- orders ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOutcome:
    """What became of one ticket: its fills over all attempts, the broker's text, our notes."""

    ticket: OrderTicket
    status: TicketStatus
    fills: tuple[Fill, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()
