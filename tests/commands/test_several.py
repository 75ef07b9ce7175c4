"""Several accounts in one command: the table, each in its turn, and one exit code of it all."""

from __future__ import annotations

import csv
import json
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from src.base.errors import ExitCode
from src.broker.execution import ExecutionRun, execute
from src.broker.ports import OrderDesk
from src.core.running.parts import Run
from src.io.files.lock import acquire_lock
from src.io.files.state_dir import lock_path, prepare_state_dir
from src.simulator.scenario.accounts import AccountSetup, PositionSetup
from src.simulator.scenario.orders import FillStep, OrderBehaviour, OrderRule, WhatIfSetup
from src.simulator.scenario.records import Scenario
from tests.commands.conftest import OpenGateway
from tests.commands.kit import ACCOUNT, Gateway, LateAnswer, Workplace, sample

SECOND, THIRD = "DU2222222", "DU3333333"
MASTER, STRANGER = "DF0000000", "U1234567"
BOTH = {"joint": ACCOUNT, "ira": SECOND}


def login(*accounts: AccountSetup, **changes: object) -> Scenario:
    """The sample account and a second with some cash and shares in one login."""
    first = sample().accounts[0]
    second = AccountSetup(
        account_id=SECOND,
        cash={"USD": Decimal(20_000)},
        positions=(PositionSetup(symbol="SPY", quantity=Decimal(5), avg_cost=Decimal(500)),),
    )
    return sample(accounts=(first, second, *accounts), **changes)


def configure(place: Workplace, accounts: dict[str, str], **more: str) -> None:
    """Sections of accounts in place of [ibkr] account_id; ``more`` are lines of one's own."""
    text = place.config.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("account_id")]
    for name, account in accounts.items():
        lines += [f"[account:{name}]", f"id = {account}", *more.get(name, "").split("|")]
    place.config.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def family(place: Workplace, open_gateway: OpenGateway) -> Callable[..., Gateway]:
    """A gateway with two accounts, both in the settings."""

    def start(setting: Scenario | None = None, **accounts: str) -> Gateway:
        gateway = open_gateway(setting or login())
        configure(place, accounts or BOTH)
        return gateway

    return start


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def filed(place: Workplace, name: str, start: str) -> list[Path]:
    return sorted((place.reports / name).glob(f"{start}*"))


# --- looking --------------------------------------------------------------------------------


