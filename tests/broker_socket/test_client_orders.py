"""The write side over a real socket: what may leave, what it looks like, what comes back."""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from src.app.proposing.session import open_session
from src.base.errors import BrokerLost, NeverSent, Refused
from src.broker.ibkr_client import IbkrSession
from src.core.orders.events import (
    CommissionSeen,
    FillSeen,
    LinkSeen,
    LinkState,
    OpenOrderSeen,
    OrderErrorSeen,
    StatusSeen,
)
from src.core.records.orders import OrderStyle, Side
from src.simulator.messages.requests import PlaceOrder
from src.simulator.scenario.records import (
    CommissionSetup,
    Correction,
    FillStep,
    GatewaySettings,
    Notice,
    OrderBehaviour,
    OrderSetup,
    PositionSetup,
    Rejection,
    WireFaults,
)
from tests.kits.client_kit import (
    SendTimes,
    gateway,
    gateway_of,
    limited,
    sent,
    settings_for,
    talk,
    with_wire,
)
from tests.kits.desk_kit import desk_of, events_until, filled, has_status, order, permit
from tests.kits.exchange_kit import ACCOUNT, account, behaving, scenario


def _bypasses(session: IbkrSession) -> None:
    """Every way around the desk ends before a byte leaves."""
    from ib_async import ExecutionFilter, MarketOrder, Stock

    ib, client = session._connection.link._ib, session._connection.link.client
    contract = Stock("SPY", "SMART", "USD")
    attempts = (
        lambda: ib.placeOrder(contract, MarketOrder("BUY", 1)),
        lambda: client.placeOrder(5, contract, MarketOrder("BUY", 1)),
        lambda: client.cancelOrder(5),
        lambda: client.sendMsg("3\x005\x00"),
        lambda: client.conn.sendMsg(client._prefix(b"3\x005\x00")),
        ib.reqGlobalCancel,
        lambda: ib.reqAutoOpenOrders(autoBind=True),
        lambda: client.exerciseOptions(1, contract, 1, 1, ACCOUNT, 0),
        lambda: client.replaceFA(1, 1, "<xml/>"),
        lambda: client.send(999, "anything"),
        lambda: client.send("03", "5"),
    )
    for attempt in attempts:
        with pytest.raises(Refused, match="blocked"):
            attempt()
    client.reqExecutions(7, ExecutionFilter())


def test_without_a_desk_no_order_message_leaves_whatever_calls() -> None:
    async def work(session: IbkrSession) -> list[str]:
        _bypasses(session)
        await session.fetch_clock_offset()
        return sent(gateway_of(session))

    names = talk(scenario(), work)
    assert names[-2:] == ["ReqExecutions", "ReqCurrentTime"]
    assert len(names) == 5


def test_even_an_open_desk_never_sends_a_global_cancel() -> None:
    async def work(session: IbkrSession) -> list[str]:
        desk_of(session)
        client = session._connection.link.client
        for attempt in (client.reqGlobalCancel, lambda: client.reqAutoOpenOrders(bAutoBind=True)):
            with pytest.raises(Refused, match="never sends"):
                attempt()
        await session.fetch_clock_offset()
        return sent(gateway_of(session))

    assert "ReqGlobalCancel" not in talk(scenario(), work)


def test_a_reading_session_has_no_desk() -> None:
    async def main() -> None:
        async with gateway() as server, open_session(settings_for(server.port)) as session:
            session.open_order_desk(permit())

    with pytest.raises(Refused, match="reading only"):
        limited(main())


def test_a_permit_for_another_account_opens_no_desk() -> None:
    async def work(session: IbkrSession) -> None:
        session.open_order_desk(permit(account_id="DU7654321"))

    with pytest.raises(Refused, match="for account DU7654321, which is not this session"):
        talk(scenario(), work)


def test_a_second_desk_is_refused() -> None:
    async def work(session: IbkrSession) -> None:
        desk_of(session)
        desk_of(session)

    with pytest.raises(Refused, match="one approval, one desk"):
        talk(scenario(), work)


@pytest.mark.parametrize(
    ("style", "order_type", "algo"),
    [
        (OrderStyle.ADAPTIVE, "MKT", "Adaptive"),
        (OrderStyle.MIDPRICE, "MIDPRICE", ""),
        (OrderStyle.PLAIN, "MKT", ""),
    ],
)
def test_an_order_carries_account_ref_tif_and_style(
    style: OrderStyle, order_type: str, algo: str
) -> None:
    received: list[PlaceOrder] = []

    async def work(session: IbkrSession) -> None:
        exchange = gateway_of(session).exchange
        original = exchange.handle

        def spy(client_id: int, request: object, at_utc: object) -> object:
            if isinstance(request, PlaceOrder):
                received.append(request)
            return original(client_id, request, at_utc)  # type: ignore[arg-type]

        exchange.handle = spy  # type: ignore[method-assign, assignment]
        desk = desk_of(session)
        await desk.place(order(desk, style=style, adaptive_priority="urgent", outside_rth=True))
        await events_until(desk, has_status("Filled"))

    talk(scenario(), work)
    (request,) = received
    sent_order = request.order
    assert request.contract.con_id == 1
    assert (request.contract.exchange, request.contract.currency) == ("SMART", "USD")
    assert (sent_order.action, sent_order.total_quantity) == ("SELL", Decimal(10))
    assert (sent_order.order_type, sent_order.tif) == (order_type, "DAY")
    assert (sent_order.account, sent_order.order_ref) == (
        ACCOUNT,
        order_ref := sent_order.order_ref,
    )
    assert order_ref.endswith("-1-1")
    assert sent_order.outside_rth
    assert sent_order.transmit
    assert not sent_order.what_if
    assert sent_order.algo_strategy == algo
    if algo:
        assert [(p.tag, p.value) for p in sent_order.algo_params] == [
            ("adaptivePriority", "Urgent")
        ]


