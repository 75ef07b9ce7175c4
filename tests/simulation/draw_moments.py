"""Random trouble that falls into a run: a close, a price that jumps, a trade in a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from src.simulator.scenario.records import OrderBehaviour, OrderRule, ScheduledEvent
from tests.simulation.trouble import Fault, Trouble

CLOSES: Final = (
    datetime(2025, 7, 2, 20, 0, tzinfo=timezone.utc),
    datetime(2025, 7, 3, 17, 0, tzinfo=timezone.utc),
    datetime(2025, 11, 28, 18, 0, tzinfo=timezone.utc),
)
"""16:00 in New York on a usual day, 13:00 on two short ones, before and after the clocks change."""


def slow_sells(trouble: Trouble) -> None:
    """So that something can happen before the buys."""
    slow = OrderBehaviour(fill_delay_sec=trouble.chance.choice((3, 8, 8, 20)))
    trouble.rules.insert(0, OrderRule(then=slow, sides=("SELL",)))


def market_closes(trouble: Trouble) -> None:
    """The session ends while the sells work, or now and then while the question is open."""
    before = timedelta(seconds=trouble.chance.choice((2, 4, 5, 6, 8)))
    trouble.starts_at = trouble.chance.choice(CLOSES) - before
    trouble.market, trouble.answer_sec = "auto", 0.5
    slow_sells(trouble)


def price_jumps(trouble: Trouble) -> None:
    """A fifth up or down, or more, while the sells work."""
    slow_sells(trouble)
    symbol = trouble.symbol
    factor = Decimal(trouble.chance.choice((50, 80, 105, 120, 200))) / 100
    trouble.events.append(
        ScheduledEvent(
            what="price",
            symbol=symbol,
            value=(trouble.prices[symbol] * factor).quantize(Decimal("0.01")),
            after_orders=1,
            after_sec=trouble.chance.choice((0.5, 2, 7)),
        )
    )
    trouble.meddles = True


def traded_in_a_gap(trouble: Trouble) -> None:
    """The gateway's line is away, and somebody trades, pays in or out, or types an order."""
    if trouble.chance.random() < 0.7:
        slow_sells(trouble)
    began = ScheduledEvent(
        what="link_lost",
        told_after=trouble.pick("later", "never"),
        after_orders=trouble.chance.choice((1, 1, 3)),
        after_sec=trouble.chance.choice((0.02, 0.5, 1)),
    )
    ended = replace(
        began,
        what="link_back",
        code=trouble.chance.choice((1101, 1102)),
        after_sec=began.after_sec + trouble.chance.choice((1, 6, 50)),
    )
    kind = trouble.pick("position", "position", "cash", "order")
    worth = Decimal(trouble.chance.randint(0, 20_000) if kind == "cash" else 7)
    meanwhile = replace(
        began,
        what=kind,
        symbol="" if kind == "cash" else trouble.symbol,
        value=worth,
        after_sec=began.after_sec + 0.5,
    )
    trouble.events += [began, meanwhile, ended]
    trouble.meddles = True


MOMENT_FAULTS: Final[tuple[Fault, ...]] = (market_closes, price_jumps, traded_in_a_gap)