def test_r418_a_table_of_all_then_each_plan(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    done = place.run("--dry-run", "--all")
    assert done.code == ExitCode.OK
    assert gateway.order_messages == []
    table, joint, ira = (done.out.index(text) for text in ("net liq $", '"joint"', '"ira"'))
    assert table < joint < ira
    assert "total (for info)" in done.out
    assert "Nothing was sent." in done.out
    assert "python rebalance.py --confirm --all" in done.out
    assert max(map(len, done.out.splitlines())) <= 100
    for name, account in BOTH.items():
        (pre,) = filed(place, name, "rebalance_pre")
        assert {row["account_id"] for row in rows_of(pre)} == {account}
    assert len(place.reports_named("rebalance_2")) == 1, "one log of the command itself"


def test_r418_no_two_accounts_share_a_run_id(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    family()
    place.run("--dry-run", "--all")
    ids = [path.stem for name in BOTH for path in filed(place, name, "rebalance_pre")]
    assert len(set(ids)) == len(ids)


def test_r418_json_is_one_object_for_all(place: Workplace, family: Callable[..., Gateway]) -> None:
    family(joint=ACCOUNT, ira=SECOND, lost=THIRD)
    done = place.run("--json", "--all")
    assert done.code == ExitCode.REFUSED
    document = json.loads(done.out)
    assert document["schema"] == "rebalance-accounts/1"
    joint, ira, lost = document["accounts"]
    assert (joint["account_id"], ira["account_id"]) == (ACCOUNT, SECOND)
    assert joint["schema"] == "rebalance-plan/2"
    assert "not an account of this login" in lost["error"]
    total = sum(one["before"]["net_liq_usd"] for one in (joint, ira))
    assert document["total"]["net_liq_usd"] == pytest.approx(total)
    assert document["total"]["tickets"] == len(joint["tickets"]) + len(ira["tickets"])


def test_r418_each_instrument_is_asked_once(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    place.run("--dry-run", "--all")
    quotes = [one.fields for one in gateway.server.wire_log if one.name == "ReqMktData"]
    details = [one.fields for one in gateway.server.wire_log if one.name == "ReqContractDetails"]
    assert len(quotes) == len({fields[3] for fields in quotes})
    assert len(details) == len({fields[4] for fields in details})
    assert gateway.names.count("ReqAccountUpdatesMulti") == 2
    assert gateway.names.count("ReqPositions") == 1


def test_r418_what_stops_one_account_stops_no_other(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    short = (PositionSetup(symbol="SPY", quantity=Decimal(-5), avg_cost=Decimal(500)),)
    bad = AccountSetup(account_id=THIRD, cash={"USD": Decimal(1000)}, positions=short)
    setting = login(bad)
    setting = replace(setting, gateway=replace(setting.gateway, advisor_master=MASTER))
    family(setting, joint=ACCOUNT, master=MASTER, stranger=STRANGER, short=THIRD, ira=SECOND)
    done = place.run("--all")
    assert done.code == ExitCode.REFUSED
    assert "master: account DF***000 is the master account" in done.err.replace("\n", " ")
    assert "stranger: account U***567 is not an account of this login" in done.err
    assert "short: short positions are not supported" in done.err
    assert '"joint"' in done.out
    assert '"ira"' in done.out


def test_r418_several_without_a_choice_are_named(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    family()
    done = place.run("--dry-run")
    assert done.code == ExitCode.INPUT
    (error,) = done.errors
    assert "--account NAME, of joint, ira, or --all" in error


def test_r418_an_amount_is_for_one_account(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    family()
    done = place.run("--all", "--invest", "2000")
    assert done.code == ExitCode.INPUT
    assert "--invest 2000: an amount is for one account; name it: --account" in done.err
    assert place.run("--account", "ira", "--invest", "2000").code == ExitCode.OK


def test_r418_a_wish_may_name_what_one_of_them_holds(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    family()
    assert place.run("--all", "--skip", "SPY,NOPE").code == ExitCode.INPUT
    assert place.run("--all", "--skip", "SPY").code == ExitCode.OK


def test_r418_all_problems_of_all_files_come_first(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    Path("a.csv").write_text("ETF,SMURF\nSPY,99\n", encoding="utf-8")
    Path("b.csv").write_text("ETF,SMURF\nSPY,98\n", encoding="utf-8")
    text = place.config.read_text(encoding="utf-8")
    for name, file in (("joint", "a.csv"), ("ira", "b.csv")):
        text = text.replace(f"[account:{name}]", f"[account:{name}]\ncsv = {file}")
    place.config.write_text(text, encoding="utf-8")
    done = place.run("--all")
    assert done.code == ExitCode.INPUT
    assert "a.csv" in done.err
    assert "b.csv" in done.err
    assert gateway.names == []


def test_r418_a_check_takes_all_without_being_asked(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    done = place.run("--check")
    assert done.code == ExitCode.DUE
    joint, ira = done.out.splitlines()
    assert 'DU***567 "joint": ' in joint
    assert 'DU***222 "ira": ' in ira
    assert gateway.names.count("StartApi") == 1


# --- trading --------------------------------------------------------------------------------


def test_r418_each_account_is_asked_about_and_traded_by_itself(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    done = place.run("--confirm", "--all", stdin="y\ny\n")
    assert done.code == ExitCode.OK, done.err
    assert 'in DU***567 "joint" (paper)' in done.err
    assert 'in DU***222 "ira" (paper)' in done.err
    assert done.err.count("[y/N]: ") == 2
    assert "the answer q ends the rest" in done.out
    for name, account in BOTH.items():
        (post,) = filed(place, name, "rebalance_post")
        rows = rows_of(post)
        assert {row["account_id"] for row in rows} == {account}
        assert {row["status"] for row in rows} == {"Filled"}
        sent = [(one.symbol, one.side) for one in gateway.orders if one.account == account]
        assert len(sent) == len(rows) > 0
    accounts = [one.account for one in gateway.orders]
    assert accounts == sorted(accounts, key=[ACCOUNT, SECOND].index), "one after the other"
    assert "Accounts:" in done.out


def test_r418_no_leaves_one_out_and_q_ends_the_rest(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    third = AccountSetup(account_id=THIRD, cash={"USD": Decimal(9_000)})
    gateway = family(login(third), joint=ACCOUNT, ira=SECOND, small=THIRD)
    done = place.run("--confirm", "--all", stdin="n\nq\ny\n")
    assert done.code == ExitCode.OK
    assert gateway.orders == []
    assert "- joint: answered no, nothing was sent" in done.out
    assert "- ira: answered q, nothing was sent" in done.out
    assert "- small: not asked: you ended it" in done.out


def test_r418_an_account_that_is_refused_makes_a_traded_command_unfilled(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family(joint=ACCOUNT, stranger=STRANGER, ira=SECOND)
    done = place.run("--confirm", "--all", stdin="y\ny\n")
    assert done.code == ExitCode.UNFILLED
    assert {one.account for one in gateway.orders} == {ACCOUNT, SECOND}
    assert "- stranger: account U***567 is not an account of this login" in done.out


def test_r418_an_account_that_another_run_holds_is_left_out(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    path = lock_path(prepare_state_dir(is_simulated=False), ACCOUNT)
    with acquire_lock(path, datetime.now(timezone.utc)):
        done = place.run("--confirm", "--all", stdin="n\n")
    assert done.code == ExitCode.REFUSED
    assert "- joint: another run holds this account" in done.out
    assert "- ira: answered no" in done.out
    assert gateway.orders == []


def test_r418_a_plan_that_aged_while_another_was_asked_about_is_made_anew(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    text = place.config.read_text(encoding="utf-8")
    text = text.replace("[execution]", "[execution]\nplan_max_age_sec = 1")
    place.config.write_text(text, encoding="utf-8")
    answers = LateAnswer(["n", "n"], {1: lambda: time.sleep(1.1)})
    place.run("--confirm", "--all", stdin=answers)
    assert gateway.names.count("ReqAccountUpdatesMulti") == 3, "the second was read again"


def test_r418_a_lost_connection_ends_the_rest(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    gateway = family()
    answers = LateAnswer(["y", "y"], {1: gateway.hang_up})
    done = place.run("--confirm", "--all", stdin=answers)
    assert done.code == ExitCode.LOST
    assert gateway.orders == []
    assert "- ira: not asked: the connection was lost in joint" in done.out


def test_r418_reports_that_cannot_be_filed_end_one_account_and_hide_no_other(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    third = AccountSetup(account_id=THIRD, cash={"USD": Decimal(9_000)})
    gateway = family(login(third), joint=ACCOUNT, ira=SECOND, small=THIRD)
    in_the_way = place.reports / "ira"
    answers = LateAnswer(["y", "y"], {1: in_the_way.touch})
    done = place.run("--confirm", "--all", stdin=answers)
    assert {one.account for one in gateway.orders} == {ACCOUNT, THIRD}
    assert done.code == ExitCode.UNFILLED
    assert "This run sent nothing" not in done.err
    assert "- ira: [io] report_dir" in done.out
    assert "is a file, not a directory" in done.err


def test_r418_a_bug_in_one_account_hides_none(
    place: Workplace, family: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    family()

    async def broken(run: ExecutionRun, desk: OrderDesk) -> Run:
        if run.terms.plan.account_id == SECOND:
            raise KeyError("a bug")
        return await execute(run, desk)

    monkeypatch.setattr("src.app.trading.execute", broken)
    done = place.run("--confirm", "--all", stdin="y\ny\n")
    assert done.code == ExitCode.BUG
    assert "orders may be working" in done.err
    assert "- joint: " in done.out
    assert "- ira: broken off by an internal error" in done.out


def test_r418_an_account_whose_files_are_wrong_is_never_a_success(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    family()
    place.reports.mkdir(parents=True, exist_ok=True)
    (place.reports / "ira").write_text("", encoding="utf-8")
    done = place.run("--confirm", "--all", stdin="n\n")
    assert done.code == ExitCode.INPUT
    assert "- joint: answered no" in done.out
    assert "- ira: [io] report_dir" in done.out


# --- settling -------------------------------------------------------------------------------


def test_r418_recovery_goes_over_all_accounts(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    family()
    done = place.run("--recover")
    assert done.code == ExitCode.OK
    assert done.out.splitlines() == [
        "joint:",
        "OK: no earlier run is open.",
        "ira:",
        "OK: no earlier run is open.",
    ]
    one = place.run("--recover", "--account", "ira")
    assert one.out == "ira:\nOK: no earlier run is open.\n"


def test_r418_a_runs_report_is_rebuilt_in_its_own_folder(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    family()
    place.run("--confirm", "--all", stdin="n\ny\n")
    (post,) = filed(place, "ira", "rebalance_post")
    before = post.read_bytes()
    post.unlink()
    run_id = post.stem.removeprefix("rebalance_post_")
    assert place.run("--rebuild", run_id).code == ExitCode.OK
    assert post.read_bytes() == before


# --- the scenario ---------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [["--all"], ["--account", "joint,ira"]])
def test_r418_the_sample_of_several_accounts(place: Workplace, flags: list[str]) -> None:
    done = place.run("--dry-run", *flags, "--simulate", "several_accounts")
    assert done.code == ExitCode.OK
    assert done.out.startswith("SIMULATED")
    assert 'DU***567 "Joint"' in done.out
    assert 'DU***222 "IRA"' in done.out


# --- what ends the rest ---------------------------------------------------------------------


def test_r418_ctrl_c_at_the_second_prompt_keeps_what_the_first_traded(
    place: Workplace, family: Callable[..., Gateway]
) -> None:
    third = AccountSetup(account_id=THIRD, cash={"USD": Decimal(9_000)})
    gateway = family(login(third), joint=ACCOUNT, ira=SECOND, small=THIRD)
    answers = LateAnswer(["y", "y", "y"], {2: lambda: signal.raise_signal(signal.SIGINT)})
    done = place.run("--confirm", "--all", stdin=answers)
    assert done.code == ExitCode.INTERRUPTED
    assert {one.account for one in gateway.orders} == {ACCOUNT}
    assert "- joint: " in done.out
    assert "- ira: interrupted" in done.out
    assert "- small: not asked: you interrupted" in done.out
    (post,) = filed(place, "joint", "rebalance_post")
    assert {row["status"] for row in rows_of(post)} == {"Filled"}


def test_r418_an_alarm_ends_the_rest(place: Workplace, family: Callable[..., Gateway]) -> None:
    stray = OrderBehaviour(fills=(FillStep(after_sec=0.01, report_side="BOT"),))
    gateway = family(login(order_rules=(OrderRule(then=stray, numbers=(1,)),)))
    done = place.run("--confirm", "--all", stdin="y\ny\n")
    assert done.code == ExitCode.UNFILLED
    assert {one.account for one in gateway.orders} == {ACCOUNT}
    assert "- ira: not asked: an alarm in joint" in done.out


def test_what_the_plans_cost_is_asked_for_each_account(
    family: Callable[..., Gateway], place: Workplace
) -> None:
    gateway = family()
    done = place.run("--all", "--what-if", "--json")
    assert done.code == ExitCode.OK
    first, second = json.loads(done.out)["accounts"]
    for one in (first, second):
        asked = [cost["symbol"] for cost in one["what_if"]["tickets"]]
        assert asked == [ticket["symbol"] for ticket in one["tickets"]]
        assert one["what_if"]["commission_unknown"] == []
    questions = [one for one in gateway.server.wire_log if one.name == "PlaceOrder"]
    assert len(questions) == len(first["tickets"]) + len(second["tickets"])
    place.run("--all", "--confirm", "--what-if", stdin="y\ny\n")
    sent = [one.fields[1] for one in gateway.server.wire_log if one.name == "PlaceOrder"]
    assert len(sent) == len(set(sent[: len(questions)])) + len(sent[len(questions) :])


def test_a_question_that_became_an_order_ends_all_accounts(
    family: Callable[..., Gateway], place: Workplace
) -> None:
    becomes_order = OrderBehaviour(what_if=WhatIfSetup(answer="order"), never_fills=True)
    family(login(order_rules=(OrderRule(then=becomes_order, symbols=("GDX",)),)))
    done = place.run("--all", "--confirm", "--what-if", stdin="y\ny\n")
    assert done.code == ExitCode.UNFILLED
    assert "not asked: an alarm in joint" in done.out
