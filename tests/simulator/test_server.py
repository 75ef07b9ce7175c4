"""The server over real loopback sockets, with a tiny exchange and scripted bytes."""

import asyncio
import json
import logging
import struct
from datetime import timedelta
from pathlib import Path

import pytest

from src.simulator.gateway.server import MAX_CONNECTIONS, SimulatedGateway, utc_now
from src.simulator.gateway.wire_log import MAX_CHARS, WireLog, WireRecord
from src.simulator.messages.account import ManagedAccounts, PositionEnd
from src.simulator.messages.requests import ReqCurrentTime, ReqPositions
from src.simulator.messages.responses import CurrentTime, ErrorMessage, NextValidId
from src.simulator.messages.wire import encode_fields, frame
from src.simulator.outbox.delivery import Delivery
from src.simulator.scenario.faults import WireFaults
from tests.kits.raw_client import (
    ASK_POSITIONS,
    ASK_TIME,
    HELLO,
    THE_TIME,
    TIMEOUT_SEC,
    Stage,
    TinyExchange,
    play,
    start_api,
)


def test_handshake_start_and_requests_in_one_packet() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(HELLO + start_api() + ASK_TIME + ASK_POSITIONS)
        version, time = await client.fields()
        assert (version, time[-4:]) == ("178", " UTC")
        assert await client.response() == ManagedAccounts(accounts="DU1")
        assert await client.response() == NextValidId(order_id=1)
        assert await client.response() == THE_TIME
        assert await client.response() == PositionEnd()
        assert stage.exchange.requests == [ReqCurrentTime(), ReqPositions()]

    play(scene)


def test_one_byte_at_a_time() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        for byte in HELLO + start_api() + ASK_TIME:
            await client.send(bytes([byte]))
        for _ in range(3):
            await client.fields()
        assert await client.response() == THE_TIME

    play(scene)


def test_a_client_id_in_use_is_refused_with_326() -> None:
    async def scene(stage: Stage) -> None:
        first, second = await stage.connect(), await stage.connect()
        await first.start()
        await second.send(HELLO + start_api())
        await second.fields()
        error = await second.response()
        assert isinstance(error, ErrorMessage)
        assert (error.id, error.code) == (-1, 326)
        assert await second.rest() == b""
        await first.send(ASK_TIME)
        assert await first.response() == THE_TIME

    play(scene)


def test_a_client_id_is_free_again_after_its_client_left() -> None:
    async def scene(stage: Stage) -> None:
        first = await stage.connect()
        await first.start()
        await first.close()
        await asyncio.wait_for(stage.exchange.gone.wait(), TIMEOUT_SEC)
        await (await stage.connect()).start()

    play(scene)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"API\0" + frame(b"v1..2"),
        b"API\0" + frame(b"nonsense"),
        HELLO + struct.pack(">I", 0),
        HELLO + start_api() + struct.pack(">I", 2**32 - 1),
        HELLO + start_api() + struct.pack(">I", 1024 * 1024 + 1),
    ],
)
def test_garbage_ends_its_own_connection_only(garbage: bytes) -> None:
    async def scene(stage: Stage) -> None:
        good, bad = await stage.connect(), await stage.connect()
        await good.start(2)
        await bad.send(garbage)
        await bad.rest()
        await good.send(ASK_TIME)
        assert await good.response() == THE_TIME

    play(scene)


def test_versions_without_overlap_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(b"API\0" + frame(b"v179..200"))
        assert await client.rest() == b""

    with caplog.at_level(logging.WARNING):
        play(scene)
    assert "179..200" in caplog.text
    assert "157..178" in caplog.text


def test_an_unreadable_request_is_answered_and_the_connection_lives() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        await client.send(encode_fields(("2", "2", "x")) + encode_fields(("9999",)) + ASK_TIME)
        for _ in range(2):
            error = await client.response()
            assert isinstance(error, ErrorMessage)
            assert (error.id, error.code) == (-1, 320)
        assert await client.response() == THE_TIME

    play(scene)


def test_the_timer_delivers_what_becomes_due() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        later = CurrentTime(epoch_sec=99)
        due = utc_now() + timedelta(milliseconds=20)
        stage.exchange.due.append((due, Delivery(client_id=1, message=later)))
        stage.exchange.due.append((due, Delivery(client_id=77, message=later)))
        await client.send(ASK_TIME)
        assert await client.response() == THE_TIME
        assert await client.response() == later
        assert utc_now() >= due

    play(scene)


def test_the_exchange_and_the_port_survive_a_restart() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        port = stage.gateway.port
        await stage.gateway.stop()
        assert await client.rest() == b""
        assert stage.exchange.clients == set()
        await stage.gateway.start()
        assert stage.gateway.port == port
        await (await stage.connect()).start()

    play(scene)


def test_latency_keeps_the_order() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        loop = asyncio.get_running_loop()
        before = loop.time()
        await client.start()
        assert loop.time() - before >= 0.02
        await client.send((ASK_TIME + ASK_POSITIONS) * 20)
        for _ in range(20):
            assert await client.response() == THE_TIME
            assert await client.response() == PositionEnd()

    play(scene, WireFaults(latency_sec=0.02))


