"""The faults of one seed on their way into its scenario.

A fault *lies* when the broker contradicts itself for good, so that nobody could know the truth:
more shares than were ordered, a refused order that fills, an execution in another name. It
*meddles* when somebody or something else moves prices, money or holdings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from src.simulator.scenario.records import (
    AccountSetup,
    GatewaySettings,
    MarketDataSetup,
    OrderBehaviour,
    OrderRule,
    OrderSetup,
    ScheduledEvent,
    WireFaults,
)


@dataclass(slots=True)
class Trouble:
    """The faults drawn so far, on their way into the scenario."""

    chance: Random
    symbols: tuple[str, ...]
    rules: list[OrderRule] = field(default_factory=list)
    events: list[ScheduledEvent] = field(default_factory=list)
    orders: list[OrderSetup] = field(default_factory=list)
    wire: WireFaults = field(default_factory=WireFaults)
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    data: dict[str, MarketDataSetup] = field(default_factory=dict)
    reported: dict[str, Any] = field(default_factory=dict)
    overrides: list[tuple[str, str, str | None]] = field(default_factory=list)
    market: str = "open"
    starts_at: datetime | None = None
    answer_sec: float | None = None
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    contract: dict[str, dict[str, Any]] = field(default_factory=dict)
    other_accounts: tuple[AccountSetup, ...] = ()
    fill_delay_sec: float = 0.05
    lies: bool = False
    meddles: bool = False

    @property
    def symbol(self) -> str:
        return self.chance.choice(self.symbols)

    def pick(self, *options: Any) -> Any:
        """One of these."""
        return self.chance.choice(options)

    def rule(self, behaviour: OrderBehaviour) -> None:
        """Let some orders behave so: one symbol, one side, some of the first few, or all."""
        kind = self.chance.random()
        if kind < 0.4:
            self.rules.append(OrderRule(then=behaviour, symbols=(self.symbol,)))
        elif kind < 0.55:
            side = "BUY" if self.chance.random() < 0.5 else "SELL"
            self.rules.append(OrderRule(then=behaviour, sides=(side,)))  # type: ignore[arg-type]
        elif kind < 0.9:
            numbers = tuple(sorted({self.chance.randint(1, 6) for _ in range(2)}))
            self.rules.append(OrderRule(then=behaviour, numbers=numbers))
        else:
            self.rules.append(OrderRule(then=behaviour))

    def event(self, **values: Any) -> None:
        """Something that happens once, by time or after so many orders."""
        if self.chance.random() < 0.6:
            values["after_orders"] = self.chance.randint(1, 5)
            values["after_sec"] = self.chance.choice((0, 0.02, 0.06, 1))
        else:
            values["after_sec"] = round(self.chance.uniform(0.1, 20), 2)
        self.events.append(ScheduledEvent(**values))


Fault = Callable[[Trouble], None]
"""Adds one kind of trouble."""