def test_a_fill_brings_every_kind_of_evidence() -> None:
    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        request = order(desk)
        await desk.place(request)
        events = await events_until(desk, lambda event: isinstance(event, CommissionSeen))
        assert filled(events) == 10
        assert any(isinstance(event, OpenOrderSeen) for event in events)
        status = [event for event in events if isinstance(event, StatusSeen)][-1]
        assert (status.order_id, status.client_id, status.status) == (
            request.order_id,
            42,
            "Filled",
        )
        (fill,) = [event.fill for event in events if isinstance(event, FillSeen)][:1]
        assert (fill.order_ref, fill.side, fill.con_id) == (request.order_ref, Side.SELL, 1)
        (again,) = await desk.fetch_fills()
        assert again.exec_id == fill.exec_id
        assert again.commission_usd == 1
        assert await desk.fetch_working_orders() == ()
        (done,) = await desk.fetch_completed_orders() or ()
        assert (done.order_ref, done.filled_shares) == (request.order_ref, Decimal(10))

    talk(scenario(), work)


def test_an_informational_code_is_passed_on_and_means_nothing_by_itself() -> None:
    behaviour = OrderBehaviour(notices=(Notice(code=10349, text="Order TIF was set to DAY"),))

    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        await desk.place(order(desk))
        events = await events_until(desk, has_status("Filled"))
        notices = [event for event in events if isinstance(event, OrderErrorSeen)]
        assert [notice.code for notice in notices] == [10349]
        assert "Cancelled" not in {e.status for e in events if isinstance(e, StatusSeen)}

    talk(behaving(behaviour), work)


def test_a_rejection_comes_as_status_and_code_with_its_text() -> None:
    behaviour = OrderBehaviour(reject=Rejection(code=201, text="Order rejected - reason:<br>KID"))

    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        request = order(desk)
        await desk.place(request)
        events = await events_until(desk, lambda event: isinstance(event, OrderErrorSeen))
        refusal = events[-1]
        assert isinstance(refusal, OrderErrorSeen)
        assert (refusal.order_id, refusal.code) == (request.order_id, 201)
        assert refusal.text == "Order rejected - reason: KID"
        assert filled(events) == 0

    talk(behaving(behaviour), work)


def test_the_gate_stops_what_was_not_approved() -> None:
    async def work(session: IbkrSession) -> list[str]:
        desk = desk_of(session)
        with pytest.raises(Refused, match="was stopped, not sent"):
            await desk.place(order(desk, qty_shares=Decimal(11)))
        await session.fetch_clock_offset()
        return sent(gateway_of(session))

    assert "PlaceOrder" not in talk(scenario(), work)


def test_order_ids_are_above_everything_seen_or_asked_for() -> None:
    resting = OrderSetup(
        symbol="IAU",
        quantity=Decimal(5),
        side="BUY",
        client_id=7,
        order_id=900,
        limit_price=Decimal(1),
    )
    setting = scenario(orders=(resting,), gateway=GatewaySettings(first_order_id=500))

    async def work(session: IbkrSession) -> list[int]:
        desk = desk_of(session)
        ids = [desk.claim_order_id(1), desk.claim_order_id(1)]
        await desk.fetch_working_orders()
        return [*ids, desk.claim_order_id(1), desk.claim_order_id(5000), desk.claim_order_id(1)]

    assert talk(setting, work) == [500, 501, 901, 5000, 5001]


def test_only_own_orders_are_cancelled() -> None:
    async def work(session: IbkrSession) -> list[str]:
        desk = desk_of(session)
        with pytest.raises(Refused, match="not ours to cancel"):
            await desk.cancel(1)
        request = order(desk)
        await desk.place(request)
        await desk.cancel(request.order_id)
        events = await events_until(
            desk, lambda event: isinstance(event, OrderErrorSeen) and event.code == 202
        )
        assert any(has_status("Cancelled")(event) for event in events)
        return sent(gateway_of(session))

    names = talk(behaving(OrderBehaviour(never_fills=True)), work)
    assert names.count("CancelOrder") == 1