def test_every_message_is_on_file_before_it_is_handled(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    seen: list[str] = []

    async def scene(stage: Stage) -> None:
        stage.exchange.on_handle = lambda: seen.append(path.read_text(encoding="utf-8"))
        client = await stage.connect()
        await client.start(6)
        await client.send(ASK_TIME)
        await client.response()
        names = [record.name for record in stage.gateway.wire_log]
        assert names == ["StartApi", "ReqCurrentTime"]
        assert stage.gateway.log.max_messages_per_sec == 2

    async def run() -> None:
        with path.open("a", encoding="utf-8") as file:
            await Stage(wire_log_file=file).play(scene)

    asyncio.run(run())
    last = json.loads(seen[0].splitlines()[-1])
    assert (last["client_id"], last["message_id"], last["name"]) == (6, 49, "ReqCurrentTime")
    assert last["fields"] == ["49", "1"]


def test_open_market_data_lines_are_counted() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        quotes = [("1", "11", str(i), *[""] * 12, "0", "", "0", "0", "") for i in (1, 2)]
        end = ("2", "2", "1")
        await client.send(b"".join(map(encode_fields, (*quotes, end, quotes[0]))) + ASK_TIME)
        await client.response()
        assert stage.gateway.log.max_market_data_lines == 2

    play(scene)


def test_too_many_messages_per_second_are_dropped_with_error_100() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        await client.send(ASK_TIME * 5)
        for _ in range(3):
            assert await client.response() == THE_TIME
        error = await client.response()
        assert isinstance(error, ErrorMessage)
        assert (error.id, error.code) == (-1, 100)
        assert len(stage.exchange.requests) == 3

    play(scene, WireFaults(pacing_limit=4))


def test_a_client_may_ask_to_be_paced_instead() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.send(b"API\0" + frame(b"v157..178 +PACEAPI") + start_api() + ASK_TIME * 3)
        for _ in range(3):
            await client.fields()
        for _ in range(3):
            assert await client.response() == THE_TIME

    play(scene, WireFaults(pacing_limit=3))


def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def scene(stage: Stage) -> None:
        client = await stage.connect()
        await client.start()
        flood = ErrorMessage(id=-1, code=2104, text="x" * 500_000)
        stage.exchange.due = [(utc_now(), Delivery(client_id=1, message=flood)) for _ in range(60)]
        stage.gateway.advance()
        await asyncio.wait_for(stage.exchange.gone.wait(), TIMEOUT_SEC)
        assert stage.exchange.clients == set()

    play(scene)


def test_a_slow_reader_slows_nobody() -> None:
    async def scene(stage: Stage) -> None:
        slow, other = await stage.connect(), await stage.connect()
        await slow.start(1)
        await other.start(2)
        flood = ErrorMessage(id=-1, code=2104, text="x" * 100_000)
        for _ in range(40):  # below the limit at first, then beyond it
            stage.exchange.due = [(utc_now(), Delivery(client_id=1, message=flood))] * 10
            stage.gateway.advance()
            await other.send(ASK_TIME)
            assert await other.response() == THE_TIME
        assert stage.exchange.clients == {2}

    play(scene)


def test_a_bug_of_the_exchange_ends_one_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("seeded bug")

    async def scene(stage: Stage) -> None:
        good, bad = await stage.connect(), await stage.connect()
        await good.start(1)
        await bad.start(2)
        stage.exchange.on_handle = fail
        await bad.send(ASK_TIME)
        assert await bad.rest() == b""
        stage.exchange.on_handle = lambda: None
        await good.send(ASK_TIME)
        assert await good.response() == THE_TIME

    play(scene)
    assert "seeded bug" in caplog.text


def test_the_number_of_connections_is_bounded() -> None:
    async def scene(stage: Stage) -> None:
        clients = [await stage.connect() for _ in range(MAX_CONNECTIONS)]
        await clients[-1].start()
        assert await (await stage.connect()).rest() == b""

    play(scene)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "", "example.com"])  # noqa: S104
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        SimulatedGateway(TinyExchange(), host=host)


def test_a_port_in_use_is_an_os_error() -> None:
    async def scene(stage: Stage) -> None:
        with pytest.raises(OSError, match="address"):
            await SimulatedGateway(TinyExchange(), port=stage.gateway.port).start()

    play(scene)


def test_what_follows_a_refused_start_is_not_served() -> None:
    async def scene(stage: Stage) -> None:
        first, second = await stage.connect(), await stage.connect()
        await first.start()
        await second.send(HELLO + start_api() + ASK_TIME)
        await second.fields()
        assert isinstance(await second.response(), ErrorMessage)
        assert await second.rest() == b""
        assert stage.exchange.requests == []

    play(scene, WireFaults(latency_sec=0.02))


def test_the_log_in_memory_is_bounded() -> None:
    log = WireLog()
    for number in range(130):
        fields = (str(number), "x" * 1024 * 1024)
        record = WireRecord(at_utc=utc_now(), client_id=1, message_id=9, name="n", fields=fields)
        log.add(record)
    assert sum(len(record.fields[1]) for record in log.records) <= MAX_CHARS
    assert log.records[-1].fields[0] == "129"
