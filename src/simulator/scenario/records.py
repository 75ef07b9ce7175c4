"""The scenario: starting accounts, contracts, prices, order behaviour and faults, as data.

One JSON file describes it; keys are the field names of the records in ``scenario_*.py`` and all of
them are optional. The default is a healthy gateway whose market is open now and which fills market
orders ``fill_delay_sec`` after they arrive. Accounts, contracts and rates that a file leaves out
are the sample account's; without ``accounts``, or where one has no ``con_id`` or ``price``, its
``contracts`` change or add to the sample's, by ``con_id`` or stock symbol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from src.simulator.scenario.accounts import (
    AccountSetup,
    ExecutionSetup,
    OrderSetup,
    PositionSetup,
    Status,
    UnsettledSetup,
    ValueOverride,
    check_currency,
)
from src.simulator.scenario.calendar import MarketMode
from src.simulator.scenario.contracts import ContractSetup, MarketDataSetup, PriceStep
from src.simulator.scenario.faults import GatewaySettings, ScheduledEvent, WireFaults
from src.simulator.scenario.orders import (
    CancelSetup,
    CommissionSetup,
    Correction,
    FillStep,
    Hold,
    Notice,
    OrderBehaviour,
    OrderRule,
    Rejection,
    WhatIfSetup,
)
from src.simulator.scenario.reader import RawDecimal, ScenarioError, read_json, read_record
from src.simulator.scenario.sample import (
    SAMPLE_ACCOUNT,
    find_scenario,
    go_on_with,
    scenario_data,
)

__all__ = [
    "SAMPLE_ACCOUNT",
    "AccountSetup",
    "CancelSetup",
    "CommissionSetup",
    "ContractSetup",
    "Correction",
    "ExecutionSetup",
    "FillStep",
    "GatewaySettings",
    "Hold",
    "MarketDataSetup",
    "Notice",
    "OrderBehaviour",
    "OrderRule",
    "OrderSetup",
    "PositionSetup",
    "PriceStep",
    "RawDecimal",
    "Rejection",
    "Scenario",
    "ScenarioError",
    "ScheduledEvent",
    "Status",
    "UnsettledSetup",
    "ValueOverride",
    "WhatIfSetup",
    "WireFaults",
    "find_scenario",
    "load_scenario",
]

WANDERING = {"daily_move_pct": Decimal(1)}
MOVING = {**WANDERING, "fill_delay_sec": Decimal("0.8"), "fill_spread_sec": Decimal("0.6")}
"""What makes a market of a person's rehearsal: market orders fill within a second or so, Adaptive
ones in two, and prices go up and down."""
_RATE_STEP = Decimal("0.0000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything the simulated exchange starts from.

    ``usd_rates``: US dollars for one unit of a currency. ``clock``: the exchange's own time at the
    start, with the real trading calendar; without it the market is ``open`` now. ``kept_at``: when
    accounts and orders were as given, where an earlier gateway left them. ``market`` stages
    another state around the clock. Orders fill ``fill_delay_sec`` after they arrive, and by chance
    up to ``fill_spread_sec`` later, Adaptive and MIDPRICE some of these more. ``daily_move_pct``:
    how far prices wander in a day, 0: they stand still. ``seed``: other chances.
    """

    accounts: tuple[AccountSetup, ...]
    description: str = ""
    clock: datetime | None = None
    kept_at: datetime | None = None
    market: Literal["auto", "open", "closed", "pre", "holiday", "halfday"] = "auto"
    usd_rates: Mapping[str, Decimal] = field(default_factory=dict)
    contracts: tuple[ContractSetup, ...] = ()
    fill_delay_sec: float = 0.05
    fill_spread_sec: float = 0
    daily_move_pct: float = 0
    seed: int = 1
    order_rules: tuple[OrderRule, ...] = ()
    orders: tuple[OrderSetup, ...] = ()
    events: tuple[ScheduledEvent, ...] = ()
    gateway: GatewaySettings = GatewaySettings()
    wire: WireFaults = WireFaults()

    def __post_init__(self) -> None:
        if not self.accounts:
            raise ValueError("accounts: at least one is needed")
        _refuse_repeats("accounts", [account.account_id for account in self.accounts])
        _refuse_repeats("contracts", [str(contract.con_id) for contract in self.contracts])
        for name in ("fill_delay_sec", "fill_spread_sec", "daily_move_pct", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative; found {getattr(self, name)}")
        for code, rate in self.usd_rates.items():
            check_currency(code)
            if rate <= 0:
                raise ValueError(f"usd_rates.{code}: must be above 0; found {rate}")
        for code in self._currencies():
            self.rate(code, "USD")
        self._check_references()

    @property
    def market_mode(self) -> MarketMode:
        """The calendar to use; ``auto`` is the real one with a clock, else an open market."""
        if self.market != "auto":
            return self.market
        return "real" if self.clock is not None else "open"

    def rate(self, currency: str, into: str) -> Decimal:
        """Value of one unit of ``currency`` in ``into``; raises ValueError for an unknown one."""
        if currency == into:
            return Decimal(1)
        rates = {"USD": Decimal(1), **self.usd_rates}
        for code in (currency, into):
            if code not in rates:
                raise ValueError(f"usd_rates.{code}: a rate is needed for this currency")
        return (rates[currency] / rates[into]).quantize(_RATE_STEP)

    def contract(self, symbol: str, con_id: int = 0) -> ContractSetup:
        """The contract of that id, or the only stock of that symbol; raises ValueError."""
        if con_id:
            found = [item for item in self.contracts if item.con_id == con_id]
        else:
            found = [c for c in self.contracts if c.symbol == symbol and c.sec_type == "STK"]
        if len(found) != 1:
            name = f"con_id {con_id}" if con_id else f"symbol {symbol!r}"
            raise ValueError(f"{name} names {len(found)} of the contracts, not one")
        return found[0]

    def account(self, account_id: str) -> AccountSetup:
        """The account of that id; an empty id is the first one; raises ValueError."""
        if not account_id:
            return self.accounts[0]
        for account in self.accounts:
            if account.account_id == account_id:
                return account
        raise ValueError(f"account {account_id!r} is not one of the accounts")

    def _currencies(self) -> set[str]:
        found = {contract.currency for contract in self.contracts}
        for account in self.accounts:
            found |= {account.base_currency, *account.cash, *account.accrued_cash}
        charged = {rule.then.commission.currency for rule in self.order_rules}
        return found | (charged - {""})

    def _check_references(self) -> None:
        for account in self.accounts:
            for position in account.positions:
                self.contract(position.symbol, position.con_id)
        for order in self.orders:
            self.contract(order.symbol, order.con_id)
            self.account(order.account_id)
        for event in self.events:
            self.account(event.account_id)
            if event.symbol or event.con_id:
                self.contract(event.symbol, event.con_id)


def load_scenario(
    path: Path | str = SAMPLE_ACCOUNT, *, moves: bool = False, kept: Path | None = None
) -> Scenario:
    """Read and check a scenario file; ``moves``: its market does so, if it says nothing else.

    ``kept``: a file in which an earlier gateway left accounts, orders and prices; they hold in
    place of the scenario's.
    Raises: ScenarioError naming the file and the path in it.
    """
    if kept is not None:
        load_scenario(path)  # what is wrong from here on is wrong in the kept file
    file = kept or Path(path)
    try:
        data = scenario_data(Path(path))
        if kept is not None:
            data = go_on_with(data, read_json(kept))
        if moves and isinstance(data, dict):
            data = {**(MOVING if "fill_delay_sec" not in data else WANDERING), **data}
        return read_record(Scenario, data, "")
    except ScenarioError as error:
        text = str(error)
        raise ScenarioError(text if text.startswith(str(file)) else f"{file}: {text}") from error


def _refuse_repeats(what: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{what}: {', '.join(repeated)} appears more than once")
