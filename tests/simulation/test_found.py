"""What the simulation has found, each as a script of its own: seeds change, these stay."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest
from ib_async.client import Client

from src.base.settings import ExecutionSettings, IbkrSettings
from src.broker.reading.ib_link import Link
from src.core.run.outcome import run_outcomes
from src.simulator.scenario.records import (
    FillStep,
    GatewaySettings,
    OrderBehaviour,
    ScheduledEvent,
)
from tests.faults.market import ACCOUNT, market, rule
from tests.simulation.campaign import played
from tests.simulation.facts import cancelled_ids
from tests.simulation.kit import script
from tests.simulation.script import Invocation, Kill, Task
from tests.simulation.world import World

CONFIRM = Invocation(task=Task.CONFIRM)
QUICK = ExecutionSettings(algo_preference="none", order_timeout_sec=Decimal(5))


def test_a_cancel_that_is_due_after_the_last_order_is_sent() -> None:
    """The line came back after the orders were given up: the cancel stayed, the loop spun."""
    lost = ScheduledEvent(what="link_lost", after_orders=1, after_sec=1)
    back = ScheduledEvent(what="link_back", after_orders=1, after_sec=130)
    scenario = market(rule(OrderBehaviour(never_fills=True), "AAA"), events=(lost, back))
    with played(script(scenario, CONFIRM, execution=QUICK)) as world:
        assert world.violations == []
        assert world.endings[0].code == 4
        assert list(cancelled_ids(world.gateway.wire_log))


def test_a_journal_with_a_gap_leaves_its_run_open() -> None:
    """The disk was full for the fills and had room again for the last, small record."""
    for commit in range(4, 12):
        starts = (
            Invocation(task=Task.CONFIRM, journal_full_at=commit),
            Invocation(task=Task.CONFIRM, pause_sec=60, is_healed=True),
        )
        with played(script(market(), *starts), look=_filled) as world:
            assert world.violations == []
            first = world.endings[0]
            assert first.code in (0, 4, 5)
            assert world.noted == sum(
                one.shares for one in world.order_book.executions.values()
            ), "a fill is on no record"


def _filled(world: World) -> Decimal:
    """Shares that the journal knows of, over all runs."""
    return sum(
        (
            fill.qty_shares
            for state in world.runs()
            for one in run_outcomes(state)
            for fill in one.fills
        ),
        Decimal(0),
    )


def test_a_short_position_does_not_keep_a_run_from_being_settled() -> None:
    """Tomorrow the executions can no longer be proven, whatever is wrong with the account."""
    extra = FillStep(after_sec=0.01, quantity=Decimal(60), extra=True)
    scenario = market(rule(OrderBehaviour(fills=(FillStep(), extra)), "AAA"))
    starts = (
        CONFIRM,
        Invocation(task=Task.RECOVER, pause_sec=5),
        Invocation(task=Task.ACCEPT, pause_sec=5),
    )
    with played(script(scenario, *starts)) as world:
        assert world.account.holdings[11].quantity < 0
        assert [one.code for one in world.endings] == [4, 5, 0]
        assert world.endings[-1].still_open == ()


def test_figures_of_before_the_last_run_are_not_traded_again() -> None:
    """Positions lag: a second start sold what was sold already, into a short position."""
    scenario = market(gateway=GatewaySettings(account_lag_sec=60))
    starts = (
        CONFIRM,
        Invocation(task=Task.CONFIRM, pause_sec=2),
        Invocation(task=Task.DRY_RUN, pause_sec=2),
        Invocation(task=Task.CONFIRM, pause_sec=60),
    )
    with played(script(scenario, *starts)) as world:
        assert world.violations == []
        assert [one.code for one in world.endings] == [4, 5, 0, 0]
        assert "does not show yet" in world.endings[1].error
        assert "does not show yet" in world.endings[2].out
        assert "Nothing to trade." in world.endings[3].out


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("instrument", None),
        ("operator", None),
        ("operator", "Nowhere Standard Time"),
        ("bare", None),
        ("bare", ""),
        ("utc", None),
    ],
)
def test_no_zone_and_no_form_of_times_lets_figures_of_before_pass(
    zone: str, form: Literal["instrument", "operator", "bare", "utc"], name: str | None
) -> None:
    """Times in UTC were taken for local ones: in Berlin and Tokyo a second start traded again."""
    gateway = GatewaySettings(
        account_lag_sec=60, time_form=form, time_zone="MET", time_zone_name=name
    )
    starts = (CONFIRM, Invocation(task=Task.CONFIRM, pause_sec=2))
    plain = script(market(gateway=gateway), *starts)
    with played(replace(plain, host_zone=zone)) as world:
        assert world.violations == []
        assert [one.code for one in world.endings] == [4, 5]
        assert "does not show yet" in world.endings[1].error


def test_a_connection_that_is_only_half_made_can_be_closed() -> None:
    """Ctrl+C during a reconnect ended as a bug, with open books and no report."""

    async def main() -> None:
        link = Link(IbkrSettings(account_id=ACCOUNT))
        link.client.connState = Client.CONNECTED
        link.close()
        assert link.client.connState == Client.DISCONNECTED

    asyncio.run(main())


@pytest.mark.parametrize("commit", range(1, 6))
def test_a_recovery_that_dies_leaves_no_report_of_before(commit: int) -> None:
    """The ticket was settled, its run not yet closed again: nobody wrote the report anew."""
    misnamed = FillStep(report_order_ref="IBR-20200101T000000Z-1-1")
    starts = (
        CONFIRM,
        Invocation(task=Task.RECOVER, pause_sec=5, kill=Kill(at="commit", number=commit)),
        Invocation(task=Task.CONFIRM, pause_sec=5),
    )
    scenario = market(rule(OrderBehaviour(fills=(misnamed,)), "AAA"))
    with played(script(scenario, *starts)) as world:
        assert world.violations == []
        assert world.endings[0].code == 4
        assert world.endings[-1].still_open == ()
