"""``--check`` as a scheduler runs it, and what the [notify] command hears: whole commands."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from src.app.proposing.session import open_session_to_check
from src.base.errors import ExitCode
from src.broker.reading.market_reader import MarketReader
from src.simulator.scenario.records import (
    AccountSetup,
    GatewaySettings,
    OrderBehaviour,
    OrderRule,
    Rejection,
    Scenario,
    load_scenario,
)
from tests.commands.conftest import OpenGateway
from tests.commands.kit import ACCOUNT, ROOT, Gateway, Workplace, sample
from tests.kits.client_kit import gateway as opened_gateway
from tests.kits.client_kit import limited, settings_for
from tests.kits.raw_client import HELLO, start_api

DUE_LINE = "DU***567: 13 orders due, sum |drift| 62.88%, largest MGK -9.75%\n"
SETUP = load_scenario().accounts[0]
LISTEN = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
CLIENT_ID = 1


def hears(place: Workplace, code: str = LISTEN, on: str = "") -> Path:
    """Let the [notify] command be a script that puts what it is told into a file."""
    script, heard = place.path / "tell me.py", place.path / "heard.json"
    script.write_text(code, encoding="utf-8")
    text = place.config.read_text(encoding="utf-8")
    wanted = f"on = {on}\n" if on else ""
    section = f'[notify]\ncommand = "{sys.executable}" "{script}" "{heard}"\n{wanted}'
    head, _, tail = text.partition("[notify]")
    place.config.write_text(f"{head}{section}{tail}", encoding="utf-8")
    return heard


def heard_in(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert found["schema"] == "rebalance-notice/1"
    return found


def log_of(place: Workplace) -> str:
    return max(place.reports.glob("*.log")).read_text(encoding="utf-8")


# --- what it says ---------------------------------------------------------------------------


def test_trades_that_are_due_are_one_line_and_exit_10_and_nothing_is_filed(
    place: Workplace, gateway: Gateway, state_home: Path
) -> None:
    done = place.run("--check")
    assert (done.code, done.out, done.err) == (ExitCode.DUE, DUE_LINE, "")
    assert not place.reports.exists()
    assert not state_home.exists()
    assert gateway.order_messages == []


def test_within_the_bands_is_exit_0(place: Workplace, gateway: Gateway) -> None:
    assert place.run("--confirm", stdin="y\n").code == ExitCode.OK
    done = place.run("--check")
    assert done.code == ExitCode.OK
    assert done.out.startswith("DU***567: nothing due, sum |drift| 0.")
    assert done.out.count("\n") == 1
    assert len(gateway.orders) == 13


@pytest.mark.parametrize("market", ["closed", "holiday"])
def test_obstacles_to_trading_do_not_change_the_answer(
    place: Workplace, open_gateway: OpenGateway, market: str
) -> None:
    open_gateway(sample(market=market, gateway=GatewaySettings(read_only_api=True)))
    done = place.run("--check")
    assert done.code == ExitCode.DUE
    assert done.out == DUE_LINE


def test_a_broker_that_is_not_there_is_exit_3(place: Workplace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place.set("ibkr", port=taken.getsockname()[1], account_id=ACCOUNT)
        done = place.run("--check")
    assert done.code == ExitCode.LOST
    assert "nothing listens" in done.errors[0]
    assert done.out == ""


def test_a_file_that_is_wrong_is_exit_2_and_a_short_position_exit_5(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    short = tuple(replace(one, quantity=-one.quantity) for one in SETUP.positions[:1])
    open_gateway(sample(accounts=(replace(SETUP, positions=short),)))
    assert place.run("--check").code == ExitCode.REFUSED
    place.csv.write_text("ETF,SMURF\nSPY,1\n", encoding="utf-8")
    assert place.run("--check").code == ExitCode.INPUT


def test_wishes_are_heeded_and_earlier_withdrawals_named_first(
    place: Workplace, gateway: Gateway
) -> None:
    assert place.run("--check", "--only", "SPY").out.startswith("DU***567: 1 order due")
    assert place.run("--confirm", "--withdraw", "5000", stdin="y\n").code == ExitCode.OK
    first, second = place.run("--check").out.splitlines()
    assert first.startswith("$5,000.00 freed on ")
    assert second.startswith("DU***567: ")


# --- beside others --------------------------------------------------------------------------


def test_it_uses_its_own_client_id_and_takes_no_account_subscription(
    place: Workplace, gateway: Gateway
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as other:
        other.sendall(HELLO + start_api(43))
        assert other.recv(100)
        while "StartApi" not in gateway.names:
            other.recv(100)
        done = place.run("--check")
    assert done.code == ExitCode.DUE
    ids = {one.client_id for one in gateway.server.wire_log if one.name == "ReqPositions"}
    assert ids == {44}
    assert "ReqAccountUpdatesMulti" in gateway.names
    assert "ReqAccountUpdates" not in gateway.names


def test_the_highest_client_id_leaves_it_one_below(place: Workplace, gateway: Gateway) -> None:
    place.set("ibkr", client_id=2**31 - 1)
    assert place.run("--check").code == ExitCode.DUE
    assert {one.client_id for one in gateway.server.wire_log} - {-1, 0} >= {2**31 - 2}


def test_a_run_under_way_is_not_disturbed_and_its_lock_does_not_matter(
    place: Workplace, gateway: Gateway
) -> None:
    process = place.start("--confirm")
    gateway.wait_for("ReqAllOpenOrders", 1)
    done = place.run("--check")
    assert done.code == ExitCode.DUE
    out, err = process.communicate("y\n", timeout=60)
    assert process.returncode == ExitCode.OK, err
    assert "13 of 13 tickets filled" in out


# --- several accounts -----------------------------------------------------------------------


def of_several(place: Workplace, *names: str) -> None:
    """Let the settings describe accounts of these names, and none in [ibkr]."""
    text = place.config.read_text(encoding="utf-8").replace(f"account_id = {ACCOUNT}\n", "")
    sections = [
        f"[account:{name}]\nid = DU100000{n}\nlabel = {name.upper()}\n"
        for n, name in enumerate(names, start=1)
    ]
    place.config.write_text("\n".join([text, *sections]), encoding="utf-8")


def login_of(*setups: AccountSetup) -> Scenario:
    named = (replace(one, account_id=f"DU100000{n}") for n, one in enumerate(setups, start=1))
    return sample(accounts=tuple(named))


def test_what_fails_in_one_account_hides_no_other_and_decides_the_code(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    short = tuple(replace(one, quantity=-one.quantity) for one in SETUP.positions[:1])
    open_gateway(login_of(replace(SETUP, positions=short), SETUP))
    of_several(place, "joint", "ira")
    heard = hears(place)
    done = place.run("--check")
    assert done.code == ExitCode.REFUSED
    (line,) = done.errors
    assert line.startswith('DU***001 "JOINT": short positions are not supported')
    assert done.out.startswith('DU***002 "IRA": 13 orders due, ')
    assert heard_in(heard)["events"] == ["due", "failed"]


# --- no permit ------------------------------------------------------------------------------


def test_what_a_check_holds_has_no_door_to_orders() -> None:
    async def main() -> type[object]:
        async with (
            opened_gateway() as server,
            open_session_to_check(settings_for(server.port)) as view,
        ):
            return type(view)

    kind = limited(main())
    assert kind is MarketReader
    assert not [name for name in dir(kind) if "desk" in name or "permit" in name]


def test_the_type_checker_refuses_a_desk_and_a_permit_of_a_check(tmp_path: Path) -> None:
    """By type: the session of a check offers no desk."""
    snippet = tmp_path / "snippet.py"
    snippet.write_text(
        "from src.app.proposing.session import open_session_to_check\n"
        "from src.base.settings import Settings\n"
        "async def work(settings: Settings) -> None:\n"
        "    async with open_session_to_check(settings) as view:\n"
        "        view.open_order_desk\n"
        "        view.open_cancel_desk\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", str(snippet)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    told = [line.partition("error: ")[2] for line in done.stdout.splitlines()]
    assert told == [
        f'"MarketReader" has no attribute "{name}"  [attr-defined]'
        for name in ("open_order_desk", "open_cancel_desk")
    ]


def test_a_check_loads_nothing_that_places_orders() -> None:
    code = (
        "import sys, rebalance; rebalance.main(['--check', '--simulate']);"
        "print(sorted(name for name in sys.modules if name.startswith('src.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for module in ("trading", "approval", "broker.order_desk", "broker.execution", "cancelling"):
        assert f"'src.{module}'" not in done.stdout
    assert "'src.app.checking'" in done.stdout


# --- a scheduler's environment --------------------------------------------------------------


@pytest.mark.parametrize("has_files_named", [True, False])
def test_under_cron_without_home_terminal_and_in_another_directory(
    tmp_path: Path, *, has_files_named: bool
) -> None:
    """Cron's environment is almost empty; the files of the program are found all the same."""
    files = (
        "--config",
        str(ROOT / "config/settings.ini"),
        "--csv",
        str(ROOT / "data/portfolios.csv"),
    )
    needed = ("SYSTEMROOT", "LOCALAPPDATA") if sys.platform == "win32" else ()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "rebalance.py"), "--check", "--simulate"),
            *(files if has_files_named else ()),
        ],
        cwd=elsewhere,
        env={name: os.environ[name] for name in needed},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (ExitCode.DUE, "")
    assert done.stdout == f"SIMULATED {DUE_LINE}"
    assert list(elsewhere.iterdir()) == []


