"""A gateway that is away for longer than a moment, seen through the whole program."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from src.base.errors import BrokerLost
from src.base.settings import ExecutionSettings, IbkrSettings
from src.broker.reading.connection import BrokerConnection
from src.core.orders.events import RECOVERY_SEC
from src.simulator.scenario.records import OrderBehaviour
from tests.faults.market import market, rule
from tests.simulation.campaign import played
from tests.simulation.kit import script
from tests.simulation.script import Invocation, Task
from tests.simulation.virtual_net import VirtualLoop

ANSWERED_SEC = 2.0
SLOW = OrderBehaviour(fill_delay_sec=5)
QUICK = ExecutionSettings(algo_preference="none", order_timeout_sec=Decimal(30))


@pytest.mark.parametrize("away_sec", [11, 33, 80])
def test_a_nightly_restart_while_orders_work_leaves_no_doubt(away_sec: float) -> None:
    """The sells fill while the gateway is away; they are found as soon as it is back."""
    restart = Invocation(task=Task.CONFIRM, outage=(ANSWERED_SEC + 2, away_sec))
    with played(script(market(rule(SLOW)), restart)) as world:
        assert world.violations == []
        (ending,) = world.endings
        assert ending.code == 4
        assert ending.still_open == ()
        assert "Unresolved" not in ending.out
        assert away_sec < ending.spent_sec < away_sec + 25


def test_the_time_limit_of_orders_goes_on_while_the_gateway_restarts() -> None:
    never = OrderBehaviour(never_fills=True)
    restart = Invocation(task=Task.CONFIRM, outage=(ANSWERED_SEC + 2, 80))
    with played(script(market(rule(never)), restart, execution=QUICK)) as world:
        assert world.violations == []
        (ending,) = world.endings
        assert ending.still_open == ()
        cancels = [one.at_utc for one in ending.records if one.name == "CancelOrder"]
        assert len(cancels) == 2
        assert ending.spent_sec < ANSWERED_SEC + 110


def test_a_gateway_that_stays_away_is_given_up_at_the_deadline() -> None:
    """Tries go on with capped pauses until two minutes are over, then the last reason is told."""
    loop = VirtualLoop()
    settings = IbkrSettings(account_id="DU1234567")

    async def main() -> float:
        connection = BrokerConnection(settings)
        with pytest.raises(BrokerLost, match="nothing listens"):
            await connection.reconnect()
        connection.close()
        return loop.time()

    try:
        spent = loop.run_until_complete(main())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    assert RECOVERY_SEC - 10 < spent <= RECOVERY_SEC
