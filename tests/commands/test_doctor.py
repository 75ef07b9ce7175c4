"""The doctor in every state it knows: each has its line, its fix and its exit code."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from src import doctor
from src.app import examination
from src.base.errors import ExitCode
from src.core.health.findings import WIDTH
from src.io.files import atomic, installed, run_files, state_dir
from src.io.journal.db import open_journal
from src.simulator.gateway.server import utc_now
from src.simulator.scenario.records import (
    GatewaySettings,
    MarketDataSetup,
    Scenario,
    WireFaults,
    load_scenario,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import ACCOUNT, Done, Gateway, Workplace, sample
from tests.commands.test_refused import WORKING, contract
from tests.kits.journal_kit import approved, intent, recorded, sent
from tests.kits.raw_client import HELLO, start_api

SETUP = load_scenario().accounts[0]
PAPER = GatewaySettings(account_push_sec=0.01)


@pytest.fixture(autouse=True)
def no_other_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """What listens at the usual ports of this computer is none of a test's business."""
    monkeypatch.setattr(examination, "USUAL_PORTS", {})


def visit(place: Workplace, *flags: str) -> Done:
    done = place.run(*flags, main=doctor.main)
    assert max(len(line) for line in done.out.splitlines()) <= WIDTH
    return done


def told(done: Done) -> dict[str, str]:
    """What stands beside each ``level subject``; several of one subject together."""
    found: dict[str, str] = {}
    head = ""
    for line in done.out.splitlines():
        level, about, text = line[:5].strip(), line[6:21].strip(), line[22:]
        if level in ("ok", "warn", "FAIL"):
            head = f"{level} {about}"
        if head and not line.startswith("OK:"):
            found[head] = f"{found.get(head, '')} {text.strip()}".strip()
    return found


def failures(done: Done) -> list[str]:
    return [head.removeprefix("FAIL ") for head in told(done) if head.startswith("FAIL")]


# --- all is well ----------------------------------------------------------------------------


def test_where_all_is_well_every_check_is_a_line_in_order_and_nothing_is_sent(
    place: Workplace, gateway: Gateway
) -> None:
    done = visit(place)
    assert (done.code, done.err) == (ExitCode.OK, "")
    assert list(told(done)) == [
        f"ok {name}"
        for name in (
            *("python", "settings", "models", "reports", "journal", "port", "gateway", "login"),
            *("API", "client id", "clock", "account", "symbols", "market data", "trading hours"),
            *("working orders", "earlier runs", "nightly restart", "account kind"),
        )
    ]
    assert done.out.splitlines()[-1].startswith("OK: nothing failed. Nothing was sent. Next: ")
    assert gateway.order_messages == []
    assert not place.reports_named("rebalance")


def test_it_can_be_practised(place: Workplace) -> None:
    done = visit(place, "--simulate")
    assert done.code == ExitCode.OK
    assert "a paper login with DU***567" in done.out


