"""Asking what orders would cost, through the real client: no order leaves, nothing is made up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from src.app.proposing.session import open_session
from src.base.errors import BrokerLost, Refused, StrayOrder
from src.broker.ibkr_client import IbkrSession
from src.broker.sending import what_if_desk
from src.core.costs.what_if import NO_ANSWER, READ_ONLY, PlanCosts, TicketCost
from src.core.costs.what_if_permit import WhatIfPermit, permit_what_ifs
from src.core.records.orders import Side
from src.core.records.plan import OrderTicket
from src.simulator.gateway.server import SimulatedGateway
from src.simulator.messages.requests import PlaceOrder
from src.simulator.messages.tables import parse_request
from src.simulator.scenario.records import (
    GatewaySettings,
    Notice,
    OrderBehaviour,
    OrderRule,
    Scenario,
    WhatIfSetup,
)
from tests.kits.builders import ticket
from tests.kits.client_kit import gateway, gateway_of, limited, settings_for, talk, with_wire
from tests.kits.exchange_kit import ACCOUNT, IAU, SPY, behaving, scenario
from tests.kits.journal_kit import PLAN

SELL_SPY = replace(ticket("SPY", Side.SELL, 10, 600), con_id=SPY.con_id)
BUY_IAU = replace(ticket("IAU", Side.BUY, 20, 60), con_id=IAU.con_id)
TICKETS = (SELL_SPY, BUY_IAU)
MARGIN_REFUSAL = Notice(code=201, text="Order rejected - reason:MARGIN")


def permit(*tickets: OrderTicket) -> WhatIfPermit:
    return permit_what_ifs(replace(PLAN, account_id=ACCOUNT, tickets=tickets or TICKETS))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of a real run, in tenths."""
    monkeypatch.setattr(what_if_desk, "DEADLINE_SEC", 1.0)
    monkeypatch.setattr(what_if_desk, "QUIET_SEC", 0.1)
    monkeypatch.setattr(what_if_desk, "_END_SEC", 0.2)


def asking(
    *tickets: OrderTicket, version: int = 178
) -> Callable[[IbkrSession], Awaitable[tuple[TicketCost, ...]]]:
    async def work(session: IbkrSession) -> tuple[TicketCost, ...]:
        costs = await session.open_what_if_desk(permit(*tickets)).ask()
        check_wire(gateway_of(session), len(tickets or TICKETS), version)
        return costs

    return work


def check_wire(server: SimulatedGateway, questions: int, version: int = 178) -> None:
    """Only whatIf = 1 and transmit = 1 left, each under an id of its own, and no cancel."""
    places = [one.fields for one in server.wire_log if one.name == "PlaceOrder"]
    sent = [parse_request(fields, version) for fields in places]
    orders = [one for one in sent if isinstance(one, PlaceOrder)]
    assert len({one.order_id for one in orders}) == len(sent) == questions
    assert all(one.order.what_if and one.order.transmit for one in orders)
    assert not [one for one in server.wire_log if one.name == "CancelOrder"]


def commissions(cost: TicketCost) -> str:
    known = cost.figures.commissions
    return "unknown" if known is None else f"{known[0]:f} to {known[1]:f}"


def answered(setup: WhatIfSetup, *symbols: str) -> Scenario:
    rule = OrderRule(then=OrderBehaviour(what_if=setup), symbols=symbols)
    return scenario(order_rules=(rule,))


def test_each_ticket_gets_its_commission_and_margin() -> None:
    sold, bought = talk(scenario(), asking())
    assert (sold.symbol, commissions(sold)) == ("SPY", "1 to 1")
    assert sold.figures.before.initial == 6000
    assert sold.figures.change.initial == Decimal("-3000.05")
    assert bought.figures.change.initial == Decimal("600.1")
    assert {sold.refusal, sold.unknown, bought.refusal, bought.unknown} == {""}
    costs = PlanCosts(tickets=(sold, bought), usd_per_base=Decimal(1))
    assert costs.commissions() == {"USD": (Decimal(2), Decimal(2))}
    assert costs.after.initial == Decimal("3600.05")


def test_a_range_of_commissions_stays_a_range() -> None:
    (sold,) = talk(answered(WhatIfSetup(answer="range")), asking(SELL_SPY))
    assert commissions(sold) == "1 to 2"


def test_an_answer_without_figures_is_followed_by_one_with_them() -> None:
    (sold,) = talk(answered(WhatIfSetup(answer="twice", after_sec=0.4)), asking(SELL_SPY))
    assert commissions(sold) == "1 to 1"
    assert sold.unknown == ""


def test_an_answer_that_never_comes_is_unknown() -> None:
    sold, bought = talk(answered(WhatIfSetup(answer="never"), "SPY"), asking())
    assert sold.unknown == NO_ANSWER
    assert sold.figures.commissions is None
    assert commissions(bought) == "1 to 1"
    assert PlanCosts(tickets=(sold, bought), usd_per_base=Decimal(1)).after.initial is None


def test_an_answer_that_stays_unset_is_unknown_and_never_0() -> None:
    (sold,) = talk(answered(WhatIfSetup(answer="unset")), asking(SELL_SPY))
    assert sold.unknown == "the answer came without figures"
    assert sold.figures.commissions is None
    assert sold.figures.before.initial is None


@pytest.mark.parametrize("code", [321, 399, 103, 4711])
def test_an_error_that_is_no_refusal_is_unknown_with_its_words(code: int) -> None:
    words = Notice(code=code, text="some words")
    (sold,) = talk(answered(WhatIfSetup(answer="never", refusal=words)), asking(SELL_SPY))
    assert (sold.unknown, sold.refusal) == (f"{code}: some words", "")


