"""A long sell through the whole program: the market closes, a price jumps, somebody trades."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from src.base.settings import ExecutionSettings
from src.simulator.scenario.records import (
    MarketDataSetup,
    OrderBehaviour,
    Rejection,
    ScheduledEvent,
)
from tests.faults.market import market, rule
from tests.simulation.campaign import played
from tests.simulation.kit import script
from tests.simulation.script import Invocation, Task

EARLY_CLOSE = datetime(2025, 7, 3, 17, 0, tzinfo=timezone.utc)
"""13:00 in New York: the day before Independence Day is short."""

CONFIRM = Invocation(task=Task.CONFIRM)
SLOW = OrderBehaviour(fill_delay_sec=40)


def test_buys_are_not_sent_after_the_close_of_a_short_day() -> None:
    """The sells fill a moment before the market closes, or the closing auction fills them."""
    start = EARLY_CLOSE - timedelta(seconds=20)
    setting = market(rule(SLOW, "BBB"), clock=start)
    with played(replace(script(setting, CONFIRM), start_utc=start)) as world:
        assert world.violations == []
        (ending,) = world.endings
        assert ending.code == 4
        assert {one.request.order.action for one in world.orders} == {"SELL"}
        assert "the market is closed since 2025-07-03 17:00 UTC" in ending.out
        assert "it opens 2025-07-07 13:30 UTC" in ending.out


def test_a_fallback_is_not_sent_after_the_close_of_a_short_day() -> None:
    start = EARLY_CLOSE - timedelta(seconds=20)
    refused = OrderBehaviour(reject=Rejection(code=442, text="Unsupported algo", after_sec=30))
    setting = market(rule(refused, "AAA"), clock=start)
    adaptive = ExecutionSettings(algo_preference="adaptive")
    with played(replace(script(setting, CONFIRM, execution=adaptive), start_utc=start)) as world:
        assert world.violations == []
        (ending,) = world.endings
        assert ending.code == 4
        assert [one.request.contract.symbol for one in world.orders] == ["AAA", "BBB"]
        assert "the market is closed" in ending.out


@pytest.mark.parametrize("percent", [20, 200])
def test_a_price_that_jumps_during_the_sells_leaves_the_buffer(percent: int) -> None:
    risen = Decimal(25) * (100 + percent) / 100
    jump = ScheduledEvent(what="price", symbol="CCC", value=risen, after_orders=1, after_sec=20)
    with played(script(market(rule(SLOW, "AAA"), events=(jump,)), CONFIRM)) as world:
        assert world.violations == []
        assert world.account.cash["USD"] > 0
        assert "refitted from" in world.endings[0].out + _report(world.report_dir)


def _report(directory: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in directory.glob("*post*.csv"))


def test_a_manual_trade_in_a_gap_with_no_order_open_is_seen() -> None:
    """The line is away while slow quotes for the buys are read: no order is in doubt."""
    gap = (
        ScheduledEvent(what="link_lost", told_after="never", after_orders=2, after_sec=1),
        ScheduledEvent(
            what="position", symbol="DDD", value=Decimal(30), after_orders=2, after_sec=2
        ),
        ScheduledEvent(what="link_back", after_orders=2, after_sec=8),
    )
    late = MarketDataSetup(access="delayed", refusal=354, delay_sec=3)
    setting = market(events=gap)
    contracts = tuple(
        replace(one, market_data=late) if one.symbol == "CCC" else one for one in setting.contracts
    )
    with played(script(replace(setting, contracts=contracts), CONFIRM)) as world:
        assert world.violations == []
        (ending,) = world.endings
        assert ending.code == 4
        assert {one.request.order.action for one in world.orders} == {"SELL"}
        assert "the account changed during a gap: DDD" in ending.out