def test_corrections_replace_and_are_applied_in_lists() -> None:
    step = FillStep(correction=Correction(after_sec=0.05, price=Decimal(599)))

    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        await desk.place(order(desk))
        await events_until(
            desk, lambda event: isinstance(event, FillSeen) and event.fill.price_usd == 599
        )
        fills = await desk.fetch_fills()
        assert [fill.price_usd for fill in fills] == [599]

    talk(behaving(OrderBehaviour(fills=(step,))), work)


def test_a_commission_that_is_unset_is_unknown_and_not_an_amount() -> None:
    behaviour = OrderBehaviour(commission=CommissionSetup(reported="unset"))

    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        await desk.place(order(desk))
        events = await events_until(desk, lambda event: isinstance(event, CommissionSeen))
        assert isinstance(events[-1], CommissionSeen)
        assert events[-1].commission_usd is None
        assert (await desk.fetch_fills())[0].commission_usd is None

    talk(behaving(behaviour), work)


@pytest.mark.parametrize("fault", ["close_before_request", "close_after_request"])
def test_a_socket_lost_at_an_order_is_said_once_and_the_next_is_not_sent(fault: str) -> None:
    setting = with_wire(scenario(), only_order_messages=True, **{fault: (1,)})

    async def work(session: IbkrSession) -> list[str]:
        desk = desk_of(session)
        await desk.place(order(desk))
        events = await events_until(desk, lambda event: isinstance(event, LinkSeen))
        assert events[-1] == LinkSeen(state=LinkState.SOCKET_LOST, text="the connection was closed")
        with pytest.raises(NeverSent):
            await desk.place(order(desk, 2))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(desk.next_event(), 0.1)
        return sent(gateway_of(session))

    assert talk(setting, work).count("PlaceOrder") == 1


def test_after_a_reconnect_the_desk_finds_the_fill_of_the_gap() -> None:
    setting = with_wire(
        scenario(fill_delay_sec=0.1), only_order_messages=True, close_after_request=(1,)
    )

    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        request = order(desk)
        await desk.place(request)
        await events_until(desk, lambda event: isinstance(event, LinkSeen))
        assert await desk.reconnect() is desk
        await asyncio.sleep(0.2)
        (fill,) = await desk.fetch_fills()
        assert (fill.order_ref, fill.qty_shares) == (request.order_ref, Decimal(10))
        assert desk.claim_order_id(1) > request.order_id
        second = order(desk, 2)
        await desk.place(second)
        await events_until(
            desk, lambda e: isinstance(e, FillSeen) and e.fill.order_ref == second.order_ref
        )

    talk(setting, work)


def test_an_outage_of_the_gateways_line_is_evidence() -> None:
    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        listener = session._connection.link.listener
        listener.error(-1, 1100, "Connectivity lost", "")
        listener.error(-1, 1102, "Connectivity restored", "")
        states = [await desk.next_event(), await desk.next_event()]
        assert [event.state for event in states if isinstance(event, LinkSeen)] == [
            LinkState.UPSTREAM_LOST,
            LinkState.UPSTREAM_BACK,
        ]

    talk(scenario(), work)


def test_many_orders_wait_their_turn_and_are_not_counted_as_sent_before() -> None:
    lines = 120
    money = account(
        cash={"USD": Decimal(10_000_000)},
        positions=(PositionSetup(symbol="SPY", quantity=Decimal(20)),),
    )
    busy = GatewaySettings(working_orders_per_contract=1000)

    async def work(session: IbkrSession) -> int:
        left = SendTimes(session)
        desk = desk_of(session, lines)
        for line in range(1, lines + 1):
            await desk.place(order(desk, line))
            if line in (60, lines):
                await session.fetch_clock_offset()
                assert sent(gateway_of(session)).count("PlaceOrder") == line
        return left.busiest_second()

    setting = scenario(accounts=(money,), gateway=busy, wire=WireFaults(pacing_limit=1000))
    assert talk(setting, work) <= 50


def test_orders_in_the_queue_when_the_connection_ends_were_never_sent() -> None:
    async def work(session: IbkrSession) -> None:
        desk = desk_of(session, 100)
        client = session._connection.link.client
        places = [asyncio.ensure_future(desk.place(order(desk, line))) for line in range(1, 101)]
        await asyncio.sleep(1.8)
        client.break_off("cut by the test")
        results = await asyncio.gather(*places, return_exceptions=True)
        lost = [result for result in results if isinstance(result, BrokerLost)]
        assert lost
        assert all("cut by the test" in str(error) for error in lost)
        assert all(isinstance(error, NeverSent) for error in lost)
        await asyncio.sleep(0.1)
        assert sent(gateway_of(session)).count("PlaceOrder") <= 100 - len(lost)

    talk(scenario(), work)


def test_a_read_only_gateway_refuses_orders_with_321() -> None:
    async def work(session: IbkrSession) -> None:
        desk = desk_of(session)
        await desk.place(order(desk))
        events = await events_until(desk, lambda event: isinstance(event, OrderErrorSeen))
        assert isinstance(events[-1], OrderErrorSeen)
        assert events[-1].code == 321

    talk(replace(scenario(), gateway=GatewaySettings(read_only_api=True)), work)