def test_a_refusal_instead_of_figures_is_one() -> None:
    setup = WhatIfSetup(answer="never", refusal=MARGIN_REFUSAL)
    (sold,) = talk(answered(setup), asking(SELL_SPY))
    assert (sold.unknown, sold.refusal) == ("", "201: Order rejected - reason:MARGIN")


def test_a_refusal_that_follows_the_figures_is_heard() -> None:
    late = replace(MARGIN_REFUSAL, after_sec=0.05)
    (sold,) = talk(answered(WhatIfSetup(refusal=late)), asking(SELL_SPY))
    assert sold.refusal == "201: Order rejected - reason:MARGIN"
    assert commissions(sold) == "1 to 1"


def test_a_read_only_api_says_so() -> None:
    setting = scenario(gateway=GatewaySettings(read_only_api=True))
    assert {one.unknown for one in talk(setting, asking())} == {READ_ONLY}


def test_what_the_broker_warns_of_is_kept() -> None:
    (sold,) = talk(answered(WhatIfSetup(warning="mind the gap")), asking(SELL_SPY))
    assert sold.warnings == ("mind the gap",)


def test_a_market_that_is_closed_tells_a_range() -> None:
    sold, _ = talk(scenario(market="closed"), asking())
    assert commissions(sold) == "1 to 2"


def test_a_question_that_becomes_an_order_is_an_alarm_and_is_cancelled() -> None:
    names: list[str] = []

    async def work(session: IbkrSession) -> None:
        try:
            await session.open_what_if_desk(permit(SELL_SPY)).ask()
        finally:
            names.extend(one.name for one in gateway_of(session).wire_log)

    setup = WhatIfSetup(answer="order")
    setting = behaving(OrderBehaviour(what_if=setup, never_fills=True))
    with pytest.raises(StrayOrder, match=r"SELL 10 SPY.*status Cancelled.*a cancel was sent"):
        talk(setting, work)
    assert names.count("CancelOrder") == 1


def test_a_question_that_was_executed_is_an_alarm_too() -> None:
    setup = WhatIfSetup(answer="order")
    with pytest.raises(StrayOrder, match="10 shares executed") as caught:
        talk(replace(behaving(OrderBehaviour(what_if=setup)), fill_delay_sec=0), asking(SELL_SPY))
    assert caught.value.exit_code == 4


def test_a_stray_order_is_told_although_the_connection_is_lost_then() -> None:
    stray = behaving(OrderBehaviour(what_if=WhatIfSetup(answer="order"), never_fills=True))
    setting = with_wire(stray, close_after_request=(2,), only_order_messages=True)
    with pytest.raises(StrayOrder, match=r"SELL 10 SPY.*may not have arrived.*was lost"):
        talk(setting, asking(SELL_SPY))


def test_a_stray_order_is_cancelled_and_told_although_the_user_interrupts() -> None:
    names: list[str] = []

    async def work(session: IbkrSession) -> None:
        desk = session.open_what_if_desk(permit(SELL_SPY))
        book, heard = desk._questions, desk._on_news
        asked = asyncio.ensure_future(desk.ask())

        def interrupt() -> None:
            heard()
            if book.strays:
                book.on_news = heard
                asked.cancel()

        book.on_news = interrupt
        try:
            await asked
        finally:
            names.extend(one.name for one in gateway_of(session).wire_log)

    setting = behaving(OrderBehaviour(what_if=WhatIfSetup(answer="order"), never_fills=True))
    with pytest.raises(StrayOrder, match=r"SELL 10 SPY.*a cancel was sent"):
        talk(setting, work)
    assert names.count("CancelOrder") == 1


def test_without_a_what_if_desk_no_what_if_leaves_and_afterwards_none_does() -> None:
    async def work(session: IbkrSession) -> None:
        desk = session.open_what_if_desk(permit(SELL_SPY))
        client = session._connection.link.client
        with pytest.raises(Refused, match="blocked placeOrder"):
            client.sendMsg("3\x005\x00")
        await desk.ask()
        with pytest.raises(Refused, match="blocked placeOrder"):
            client.sendMsg("3\x005\x00")

    talk(scenario(), work)


def test_a_reading_session_may_ask_and_the_ids_are_no_ticket_s() -> None:
    async def main() -> int:
        async with gateway() as server, open_session(settings_for(server.port)) as session:
            desk = session.open_what_if_desk(permit())
            await desk.ask(500)
            check_wire(server, 2)
            ids = [int(one.fields[1]) for one in server.wire_log if one.name == "PlaceOrder"]
            assert min(ids) >= 500
            return session.highest_order_id - max(ids)

    assert limited(main()) == 0


def test_a_lost_connection_ends_the_asking() -> None:
    with pytest.raises(BrokerLost, match="lost"):
        talk(with_wire(scenario(), close_after_request=(2,), only_order_messages=True), asking())


@pytest.mark.parametrize("version", [157, 159, 160, 165, 169, 176, 177])
def test_the_question_is_understood_at_other_server_versions(version: int) -> None:
    sold, bought = talk(with_wire(scenario(), server_version=version), asking(version=version))
    assert commissions(sold) == commissions(bought) == "1 to 1"


def test_a_what_if_permit_opens_no_order_desk() -> None:
    """The type checker proves it: without the mark below it fails on this line."""

    async def work(session: IbkrSession) -> None:
        with pytest.raises(Refused, match="no permit to trade"):
            session.open_order_desk(permit())  # type: ignore[arg-type]

    talk(scenario(), work)


def test_no_what_if_desk_opens_beside_another_account() -> None:
    async def work(session: IbkrSession) -> None:
        other = replace(permit(), account_id="DU7654321")
        with pytest.raises(Refused, match="which is not this session's"):
            session.open_what_if_desk(other)

    talk(scenario(), work)