# --- being told -----------------------------------------------------------------------------


def test_a_check_that_finds_trades_due_tells_the_command(
    place: Workplace, gateway: Gateway
) -> None:
    heard = hears(place)
    assert place.run("--check").code == ExitCode.DUE
    told = heard_in(heard)
    assert (told["events"], told["task"], told["exit_code"]) == (["due"], "check", 10)
    assert told["text"] == DUE_LINE.strip()
    assert [len(plan["tickets"]) for plan in told["plans"]] == [13]
    assert told["runs"] == []
    assert ACCOUNT not in heard.read_text(encoding="utf-8")


def test_nothing_due_a_practice_run_and_what_is_not_asked_for_tell_nobody(
    place: Workplace, gateway: Gateway
) -> None:
    heard = hears(place, on="failed")
    for flags in (["--check"], ["--confirm"], ["--dry-run"], ["--check", "--simulate"]):
        place.run(*flags, stdin="y\n")
    assert not heard.exists()
    place.set("notify", on="due, traded, failed")
    assert place.run("--check").code == ExitCode.OK
    for flags in (["--check", "--simulate"], ["--confirm", "--simulate"], ["--dry-run"]):
        place.run(*flags, stdin="y\n")
    assert not heard.exists()


def test_a_run_is_told_once_its_records_are_on_disk(place: Workplace, gateway: Gateway) -> None:
    look = (
        "import sys, json, pathlib; told = json.load(sys.stdin);"
        "told['there'] = sorted(one.name for one in pathlib.Path('reports').iterdir());"
        "told['log'] = max(pathlib.Path('reports').glob('*.log')).read_text();"
        "pathlib.Path(sys.argv[1]).write_text(json.dumps(told)); print('posted', 'twice')"
    )
    heard = hears(place, look)
    assert place.run("--confirm", stdin="y\n").code == ExitCode.OK
    told = heard_in(heard)
    assert (told["events"], told["task"], told["exit_code"]) == (["traded"], "confirm", 0)
    assert "13 orders sent, 13 of 13 tickets filled, bought $" in str(told["text"])
    run_id = place.run_id()
    assert told["run_id"] == run_id
    found = [(run["state"], run["exit_code"], len(run["tickets"])) for run in told["runs"]]
    assert found == [("closed", 0, 13)]
    names = [f"rebalance_pre_{run_id}.csv", f"rebalance_post_{run_id}.csv"]
    assert set(names) <= set(told["there"])
    assert "run finished exit_code=0" in str(told["log"])
    assert "[notify] command ended code=0 output=posted twice" in log_of(place)
    assert ACCOUNT not in heard.read_text(encoding="utf-8")


