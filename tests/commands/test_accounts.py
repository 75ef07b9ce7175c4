"""Which account a command works in, and what it says of accounts: whole commands."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from src import snapshot
from src.base.errors import ExitCode
from src.io import validate_config
from src.simulator.scenario.records import (
    GatewaySettings,
    OrderBehaviour,
    OrderRule,
    Rejection,
    Scenario,
    load_scenario,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import Workplace, sample

SETUP = load_scenario().accounts[0]
THREE_LETTERS = "DUM1234567"
MASTER, CLIENTS = "DF1000000", ("DU1000001", "DU1000002")


def login(*account_ids: str) -> Scenario:
    """A login of these accounts, each like the sample's."""
    return sample(accounts=tuple(replace(SETUP, account_id=one) for one in account_ids))


def test_a_paper_account_of_three_letters_trades(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(login(THREE_LETTERS))
    place.set("ibkr", account_id=THREE_LETTERS)
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK
    assert "(paper)" in done.out
    assert {one.account for one in gateway.orders} == {THREE_LETTERS}
    checked = place.run(str(place.config), main=validate_config.main)
    assert "(paper, may trade)" in checked.out
    assert "LIVE" not in checked.out + checked.err


def test_a_client_of_an_advisor_trades_beside_the_master(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    gateway = open_gateway(login(MASTER, *CLIENTS))
    place.set("ibkr", account_id=CLIENTS[1])
    assert place.run("--confirm", stdin="y\n").code == ExitCode.OK
    assert {one.account for one in gateway.orders} == {CLIENTS[1]}


@pytest.mark.parametrize("flags", [(), ("--confirm",), ("--recover",)])
def test_a_master_is_refused_and_its_clients_are_named(
    place: Workplace, open_gateway: OpenGateway, flags: tuple[str, ...]
) -> None:
    gateway = open_gateway(login(MASTER, *CLIENTS))
    place.set("ibkr", account_id=MASTER)
    done = place.run(*flags, stdin="y\n")
    assert done.code == ExitCode.REFUSED
    (line,) = done.errors
    assert "master account" in line
    assert line.endswith(": DU***001, DU***002")
    assert not any(one in done.out + done.err for one in (MASTER, *CLIENTS))
    assert "ReqAccountUpdates" not in gateway.names


def test_no_command_works_in_a_master(place: Workplace, open_gateway: OpenGateway) -> None:
    open_gateway(login(MASTER, *CLIENTS))
    place.set("ibkr", account_id=MASTER)
    for main, flags in ((validate_config.main, [str(place.config)]), (snapshot.main, [])):
        done = place.run(*flags, main=main)
        assert done.code == ExitCode.REFUSED
        assert "master account" in done.errors[0]


@pytest.mark.parametrize("account_id", [THREE_LETTERS, "DUAB7654321"])
def test_no_output_holds_an_id_in_full(
    place: Workplace, open_gateway: OpenGateway, account_id: str
) -> None:
    text = f"Order rejected for {account_id}, {CLIENTS[0]}"
    rejected = OrderRule(symbols=("GDX",), then=OrderBehaviour(reject=Rejection(text=text)))
    setting = replace(login(CLIENTS[0], account_id), order_rules=(rejected,))
    open_gateway(setting)
    place.set("ibkr", account_id=account_id)
    place.set("io", log_level="DEBUG")
    ended = [
        place.run("--confirm", stdin="y\n"),
        place.run("--recover"),
        place.run(),
        place.run(str(place.config), main=validate_config.main),
    ]
    logs = "".join(path.read_text(encoding="utf-8") for path in place.reports.glob("*.log"))
    assert f"Order rejected for DU***{account_id[-3:]}, DU***001" in logs
    assert "ib_async" in logs
    for text in (logs, *(part for one in ended for part in (one.out, one.err))):
        assert account_id not in text
        assert CLIENTS[0] not in text


@pytest.mark.parametrize(
    "line",
    [
        *(
            "account_id = UAB1234567, UAB7654321",
            "account_id UAB1234567",
            "account_id : UAB1234567x",
        ),
        "account_id = UAB1234567",
    ],
)
def test_ids_in_wrong_settings_are_masked(
    place: Workplace, open_gateway: OpenGateway, line: str
) -> None:
    open_gateway(login(*CLIENTS))
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(
        "\n".join(line if one.startswith("account_id") else one for one in text.splitlines()),
        encoding="utf-8",
    )
    done = place.run()
    assert done.code in (ExitCode.INPUT, ExitCode.REFUSED)
    assert "1234567" not in done.out + done.err
    assert not any(one in done.out + done.err for one in CLIENTS)


# --- accounts whose download never ends ---------------------------------------------------------


def linked(*, has_2101: bool, type_withheld: bool = False) -> Scenario:
    """A login whose second account is only served by positions and figures."""
    first, second = CLIENTS
    return replace(
        sample(
            accounts=(
                replace(SETUP, account_id=first, positions=()),
                replace(SETUP, account_id=second, is_linked=not has_2101),
            )
        ),
        gateway=GatewaySettings(
            account_push_sec=0.01,
            followed_elsewhere=first if has_2101 else "",
            multi_leaves_out=("TradingType-S",) if type_withheld else (),
        ),
    )


@pytest.mark.parametrize("has_2101", [False, True])
def test_a_second_account_is_planned_and_traded_without_its_download(
    place: Workplace, open_gateway: OpenGateway, *, has_2101: bool
) -> None:
    open_gateway(sample())
    healthy = json.loads(place.run("--json").out)
    gateway = open_gateway(linked(has_2101=has_2101))
    place.set("ibkr", account_id=CLIENTS[1])
    planned = json.loads(place.run("--json").out)
    assert planned["tickets"] == healthy["tickets"]
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK, done.err
    assert ("another program is subscribed to a different account" in done.out) is has_2101
    assert {one.account for one in gateway.orders} == {CLIENTS[1]}
    assert len(gateway.orders) == len(healthy["tickets"])
    assert json.loads(place.run("--json").out)["tickets"] == []
