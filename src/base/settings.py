"""Settings as frozen records in internal units, one per section of ``settings.ini``.

Weights are fractions (50 bps → 0.005, ``1%`` → 0.01), times are seconds, money is USD.
The loader in ``src.io.config_loader`` converts and validates; nothing else makes these records
from text. They are named tuples, built by name: checking a file should not wait for dataclasses.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

TriggerMode = Literal["per_holding", "total_drift"]
BufferType = Literal["pct", "abs"]
TradingHours = Literal["rth", "eth"]
UnlistedPositions = Literal["sell", "keep", "abort"]
PriceSource = Literal["last", "close", "bid", "ask", "mid"]
AlgoPreference = Literal["adaptive", "midprice", "none"]
AdaptivePriority = Literal["patient", "normal", "urgent"]
NotifyEvent = Literal["due", "traded", "failed"]


class IbkrSettings(NamedTuple):
    """Where TWS or IB Gateway listens and which account is meant."""

    account_id: str
    host: str = "127.0.0.1"
    port: int = 4002
    client_id: int = 42
    read_only: bool = True
    allow_live: bool = False
    connect_timeout_sec: Decimal = Decimal(10)


class RebalanceSettings(NamedTuple):
    """When to trade and within which limits."""

    trigger_mode: TriggerMode = "per_holding"
    per_holding_band_weight: Decimal = Decimal("0.005")
    portfolio_total_band_weight: Decimal = Decimal("0.01")
    min_order_usd: Decimal = Decimal(500)
    cash_buffer_type: BufferType = "pct"
    cash_buffer_weight: Decimal = Decimal("0.01")
    cash_buffer_usd: Decimal = Decimal(0)
    allow_fractional: bool = False
    max_leverage: Decimal = Decimal("1.50")
    min_excess_liquidity_usd: Decimal = Decimal(0)
    trading_hours: TradingHours = "rth"
    unlisted_positions: UnlistedPositions = "sell"


class PricingSettings(NamedTuple):
    """Which quote field counts and how long to wait for all of them together."""

    price_source: PriceSource = "last"
    fallback_to_snapshot: bool = True
    price_timeout_sec: Decimal = Decimal(11)


class ExecutionSettings(NamedTuple):
    """How orders are sent, followed and limited; 0 in a ``max_*_usd`` means no limit."""

    order_type: Literal["market"] = "market"
    algo_preference: AlgoPreference = "adaptive"
    adaptive_priority: AdaptivePriority = "normal"
    fallback_plain_market: bool = True
    batch_orders: bool = True
    order_timeout_sec: Decimal = Decimal(300)
    plan_max_age_sec: Decimal = Decimal(120)
    price_move_limit_weight: Decimal = Decimal("0.01")
    max_order_usd: Decimal = Decimal(0)
    max_run_usd: Decimal = Decimal(0)
    max_orders: int = 100


class NotifySettings(NamedTuple):
    """Which command hears how a check or run ended, in words and without a shell; empty: none."""

    command: tuple[str, ...] = ()
    on: tuple[NotifyEvent, ...] = ("due", "traded", "failed")


class IoSettings(NamedTuple):
    """Where reports go and how much is logged."""

    report_dir: Path = Path("reports")
    html_report: bool = True
    log_level: str = "INFO"


class ContractChoice(NamedTuple):
    """Which instrument a ticker means: by its contract id, or (``con_id`` 0) by its exchange."""

    con_id: int = 0
    exchange: str = ""

    def __str__(self) -> str:
        return str(self.con_id) if self.con_id else self.exchange


ContractChoices = Mapping[str, ContractChoice]
"""Ticker → what is meant by it, as [contracts] says."""


class Settings(NamedTuple):
    """Everything one run is told; ``models`` maps model name → fraction, summing to 1.

    ``source`` names the file, ``content`` is what was read from it, and ``lines`` gives the line
    of each key that stands in it, by section and key. A file with ``[account:NAME]`` sections gives
    one such record per account, with its ``name``, its ``label`` and the CSV it names, if any.
    """

    ibkr: IbkrSettings
    models: Mapping[str, Decimal]
    rebalance: RebalanceSettings = RebalanceSettings()
    pricing: PricingSettings = PricingSettings()
    execution: ExecutionSettings = ExecutionSettings()
    notify: NotifySettings = NotifySettings()
    io: IoSettings = IoSettings()
    contracts: ContractChoices = MappingProxyType({})
    source: str = ""
    warnings: tuple[str, ...] = ()
    content: bytes = b""
    lines: Mapping[tuple[str, str], int] = MappingProxyType({})
    name: str = ""
    label: str = ""
    csv: Path | None = None


def account_title(settings: Settings) -> str:
    """How a list of accounts names one: ``joint "Family account"``; nothing for the only one."""
    if settings.label in {"", settings.name}:
        return settings.name
    return f'{settings.name} "{settings.label}"'
