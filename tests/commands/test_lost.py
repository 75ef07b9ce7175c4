"""A gateway that is not there, falls silent, or breaks off: exit 3 in bounded time, no order."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from src import snapshot
from src.base.errors import ExitCode
from src.io import validate_portfolios
from src.simulator.scenario.records import GatewaySettings, ScheduledEvent, WireFaults
from tests.commands.conftest import OpenGateway
from tests.commands.kit import PROMPT, Done, Gateway, LateAnswer, Workplace, sample
from tests.kits.raw_client import HELLO, start_api

TIMEOUT_SEC = 0.3
PATIENCE_SEC = 10 * TIMEOUT_SEC


@pytest.fixture(autouse=True)
def quick(place: Workplace) -> None:
    place.set("ibkr", connect_timeout_sec=TIMEOUT_SEC)
    place.set("pricing", price_timeout_sec=TIMEOUT_SEC)


def lost(done: Done, *words: str) -> str:
    assert done.code == ExitCode.LOST, done
    assert done.out == ""
    (line,) = done.errors
    assert [word for word in words if word not in line] == []
    return line


def silent(*names: str) -> WireFaults:
    return WireFaults(silent_messages=names)


SILENCE = {
    "accepts and says nothing": (WireFaults(accept_only="tcp"), "accepted the connection"),
    "no login": (WireFaults(accept_only="handshake"), "answered the handshake but not the login"),
    "no accounts": (silent("ManagedAccounts"), "answered the handshake but not the login"),
    "no order id": (silent("NextValidId"), "answered the handshake but not the login"),
    "no end of positions": (silent("PositionEnd"), "did not send positions in full"),
    "positions are not ready": (
        WireFaults(answered_with={"ReqPositions": 2151}),
        "(it said meanwhile: 2151: ",
    ),
    "no end of values": (
        silent("AccountDownloadEnd", "AccountUpdateMultiEnd"),
        "did not send account values in full",
    ),
    "no end of contracts": (silent("ContractDetailsEnd"), "did not answer within"),
    "no contracts at all": (
        silent("ContractDetails", "ContractDetailsEnd"),
        "did not answer within",
    ),
    "no end of open orders": (silent("OpenOrderEnd"), "did not answer within 0.3 s: open orders"),
    "stalls in the download": (WireFaults(stall_after_response=30), "did not send"),
    "stalls after it": (WireFaults(stall_after_request=4), "did not answer within"),
    "closes at login": (WireFaults(close_after_response=(2,)), ""),
    "closes later": (WireFaults(close_after_request=(4,)), "was lost"),
    "a false length": (WireFaults(bad_length_response=30), "damaged"),
}


@pytest.mark.parametrize("name", SILENCE)
def test_a_gateway_that_falls_silent_or_breaks_off(
    place: Workplace, open_gateway: OpenGateway, name: str
) -> None:
    wire, words = SILENCE[name]
    gateway = open_gateway(sample(wire=wire))
    started = time.monotonic()
    done = place.run("--confirm", stdin="y\n")
    assert time.monotonic() - started < PATIENCE_SEC
    lost(done, words, str(gateway.port))
    assert PROMPT not in done.err
    assert done.err.splitlines()[-1].startswith("This run sent nothing. The log")
    assert gateway.order_messages == []


def test_prices_that_never_come_are_a_refusal(place: Workplace, open_gateway: OpenGateway) -> None:
    gateway = open_gateway(sample(wire=silent("TickPrice", "TickSnapshotEnd")))
    started = time.monotonic()
    done = place.run("--confirm", stdin="y\n")
    assert time.monotonic() - started < PATIENCE_SEC
    assert done.code == ExitCode.REFUSED
    (line,) = done.errors
    assert "MGK" in line  # not held: the account gives no price for it either
    assert gateway.order_messages == []


def test_nothing_listens(place: Workplace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        place.set("ibkr", port=port, account_id="DU1234567", read_only="false")
        words = f"nothing listens at 127.0.0.1:{port}: start TWS or IB Gateway"
        for flags in ((), ("--confirm",), ("--recover",), ("--json",)):
            lost(place.run(*flags, stdin="y\n"), words)
        lost(place.run(main=snapshot.main), words)
        lost(place.run(main=validate_portfolios.main), words)
    place.set("ibkr", host="no-such-host.invalid")
    lost(place.run("--confirm"), "host")


def test_the_client_id_is_in_use(place: Workplace, gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as other:
        other.sendall(HELLO + start_api(42))
        assert other.recv(100)
        while "StartApi" not in gateway.names:
            other.recv(100)
        line = lost(place.run("--confirm", stdin="y\n"), "client id 42")
        assert "set another client_id" in line
    assert gateway.order_messages == []


def test_a_dry_run_beside_a_running_one_takes_another_client_id_and_says_so(
    place: Workplace, gateway: Gateway
) -> None:
    with (
        socket.create_connection(("127.0.0.1", gateway.port)) as other,
        socket.create_connection(("127.0.0.1", gateway.port)) as third,
    ):
        for number, one in enumerate((other, third)):
            one.sendall(HELLO + start_api(42 + number))
            assert one.recv(100)
            while gateway.names.count("StartApi") <= number:
                one.recv(100)
        done = place.run()
        refused = [place.run("--recover"), place.run("--confirm", "--read-only")]
        pictured = place.run(main=snapshot.main)
    assert done.code == ExitCode.OK
    assert "client id 42 is in use (a run under way?): this one only looks, as 44" in done.out
    assert "client id 42 is in use" in pictured.out
    assert (done.errors, pictured.errors) == ([], [])
    for trading in refused:
        lost(trading, "client id 42")
    assert gateway.order_messages == []


def test_an_outage_of_the_gateway_s_own_line_is_waited_for_within_bounds(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    outage = ScheduledEvent(what="link_lost", after_sec=0)
    gateway = open_gateway(sample(events=(outage,)))
    lost(place.run("--confirm", stdin="y\n"), "lost its own connection to IBKR")
    assert gateway.order_messages == []


def test_a_connection_lost_at_the_prompt_sends_nothing(place: Workplace, gateway: Gateway) -> None:
    done = place.run("--confirm", stdin=LateAnswer(["y"], {1: gateway.hang_up}))
    assert done.code == ExitCode.LOST
    assert done.err.count(PROMPT) == 1
    (line,) = done.errors
    assert str(gateway.port) in line
    assert done.err.splitlines()[-1].startswith("This run sent nothing. The log")
    assert gateway.order_messages == []
    assert place.run("--confirm", stdin="n\n").code == ExitCode.OK


def test_a_restarting_account_is_waited_for(place: Workplace, open_gateway: OpenGateway) -> None:
    setting = sample(gateway=GatewaySettings(account_push_sec=0.01))
    accounts = tuple(replace(one, ready=False) for one in setting.accounts)
    open_gateway(replace(setting, accounts=accounts))
    done = place.run()
    assert done.code == ExitCode.REFUSED
    assert "are not ready" in done.errors[0]