def test_of_several_accounts_each_is_looked_at_or_those_that_are_named(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    ids = ("DU1000001", "DU1000002")
    open_gateway(sample(accounts=tuple(replace(SETUP, account_id=one) for one in ids)))
    text = place.config.read_text(encoding="utf-8").replace(f"account_id = {ACCOUNT}\n", "")
    sections = "\n".join(f"[account:{one[-1]}]\nid = {one}" for one in ids)
    place.config.write_text(f"{text}\n{sections}\n", encoding="utf-8")
    done = visit(place)
    assert done.code == ExitCode.OK
    assert "\nAccount 1\n" in done.out
    assert done.out.count("account kind") == len(ids)
    one = visit(place, "--account", "2")
    assert one.out.count("account kind") == 1
    assert "account DU***002 (paper, may trade)" in told(one)["ok settings"]
    wrong = visit(place, "--account", "3")
    assert (wrong.code, failures(wrong)) == (ExitCode.INPUT, ["settings"])


# --- what the broker's side can be ----------------------------------------------------------


@dataclass(frozen=True)
class State:
    """A gateway, what the settings say besides, and the line that tells of it."""

    gateway: Scenario
    head: str
    words: str
    fix: str
    code: ExitCode = ExitCode.OK
    settings: dict[str, object] = field(default_factory=dict)


def all_contracts(access: MarketDataSetup) -> Scenario:
    contracts = tuple(replace(one, market_data=access) for one in load_scenario().contracts)
    return sample(contracts=contracts)


def wire(**faults: object) -> Scenario:
    return sample(wire=WireFaults(**faults))  # type: ignore[arg-type]


MASTERS = sample(
    accounts=tuple(replace(SETUP, account_id=one) for one in ("DF1000000", "DU1000001"))
)
SHORT = tuple(replace(one, quantity=-one.quantity) for one in SETUP.positions[:1])

STATES = {
    "the API is off, or the address not trusted: never an answer": State(
        wire(accept_only="tcp"),
        "FAIL gateway",
        "accepted the connection",
        "Trusted IPs",
        ExitCode.LOST,
    ),
    "a dialog is open": State(
        wire(accept_only="handshake"),
        "FAIL login",
        "answered the handshake but not the login",
        "a dialog may wait for a click",
        ExitCode.LOST,
    ),
    "a disclaimer is not accepted, and the gateway says so": State(
        wire(answered_with={"StartApi": 10141}),
        "FAIL login",
        "(it said meanwhile: 10141: ",
        "a disclaimer",
        ExitCode.LOST,
    ),
    "a gateway that is too old": State(
        wire(server_version=158),
        "FAIL gateway",
        "speaks server version 158",
        "update TWS",
        ExitCode.LOST,
    ),
    "positions never end": State(
        wire(silent_messages=("PositionEnd",)),
        "FAIL account",
        "did not send positions in full",
        "run again",
        ExitCode.LOST,
    ),
    "an account of somebody else": State(
        sample(),
        "FAIL login",
        "is not an account of this login",
        "log in as its owner",
        ExitCode.REFUSED,
        {"account_id": "DU7654321"},
    ),
    "a master": State(
        MASTERS,
        "FAIL login",
        "master account",
        "DU***001",
        ExitCode.REFUSED,
        {"account_id": "DF1000000"},
    ),
    "figures that are not ready": State(
        sample(accounts=(replace(SETUP, ready=False),)),
        "FAIL account",
        "not ready",
        "IBKR is resetting, try again in half an hour",
        ExitCode.REFUSED,
    ),
    "a short position": State(
        sample(accounts=(replace(SETUP, positions=SHORT),)),
        "FAIL account",
        "short positions are not supported",
        "close them in TWS first",
        ExitCode.REFUSED,
    ),
    "a read-only API": State(
        sample(gateway=replace(PAPER, read_only_api=True)),
        "warn API",
        "no order can be sent",
        "untick Read-Only API",
    ),
    "the port of a live session": State(
        sample(), "warn settings", "usually a LIVE session", "", settings={"port": 7496}
    ),
    "no market data": State(
        contract("MGK", market_data=MarketDataSetup(access="none")),
        "FAIL market data",
        "none for MGK (354: ",
        "share the live user's",
        ExitCode.REFUSED,
    ),
    "delayed data": State(
        all_contracts(MarketDataSetup(access="delayed", refusal=10089)),
        "warn market data",
        "delayed for BIV, BLOK,",
        "subscribe to the data",
    ),
    "a competing session": State(
        all_contracts(MarketDataSetup(access="none", refusal=10197)),
        "FAIL market data",
        "10197: ",
        "end the other session",
        ExitCode.REFUSED,
    ),
    "the account's own prices alone": State(
        contract("SPY", market_data=MarketDataSetup(access="none")),
        "warn market data",
        "only the account's own price for SPY",
        "subscribe",
    ),
    "a clock that is off": State(
        sample(clock=utc_now() + timedelta(minutes=5)),
        "warn clock",
        "the gateway's differ by ",
        "over the network (NTP)",
    ),
    "a closed market": State(
        sample(market="closed"),
        "warn trading hours",
        "closed for 14 symbols; it opens",
        "run --confirm then",
    ),
    "orders of somebody else": State(
        sample(orders=(WORKING,)),
        "warn working orders",
        "SELL 5 GDX",
        "cancel them in TWS",
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_each_state_has_its_line_its_fix_and_its_exit_code(
    place: Workplace, open_gateway: OpenGateway, name: str
) -> None:
    state = STATES[name]
    gateway = open_gateway(state.gateway)
    place.set("ibkr", connect_timeout_sec=1.5, **state.settings)
    place.set("pricing", price_timeout_sec=1.5)
    done = visit(place)
    text = told(done)[state.head]
    assert state.words in text
    assert state.fix in text
    if "port" not in state.settings:
        assert done.code == state.code
        assert failures(done) == ([state.head[5:]] if state.code else [])
    assert gateway.order_messages == []
    if done.code:
        (line,) = done.errors
        assert line == "1 check failed: mend the first FAIL, then run this again"


# --- connections that do not come about -----------------------------------------------------


@contextmanager
def listening(answer: Callable[[socket.socket], None] | None) -> Iterator[int]:
    """A port of this computer where each connection is answered so; None: nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if answer is not None:
            server.listen()

            def serve() -> None:
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:
                        return
                    answer(connection)

            threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR) if answer is not None else None


def test_nothing_listens_and_the_port_that_does_is_named(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(None) as port, listening(lambda one: one.close()) as other:
        place.set("ibkr", port=port, account_id=ACCOUNT)
        done = visit(place)
        assert (done.code, failures(done)) == (ExitCode.LOST, ["port"])
        text = told(done)["FAIL port"]
        assert text.startswith(f"nothing listens at 127.0.0.1:{port}: start TWS or IB Gateway")
        assert "fix: enable the API" in text
        assert "another port" not in text
        usual = {port: "IB Gateway paper", other: "TWS paper"}
        monkeypatch.setattr(examination, "USUAL_PORTS", usual)
        text = told(visit(place))["FAIL port"]
        assert f"set port = {other} (TWS paper) in [ibkr]" in text
    assert "ok earlier runs" in told(done)


def test_a_connection_that_is_closed_at_once_is_an_address_that_is_not_trusted(
    place: Workplace,
) -> None:
    with listening(lambda connection: connection.close()) as port:
        place.set("ibkr", port=port, account_id=ACCOUNT)
        done = visit(place)
    assert (done.code, failures(done)) == (ExitCode.LOST, ["gateway"])
    assert "Trusted IPs" in told(done)["FAIL gateway"]
    assert "ok port" in told(done)


def test_a_client_id_that_is_in_use_does_not_keep_the_rest_from_being_looked_at(
    place: Workplace, gateway: Gateway
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as other:
        other.sendall(HELLO + start_api(42))
        assert other.recv(100)
        while "StartApi" not in gateway.names:
            other.recv(100)
        done = visit(place)
    assert (done.code, failures(done)) == (ExitCode.LOST, ["client id"])
    text = told(done)["FAIL client id"]
    assert "42 is in use" in text
    assert "set another client_id" in text
    assert "ok account kind" in told(done)


# --- this computer --------------------------------------------------------------------------


def test_every_problem_of_the_settings_is_a_line(place: Workplace, gateway: Gateway) -> None:
    place.set("rebalance", min_order_usd="-1", trigger_mode="sometimes")
    done = visit(place)
    assert (done.code, failures(done)) == (ExitCode.INPUT, ["settings"])
    text = told(done)["FAIL settings"]
    assert "min_order_usd" in text
    assert "trigger_mode" in text
    assert gateway.names == []


def test_wrong_models_do_not_keep_the_broker_from_being_asked(
    place: Workplace, gateway: Gateway
) -> None:
    place.csv.write_text("ETF,SMURF\nSPY,1\n", encoding="utf-8")
    done = visit(place)
    assert (done.code, failures(done)) == (ExitCode.INPUT, ["models"])
    assert "live for 9 symbols" in told(done)["ok market data"]


def test_an_unknown_symbol_is_named(place: Workplace, gateway: Gateway) -> None:
    content = place.csv.read_text(encoding="utf-8")
    place.csv.write_text(content.replace("MGK,", "MGKX,"), encoding="utf-8")
    done = visit(place)
    assert done.code == ExitCode.INPUT
    assert failures(done)[0] == "symbols"
    assert "MGKX" in told(done)["FAIL symbols"]


@pytest.mark.parametrize(
    ("command", "head"), [(f'"{sys.executable}" -x', "ok notify"), ("no-such-tool", "warn notify")]
)
@pytest.mark.usefixtures("gateway")
def test_the_command_to_be_told_is_there(place: Workplace, command: str, head: str) -> None:
    text = place.config.read_text(encoding="utf-8")
    named = text.replace("[notify]\n", f"[notify]\ncommand = {command}\n")
    place.config.write_text(named, encoding="utf-8")
    done = visit(place)
    assert done.code == ExitCode.OK
    assert head in told(done)


def full_disk(monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    """No room for a file in this directory."""
    create = atomic.create_durably

    def without_room(path: Path, content: bytes) -> None:
        if path.parent.name == below:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        create(path, content)

    monkeypatch.setattr(run_files, "create_durably", without_room)


@pytest.mark.parametrize(
    ("below", "about", "code"),
    [("reports", "reports", ExitCode.INPUT), ("ibkr-rebalancer", "journal", ExitCode.REFUSED)],
)
@pytest.mark.usefixtures("gateway")
def test_a_full_disk(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, below: str, about: str, code: ExitCode
) -> None:
    full_disk(monkeypatch, below)
    done = visit(place)
    assert (done.code, failures(done)) == (code, [about])
    assert "No space left on device" in told(done)[f"FAIL {about}"]
    assert "ok account kind" in told(done)


def test_a_network_share(
    place: Workplace, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_dir, "is_network_path", lambda _path: True)
    done = visit(place)
    assert (done.code, failures(done)) == (ExitCode.REFUSED, ["journal"])
    text = told(done)["FAIL journal"]
    assert "on a network share" in text
    assert "to a local disk" in text


def test_a_run_that_is_not_settled(place: Workplace, gateway: Gateway, state_home: Path) -> None:
    directory = state_home / "ibkr-rebalancer"
    directory.mkdir(parents=True)
    with open_journal(directory / f"{ACCOUNT}.sqlite3", ACCOUNT) as journal:
        journal.append_all([recorded(), approved(), intent(1), sent(1)])
    done = visit(place)
    assert (done.code, failures(done)) == (ExitCode.REFUSED, ["earlier runs"])
    text = told(done)["FAIL earlier runs"]
    assert "not settled: run 20250131T170000Z (AAA)" in text
    assert "fix: python rebalance.py --recover" in text


def test_a_run_under_way_is_named(place: Workplace, gateway: Gateway) -> None:
    process = place.start("--confirm")
    gateway.wait_for("ReqAllOpenOrders", 1)
    done = visit(place)
    assert f"pid {process.pid} on " in told(done)["warn earlier runs"]
    assert done.code == ExitCode.LOST
    assert failures(done) == ["client id"]


def test_a_damaged_journal(place: Workplace, gateway: Gateway, state_home: Path) -> None:
    journal = state_home / "ibkr-rebalancer" / f"{ACCOUNT}.sqlite3"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"no database" * 500)
    done = visit(place)
    assert (done.code, failures(done)) == (ExitCode.REFUSED, ["earlier runs"])


@pytest.mark.parametrize(
    ("version", "head", "words"),
    [("", "FAIL python", "not installed: ib-async"), ("9.9", "warn python", "ib-async 9.9")],
)
@pytest.mark.usefixtures("gateway")
def test_packages_that_are_missing_or_of_another_version(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, version: str, head: str, words: str
) -> None:
    found = installed._installed
    monkeypatch.setattr(
        installed, "_installed", lambda name: version if name == "ib-async" else found(name)
    )
    done = visit(place)
    text = told(done)[head]
    assert words in text
    assert "pip install --require-hashes -r requirements.txt" in text
    assert done.code == (ExitCode.OK if version else ExitCode.INPUT)
    assert ("ok account kind" in told(done)) is bool(version)