def test_a_run_that_traded_and_failed_is_told_as_both(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    refused = OrderRule(symbols=("GDX",), then=OrderBehaviour(reject=Rejection(text="no")))
    open_gateway(sample(order_rules=(refused,)))
    heard = hears(place)
    assert place.run("--confirm", stdin="y\n").code == ExitCode.UNFILLED
    told = heard_in(heard)
    assert (told["events"], told["exit_code"]) == (["traded", "failed"], 4)


@pytest.mark.parametrize("flags", [("--check",), ("--confirm",), ("--dry-run",)])
def test_what_fails_is_told_with_its_message(place: Workplace, flags: tuple[str, ...]) -> None:
    heard = hears(place)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place.set("ibkr", port=taken.getsockname()[1], account_id=ACCOUNT, read_only="false")
        assert place.run(*flags).code == ExitCode.LOST
    told = heard_in(heard)
    assert (told["events"], told["exit_code"]) == (["failed"], 3)
    assert str(told["text"]).startswith("error: nothing listens at 127.0.0.1:")


def test_a_file_that_is_wrong_is_told(place: Workplace) -> None:
    heard = hears(place)
    place.set("ibkr", account_id=ACCOUNT)
    place.csv.write_text("ETF,SMURF\nSPY,1\n", encoding="utf-8")
    assert place.run("--check").code == ExitCode.INPUT
    assert "portfolios.csv" in str(heard_in(heard)["text"])


def test_a_command_that_fails_is_a_warning_and_changes_nothing(
    place: Workplace, gateway: Gateway
) -> None:
    hears(place, "import sys; print('no such\\nroom'); sys.exit(3)")
    done = place.run("--check")
    assert (done.code, done.out) == (ExitCode.DUE, DUE_LINE)
    program = Path(sys.executable).name
    assert done.err == f"warning: [notify] {program} ended with code 3: no such room\n"
    place.set("notify", command="/no/such/command --password secret")
    done = place.run("--confirm", stdin="y\n")
    assert done.code == ExitCode.OK
    assert "warning: [notify] command could not be run: No such file" in done.err
    assert "secret" not in done.err + log_of(place)


def test_no_account_that_is_known_is_told_in_full(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    other = "DU7654321"
    said = f"Order rejected for {ACCOUNT}, {other}"
    refused = OrderRule(symbols=("GDX",), then=OrderBehaviour(reject=Rejection(text=said)))
    accounts = (SETUP, replace(SETUP, account_id=other, cash={"USD": Decimal(1)}))
    open_gateway(sample(accounts=accounts, order_rules=(refused,)))
    heard = hears(place)
    assert place.run("--confirm", stdin="y\n").code == ExitCode.UNFILLED
    text = heard.read_text(encoding="utf-8")
    assert "Order rejected for DU***567, DU***321" in text
    assert not {ACCOUNT, other} & set(text.replace('"', " ").split())
