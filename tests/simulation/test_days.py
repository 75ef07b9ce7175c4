"""Three trading days in a row with a holiday between them: each day starts where the last ended."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from src.simulator.scenario.records import ScheduledEvent
from tests.faults.market import ACCOUNT, market
from tests.simulation.campaign import played
from tests.simulation.kit import WEDNESDAY, script
from tests.simulation.script import Invocation, Kill, Task
from tests.simulation.world import World

DAY_SEC = 86_400.0
HOUR_SEC = 3_600.0


def price(symbol: str, usd: int, after_sec: float) -> ScheduledEvent:
    return ScheduledEvent(what="price", symbol=symbol, value=Decimal(usd), after_sec=after_sec)


def held(world: World) -> dict[str, Decimal]:
    account = world.exchange._floor.accounts[ACCOUNT]
    return {one.contract.symbol: one.quantity for one in account.holdings.values()}


def bought(world: World, day: int) -> dict[str, Decimal]:
    """Signed shares by symbol that the exchange executed in the run of one day."""
    ending = world.endings[day]
    found: dict[str, Decimal] = {}
    for one in world.exchange._floor.book.executions.values():
        if ending.run_id in one.order_ref:
            sign = 1 if one.live.is_buy else -1
            symbol = one.contract.symbol
            found[symbol] = found.get(symbol, Decimal(0)) + sign * one.shares
    return found


def test_three_days_and_a_holiday() -> None:
    scenario = market(
        clock=WEDNESDAY,
        events=(
            price("AAA", 112, DAY_SEC / 2),
            price("CCC", 20, DAY_SEC / 2),
            price("CCC", 26, 1.5 * DAY_SEC),
            price("AAA", 90, 4.5 * DAY_SEC),
            price("DDD", 230, 4.5 * DAY_SEC),
        ),
    )
    start = Invocation(task=Task.CONFIRM, pause_sec=HOUR_SEC / 2)
    next_day = replace(start, pause_sec=DAY_SEC)
    on_monday = replace(start, pause_sec=3 * DAY_SEC, is_healed=True)
    again = Invocation(task=Task.DRY_RUN, pause_sec=60)
    played_days = script(scenario, start, again, next_day, again, next_day, on_monday, again)
    with played(played_days) as world:
        assert world.violations == []
        assert [one.code for one in world.endings] == [0, 0, 0, 0, 5, 0, 0]
        holiday = world.endings[4]
        assert "closed" in holiday.error
        assert not [one for one in holiday.records if one.name == "PlaceOrder"]
        for second_look in (1, 3, 6):
            assert "Nothing to trade." in world.endings[second_look].out
        days = [bought(world, day) for day in (0, 2, 5)]
        assert all(days)
        began = {"AAA": Decimal(100), "BBB": Decimal(100)}
        for symbol, shares in held(world).items():
            moved = sum((day.get(symbol, Decimal(0)) for day in days), Decimal(0))
            assert began.get(symbol, Decimal(0)) + moved == shares
        assert world.endings[-1].still_open == ()


def test_a_run_that_died_on_one_day_is_settled_on_the_next() -> None:
    """The executions of yesterday are not listed any more: what is in doubt stays in doubt."""
    dies = Invocation(task=Task.CONFIRM, kill=Kill(at="commit", number=4, is_after=True))
    next_day = Invocation(task=Task.CONFIRM, pause_sec=DAY_SEC)
    accepted = Invocation(task=Task.ACCEPT, pause_sec=60)
    at_last = Invocation(task=Task.CONFIRM, pause_sec=60)
    with played(script(market(clock=WEDNESDAY), dies, next_day, accepted, at_last)) as world:
        assert world.violations == []
        assert [one.code for one in world.endings] == [None, 5, 0, 0]
        assert "unresolved" in world.endings[1].error
        assert world.endings[-1].still_open == ()
