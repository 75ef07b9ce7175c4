"""F19 to F25: every way a connection can fail, in bounded time, with zero order messages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from src.base.errors import BrokerLost, Refused
from src.base.known_accounts import mask_accounts
from src.broker.ibkr_client import IbkrSession, connect
from src.simulator.scenario.records import GatewaySettings, ScheduledEvent
from tests.kits.client_kit import (
    ORDER_MESSAGES,
    gateway,
    gateway_of,
    limited,
    sent,
    settings_for,
    talk,
    with_wire,
)
from tests.kits.exchange_kit import ACCOUNT, OTHER_ACCOUNT, account, scenario

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _connect(port: int, timeout: str = "0.4", account_id: str = ACCOUNT) -> None:
    settings = settings_for(port, timeout=timeout, account_id=account_id)
    async with connect(settings.ibkr):
        return


def _failure_at(handler: Handler, timeout: str = "0.4") -> str:
    """What the user reads when the peer behaves so."""

    async def main() -> str:
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await handler(reader, writer)
            except (asyncio.CancelledError, ConnectionError):
                return
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            with pytest.raises(BrokerLost) as caught:
                await _connect(server.sockets[0].getsockname()[1], timeout)
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return str(caught.value)

    return limited(main())


def _frame(*fields: str) -> bytes:
    body = "".join(f"{field}\0" for field in fields).encode()
    return len(body).to_bytes(4, "big") + body


async def _hear_hello(reader: asyncio.StreamReader) -> None:
    await reader.readexactly(4)
    await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(BrokerLost, match=f"nothing listens at 127.0.0.1:{port}.*start TWS"):
        limited(_connect(port))


def test_an_unknown_host_name_is_named() -> None:
    async def main() -> None:
        ibkr = settings_for(4002).ibkr
        async with connect(ibkr._replace(host="no-such-host.invalid")):
            return

    with pytest.raises(BrokerLost, match=r"no-such-host\.invalid"):
        limited(main())


def test_a_peer_that_accepts_and_says_nothing() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    text = _failure_at(silent)
    assert "accepted the connection" in text
    assert "did not answer within 0.4 s" in text
    assert "enable the API" in text


def test_a_peer_that_closes_at_once() -> None:
    async def close(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        return

    assert "accepted the connection, then:" in _failure_at(close, timeout="5")


def test_a_peer_that_answers_the_handshake_and_stops() -> None:
    async def shake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _hear_hello(reader)
        writer.write(_frame("178", "20250131 12:00:00 UTC"))
        await reader.read()

    text = _failure_at(shake)
    assert "answered the handshake but not the login as client id 42" in text


@pytest.mark.parametrize(
    ("version", "said"),
    [("100", "server version 100"), ("158", "159 or newer"), ("203", "none above 178")],
)
def test_a_version_that_does_not_fit(version: str, said: str) -> None:
    async def shake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _hear_hello(reader)
        writer.write(_frame(version, "20250131 12:00:00 UTC"))
        await reader.read()

    assert said in _failure_at(shake, timeout="5")


@pytest.mark.parametrize(
    "noise",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 64,
        _frame("not a version", "x"),
        _frame(),
        _frame(*["7"] * 10_000),
    ],
)
def test_a_peer_that_is_no_gateway(noise: bytes) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _hear_hello(reader)
        writer.write(noise)
        await reader.read()

    assert "accepted the connection" in _failure_at(babble, timeout="5")


def test_a_client_id_in_use_is_said_and_no_other_is_tried() -> None:
    async def main() -> list[str]:
        async with gateway() as server:
            settings = settings_for(server.port)
            async with connect(settings.ibkr):
                with pytest.raises(BrokerLost, match=r"client id 42.*set another client_id"):
                    await _connect(server.port, timeout="5")
            return sent(server)

    assert limited(main()).count("StartApi") == 2


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("PositionEnd",), "positions"),
        (("AccountDownloadEnd", "AccountUpdateMultiEnd"), "account values"),
    ],
)
def test_an_incomplete_start_up_is_never_an_empty_account(
    missing: tuple[str, ...], named: str
) -> None:
    async def main() -> None:
        setting = with_wire(scenario(), silent_messages=missing)
        async with gateway(setting) as server:
            await _connect(server.port)

    with pytest.raises(BrokerLost, match=f"did not send {named} in full"):
        limited(main())


@pytest.mark.parametrize(
    ("missing", "ask"),
    [
        ("OpenOrderEnd", "fetch_working_orders"),
        ("CompletedOrdersEnd", "fetch_completed_orders"),
        ("ExecDetailsEnd", "fetch_fills"),
    ],
)
def test_a_later_list_without_its_end_is_a_loss(missing: str, ask: str) -> None:
    async def work(session: IbkrSession) -> None:
        questions = {
            "fetch_working_orders": session.fetch_working_orders,
            "fetch_completed_orders": session.fetch_completed_orders,
            "fetch_fills": session.fetch_fills,
        }
        await questions[ask]()

    setting = with_wire(scenario(), silent_messages=(missing,))
    with pytest.raises(BrokerLost, match=r"did not answer within 0.4 s: \w+"):
        talk(setting, work, timeout="0.4")


@pytest.mark.parametrize("request_number", [1, 2, 3])
def test_a_connection_cut_during_start_up(request_number: int) -> None:
    async def main() -> None:
        setting = with_wire(scenario(), close_before_request=(request_number,))
        async with gateway(setting) as server:
            await _connect(server.port, timeout="5")

    with pytest.raises(BrokerLost):
        limited(main())


def test_an_account_of_somebody_else_is_refused_before_it_is_asked_about() -> None:
    async def main() -> list[str]:
        accounts = (account(), account(account_id=OTHER_ACCOUNT))
        async with gateway(scenario(accounts=accounts)) as server:
            with pytest.raises(Refused, match=r"DU9999999.*DU1234567, DU7654321") as caught:
                await _connect(server.port, account_id="DU9999999")
            assert "DU***567, DU***321" in mask_accounts(str(caught.value))
            return sent(server)

    assert limited(main()) == ["StartApi"]


def test_of_several_accounts_only_the_configured_one_is_read() -> None:
    other = account(account_id=OTHER_ACCOUNT, cash={"USD": Decimal(77)})
    snapshot = talk(scenario(accounts=(other, account())), lambda s: s.fetch_snapshot())
    assert snapshot.account_id == ACCOUNT
    assert snapshot.cash_usd == 10_000
    assert [held.qty_shares for held in snapshot.positions] == [20]


def test_a_short_outage_of_the_gateways_line_is_waited_for() -> None:
    events = (
        ScheduledEvent(what="link_lost", after_sec=0),
        ScheduledEvent(what="link_back", after_sec=0.4),
    )

    async def work(session: IbkrSession) -> int:
        session._connection.link.listener.upstream.lose()
        asyncio.get_running_loop().call_later(
            0.1, session._connection.link.listener.upstream.restore
        )
        return len(await session.known_symbols(["SPY"]))

    assert talk(scenario(events=events), work) == 1


def test_a_long_outage_of_the_gateways_line_is_a_loss() -> None:
    async def work(session: IbkrSession) -> None:
        session._connection.link.listener.error(-1, 1100, "Connectivity lost", "")
        await session.known_symbols(["SPY"])

    with pytest.raises(BrokerLost, match="lost its own connection to IBKR"):
        talk(scenario(), work, timeout="0.3")


def test_read_only_mode_leaves_the_dry_run_its_figures() -> None:
    async def work(session: IbkrSession) -> tuple[object, object, object]:
        return (
            await session.fetch_working_orders(),
            await session.fetch_completed_orders(),
            (await session.fetch_snapshot()).cash_usd,
        )

    setting = scenario(gateway=GatewaySettings(read_only_api=True))
    assert talk(setting, work) == (None, None, 10_000)


def test_a_flapping_gateway_is_tried_again_in_bounds() -> None:
    async def work(session: IbkrSession) -> Decimal:
        server = gateway_of(session)
        await server.stop()

        async def come_back() -> None:
            await asyncio.sleep(0.3)
            await server.start()

        await asyncio.gather(session._connection.reconnect(), come_back())
        return (await session.fetch_snapshot()).cash_usd

    assert talk(scenario(), work) == 10_000


def test_a_whole_reading_session_sends_no_order_message() -> None:
    async def work(session: IbkrSession) -> list[str]:
        await session.fetch_snapshot(fresh=True)
        await session.known_symbols(["SPY", "IAU"])
        await session.fetch_working_orders()
        await session.fetch_completed_orders()
        await session.fetch_fills()
        return sent(gateway_of(session))

    assert not ORDER_MESSAGES.intersection(talk(scenario(), work))
