"""Scripted wire faults as a client on a real socket meets them."""

from src.simulator.messages.account import ManagedAccounts, PositionEnd
from src.simulator.messages.requests import ReqCurrentTime
from src.simulator.messages.responses import NextValidId
from src.simulator.scenario.faults import WireFaults
from tests.kits.raw_client import (
    ASK_POSITIONS,
    ASK_TIME,
    HELLO,
    THE_TIME,
    Stage,
    play,
    start_api,
)


def test_closed_before_a_request_the_exchange_never_sees_it() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        await client.send(ASK_TIME)
        assert await client.rest() == b""
        assert stage.exchange.requests == []
        again = await stage.connect()
        await again.start()

    play(scene, WireFaults(close_before_request=(2,)))


def test_closed_after_a_request_the_exchange_has_acted() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        await client.send(ASK_TIME + ASK_POSITIONS)
        assert await client.rest() == b""
        assert stage.exchange.requests == [ReqCurrentTime()]

    play(scene, WireFaults(close_after_request=(2,)))


def test_stalled_the_socket_stays_open_and_nothing_is_said() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start(1)
        await client.send(ASK_TIME + ASK_POSITIONS)
        other = await stage.connect()
        await other.start(2)
        await other.send(ASK_TIME)
        assert await other.response() == THE_TIME
        assert len(stage.exchange.requests) == 3
        assert stage.exchange.clients == {1, 2}
        await stage.gateway.stop()
        assert await client.rest() == b""

    play(scene, WireFaults(stall_after_request=2))


def test_closed_after_a_response() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(HELLO + start_api())
        await client.fields()
        assert await client.response() == ManagedAccounts(accounts="DU1")
        assert await client.rest() == b""

    play(scene, WireFaults(close_after_response=(1,)))


def test_silent_messages_are_never_sent() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        await client.send(ASK_POSITIONS + ASK_TIME)
        assert await client.response() == THE_TIME

    play(scene, WireFaults(silent_messages=("PositionEnd",)))


def test_reordered_and_doubled_messages() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(HELLO + start_api() + ASK_POSITIONS)
        await client.fields()
        assert await client.response() == NextValidId(order_id=1)
        assert await client.response() == ManagedAccounts(accounts="DU1")
        assert await client.response() == PositionEnd()
        assert await client.response() == PositionEnd()

    faults = WireFaults(
        reorder_messages=(("ManagedAccounts", "NextValidId"),), duplicate_messages=("PositionEnd",)
    )
    play(scene, faults)


def test_a_gateway_that_only_accepts_never_answers_the_handshake() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(HELLO + start_api())
        await stage.gateway.stop()
        assert await client.rest() == b""
        assert stage.gateway.wire_log == []

    play(scene, WireFaults(accept_only="tcp"))


def test_a_gateway_that_only_greets_serves_nothing() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(HELLO + start_api() + ASK_TIME)
        assert (await client.fields())[0] == "178"
        await stage.gateway.stop()
        assert await client.rest() == b""
        assert stage.exchange.clients == set()

    play(scene, WireFaults(accept_only="handshake"))


def test_an_older_server_version_is_negotiated() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(HELLO + start_api())
        assert (await client.fields())[0] == "163"
        assert await client.response(163) == ManagedAccounts(accounts="DU1")

    play(scene, WireFaults(server_version=163))
