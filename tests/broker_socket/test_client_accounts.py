"""Several accounts over one connection: what each holds, what fails alone, whose orders leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import pytest

from src.app.proposing.session import open_session
from src.base.errors import BrokerLost, RebalancerError, Refused
from src.broker.client.convert import known_contract, order_from
from src.broker.ibkr_client import IbkrSession
from src.broker.sending.order_desk import IbkrOrderDesk
from src.core.records.account import AccountSnapshot
from src.core.records.orders import OrderRequest
from src.simulator.gateway.server import SimulatedGateway
from src.simulator.scenario.records import AccountSetup, GatewaySettings, PositionSetup, Scenario
from tests.kits.client_kit import gateway, limited, sent, settings_for, with_wire
from tests.kits.desk_kit import order, permit
from tests.kits.exchange_kit import ACCOUNT, OTHER_ACCOUNT, account, scenario

T = TypeVar("T")
THIRD, MASTER, STRANGER = "DU1111111", "DF1234567", "DU9999999"
OTHER = account(
    account_id=OTHER_ACCOUNT,
    cash={"USD": Decimal(77)},
    positions=(PositionSetup(symbol="IAU", quantity=Decimal(5), avg_cost=Decimal(50)),),
)
TWO = scenario(accounts=(account(), OTHER))


def talk_of(
    setting: Scenario,
    accounts: tuple[str, ...],
    work: Callable[[IbkrSession, SimulatedGateway], Awaitable[T]],
    *,
    timeout: str = "5",
) -> T:
    """Connect for these accounts, do some work, and return its result."""

    async def main() -> T:
        async with gateway(setting) as server:
            first, *others = (
                settings_for(server.port, timeout=timeout, account_id=name) for name in accounts
            )
            async with open_session(first, *others, trading=True) as session:
                return await work(session, server)

    return limited(main())


def read(
    setting: Scenario, *accounts: str, timeout: str = "5"
) -> dict[str, AccountSnapshot | RebalancerError]:
    async def work(
        session: IbkrSession, _server: SimulatedGateway
    ) -> dict[str, AccountSnapshot | RebalancerError]:
        return await session.fetch_snapshots()

    return talk_of(setting, accounts, work, timeout=timeout)


def essence(found: AccountSnapshot | RebalancerError) -> tuple[str, int, dict[str, int]]:
    assert isinstance(found, AccountSnapshot), found
    held = {one.symbol: int(one.qty_shares) for one in found.positions}
    return found.account_id, int(found.cash_usd), held


def test_r210_each_account_is_read_with_what_is_its_own() -> None:
    found = read(TWO, ACCOUNT, OTHER_ACCOUNT)
    assert essence(found[ACCOUNT]) == (ACCOUNT, 10_000, {"SPY": 20})
    assert essence(found[OTHER_ACCOUNT]) == (OTHER_ACCOUNT, 77, {"IAU": 5})


def test_r210_one_list_of_positions_and_one_question_for_each_accounts_figures() -> None:
    async def work(session: IbkrSession, server: SimulatedGateway) -> Counter[str]:
        await session.fetch_snapshots()
        await session.of(settings_for(1, account_id=OTHER_ACCOUNT).ibkr).fetch_snapshot(fresh=True)
        return Counter(sent(server))

    asked = talk_of(TWO, (ACCOUNT, OTHER_ACCOUNT), work)
    assert asked["ReqPositions"] == 2
    assert asked["ReqAccountUpdatesMulti"] == 3
    assert asked["CancelAccountUpdatesMulti"] == 1, "a fresh reading replaces the one before"
    assert asked["ReqAccountUpdates"] == 0
    assert asked["ReqPositionsMulti"] == 0


def test_r210_linked_accounts_are_read_like_others() -> None:
    linked = tuple(replace(one, is_linked=True) for one in TWO.accounts)
    found = read(replace(TWO, accounts=linked), ACCOUNT, OTHER_ACCOUNT)
    assert essence(found[OTHER_ACCOUNT]) == (OTHER_ACCOUNT, 77, {"IAU": 5})


def test_r210_a_list_of_positions_without_end_is_replaced_account_by_account() -> None:
    silent = with_wire(TWO, silent_messages=("PositionEnd",))
    found = read(silent, ACCOUNT, OTHER_ACCOUNT, timeout="3")
    assert essence(found[ACCOUNT]) == (ACCOUNT, 10_000, {"SPY": 20})
    assert essence(found[OTHER_ACCOUNT]) == (OTHER_ACCOUNT, 77, {"IAU": 5})


def test_r210_of_more_than_fifty_accounts_each_is_asked_about_by_itself() -> None:
    many = tuple(AccountSetup(account_id=f"DU{n:07}", cash={"USD": Decimal(n)}) for n in range(60))

    async def work(
        session: IbkrSession, server: SimulatedGateway
    ) -> tuple[dict[str, AccountSnapshot | RebalancerError], Counter[str]]:
        return await session.fetch_snapshots(), Counter(sent(server))

    names = ("DU0000011", "DU0000012")
    found, asked = talk_of(scenario(accounts=many), names, work)
    assert [essence(found[name])[1] for name in names] == [11, 12]
    assert asked["ReqPositionsMulti"] == 2


def test_r210_what_cannot_be_read_says_why_and_stops_no_other() -> None:
    short = PositionSetup(symbol="IAU", quantity=Decimal(-5), avg_cost=Decimal(50))
    poor = account(account_id=THIRD, positions=(short,))
    setting = replace(
        TWO,
        accounts=(*TWO.accounts, poor),
        gateway=GatewaySettings(advisor_master=MASTER),
    )
    found = read(setting, MASTER, STRANGER, THIRD, ACCOUNT)
    assert essence(found[ACCOUNT]) == (ACCOUNT, 10_000, {"SPY": 20})
    why = {name: str(found[name]) for name in (MASTER, STRANGER, THIRD)}
    assert all(isinstance(found[name], Refused) for name in why)
    assert "is the master account" in why[MASTER]
    assert f"account {STRANGER} is not an account of this login" in why[STRANGER]
    assert "short positions" in why[THIRD]


def test_r210_where_none_can_be_read_the_connection_is_refused_with_every_reason() -> None:
    with pytest.raises(Refused) as refused:
        read(TWO, STRANGER, "F1234567")
    assert STRANGER in str(refused.value)
    assert "F1234567 is the master" in str(refused.value)


def test_r210_an_account_whose_figures_do_not_come_is_lost_alone() -> None:
    found = read(
        with_wire(TWO, silent_messages=("AccountUpdateMultiEnd",)),
        ACCOUNT,
        OTHER_ACCOUNT,
        timeout="0.5",
    )
    assert all(isinstance(one, BrokerLost) for one in found.values())


# --- orders: the permit of one account is none for another ----------------------------------


def own_session(session: IbkrSession, name: str) -> IbkrSession:
    return session.of(settings_for(1, account_id=name).ibkr)


def order_fields(server: SimulatedGateway) -> list[tuple[str, ...]]:
    """The fields of every order that came over the socket."""
    return [tuple(map(str, one.fields)) for one in server.wire_log if one.name == "PlaceOrder"]


def test_r210_two_permits_one_after_the_other_let_each_only_its_own_account_pass() -> None:
    async def work(session: IbkrSession, server: SimulatedGateway) -> list[tuple[str, ...]]:
        first, second = (own_session(session, name) for name in (ACCOUNT, OTHER_ACCOUNT))
        desk = first.open_order_desk(permit())
        await desk.place(order(desk, 1))
        with pytest.raises(Refused, match="desk is open already"):
            second.open_order_desk(permit(account_id=OTHER_ACCOUNT))
        with pytest.raises(Refused, match="names another account"):
            await desk.place(order(desk, 2, account_id=OTHER_ACCOUNT))
        desk.close()
        with pytest.raises(Refused, match="no order leaves without an approved plan"):
            await _past_the_gate(desk, order(desk, 1))
        other = second.open_order_desk(permit(account_id=OTHER_ACCOUNT))
        await other.place(order(other, 1, account_id=OTHER_ACCOUNT))
        desk.close()  # a desk that is over closes no other
        with pytest.raises(Refused, match="does not name the account of the approved plan"):
            await _past_the_gate(other, order(other, 2))
        with pytest.raises(Refused, match="does not name the account of the approved plan"):
            await _past_the_gate(desk, order(desk, 2))
        await other.place(order(other, 2, account_id=OTHER_ACCOUNT))
        await session.fetch_working_orders()
        return order_fields(server)

    orders = talk_of(TWO, (ACCOUNT, OTHER_ACCOUNT), work)
    named = [[one for one in fields if one in {ACCOUNT, OTHER_ACCOUNT}] for fields in orders]
    assert named == [[ACCOUNT], [OTHER_ACCOUNT], [OTHER_ACCOUNT]]


async def _past_the_gate(desk: IbkrOrderDesk, sent: OrderRequest) -> None:
    """What a fault above the socket would do: hand the order to the library without the gate."""
    client = desk._connection.link.client
    contract = known_contract(sent.con_id, sent.symbol)
    client.placeOrder(sent.order_id, contract, order_from(sent))  # type: ignore[no-untyped-call]
    await client.left()


def test_r210_the_session_of_one_account_opens_no_desk_for_another() -> None:
    async def work(session: IbkrSession, _server: SimulatedGateway) -> None:
        for one in (session, own_session(session, OTHER_ACCOUNT)):
            with pytest.raises(Refused, match="not this session's"):
                one.open_order_desk(permit())

    talk_of(TWO, (ACCOUNT, OTHER_ACCOUNT), work)


def test_r210_what_is_said_of_one_account_does_not_reach_the_desk_of_another() -> None:
    async def work(session: IbkrSession, _server: SimulatedGateway) -> list[str]:
        first, second = (own_session(session, name) for name in (ACCOUNT, OTHER_ACCOUNT))
        desk = first.open_order_desk(permit())
        await desk.place(order(desk, 1))
        desk.close()
        later = replace(permit(account_id=OTHER_ACCOUNT), run_id="20250131T143001Z")
        other = second.open_order_desk(later)
        await session.fetch_fills()
        await session.fetch_working_orders()
        return [
            str(event)
            for event in (other._events.get_nowait() for _ in range(other._events.qsize()))
            if ACCOUNT in str(event)
        ]

    assert talk_of(TWO, (ACCOUNT, OTHER_ACCOUNT), work) == []
