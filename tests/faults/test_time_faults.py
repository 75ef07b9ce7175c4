"""F87: two runs within a minute while the account still shows the figures of before the first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from src.broker.wire.clock import SystemClock
from src.io.files.state_dir import journal_path, state_dir
from src.simulator.scenario.records import GatewaySettings, OrderBehaviour, OrderSetup, Scenario
from tests.faults.market import ACCOUNT, CLIENT_ID, PLAN, market, rule
from tests.faults.stage import Ending, Stage, read_rows
from tests.kits.host_zone import host_zone

FILLED: Final = dict.fromkeys(PLAN, "Filled")
NEVER: Final = ("journal", 10**6, "before")
FORMS: dict[str, dict[str, Any]] = {
    "instrument": {},
    "utc": {"time_form": "utc"},
    "bare": {"time_form": "bare", "time_zone": "Asia/Tokyo"},
    "bare and unknown": {"time_form": "bare", "time_zone": "MET", "time_zone_name": ""},
    "two words": {
        "time_form": "operator",
        "time_zone": "Europe/Warsaw",
        "time_zone_name": "Central European Standard Time",
    },
    "unknown": {"time_form": "operator", "time_zone": "MET", "time_zone_name": "Mars/Olympus"},
}
TOO_EARLY: dict[str, Any] = {
    "time_form": "operator",
    "time_zone": "US/Eastern",
    "time_zone_name": "Asia/Tokyo",
}


def lagging(settings: Mapping[str, Any]) -> Scenario:
    """The account shows what was traded after ten minutes."""
    return market(gateway=GatewaySettings(account_lag_sec=600, **settings))


def refuses_to_trade_twice(stage: Stage, first: Ending, second: Ending) -> None:
    assert first.statuses == FILLED
    assert "alarm" not in first.err
    assert (second.code, second.orders) == (5, [])
    assert "the account does not show yet what run" in second.last_line
    assert stage.executed() == PLAN


@pytest.mark.parametrize("form", FORMS)
def test_a_second_run_is_refused_whatever_form_times_have(stage: Stage, form: str) -> None:
    with host_zone("Europe/Berlin"):
        stage.open(lagging(FORMS[form]))
        refuses_to_trade_twice(stage, stage.confirm(), stage.confirm())


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo"])
def test_a_second_process_is_refused_wherever_the_computer_stands(stage: Stage, zone: str) -> None:
    stage.open(lagging(FORMS["utc"]))
    here = {**os.environ, "TZ": zone}
    first, second = (stage.run_mortal(NEVER, env=here) for _ in range(2))
    refuses_to_trade_twice(stage, first, second)


# --- each leg alone ---------------------------------------------------------------------------


def test_the_journal_s_clock_suffices(stage: Stage) -> None:
    """The broker's times are read fourteen hours too early: they say nothing."""
    stage.open(lagging(TOO_EARLY))
    refuses_to_trade_twice(stage, stage.confirm(), stage.confirm())


def test_the_broker_s_times_suffice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """This computer's clock was slow while the first run traded, and was set right since."""
    stage.open(lagging(FORMS["utc"]))
    with monkeypatch.context() as patch:
        an_hour = timedelta(hours=1)
        patch.setattr(SystemClock, "now_utc", lambda _: datetime.now(timezone.utc) - an_hour)
        first = stage.confirm()
    refuses_to_trade_twice(stage, first, stage.confirm())


@pytest.mark.parametrize("form", ["instrument", "utc", "bare and unknown"])
def test_without_its_journal_a_second_run_waits(stage: Stage, form: str) -> None:
    """The broker lists what was executed a moment ago, and no journal knows it."""
    stage.open(lagging(FORMS[form]))
    assert stage.confirm().statuses == FILLED
    _remove(journal_path(state_dir(is_simulated=False), ACCOUNT).parent)
    stage.is_journal_whole = False
    second = stage.confirm()
    assert (second.code, second.orders) == (5, [])
    assert "this program just traded SELL 50 AAA" in second.last_line
    assert "start again in" in second.last_line


def _remove(directory: Path) -> None:
    for path in directory.glob("*.sqlite3*"):
        path.unlink()


# --- strangers and calendars ------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_an_execution_of_before_the_run_never_raises_the_stranger_alarm(
    stage: Stage, form: str
) -> None:
    """Under our client id and in no journal, half an hour old; a question lists it again."""
    earlier = OrderSetup(
        symbol="CCC",
        side="BUY",
        quantity=Decimal(1),
        filled=Decimal(1),
        fill_price=Decimal(25),
        status="Filled",
        client_id=CLIENT_ID,
        order_id=1,
        order_ref="another program",
    )
    mute = rule(OrderBehaviour(silence="mute"), numbers=(1,))
    settings = GatewaySettings(**FORMS[form])
    stage.may_trade_more = True  # one share of it was bought before
    with host_zone("America/New_York"):
        ending = stage.open(market(mute, orders=(earlier,), gateway=settings)).confirm()
    assert (ending.code, "alarm" in ending.err) == (0, False)
    assert ending.statuses == FILLED


def unknown_calendar() -> Scenario:
    scenario = market()
    first, *others = scenario.contracts
    return replace(scenario, contracts=(replace(first, details_time_zone="Mars/City"), *others))


def test_a_calendar_in_an_unknown_zone_forbids_trading_and_says_so(stage: Stage) -> None:
    ending = stage.open(unknown_calendar()).confirm()
    assert (ending.code, ending.orders) == (5, [])
    assert "when AAA is traded is not known: the time zone 'Mars/City'" in ending.last_line


def test_a_dry_run_goes_on_without_that_calendar(stage: Stage) -> None:
    ending = stage.open(unknown_calendar()).run("--dry-run")
    assert ending.code == 0
    assert "when AAA is traded is not known" in ending.out
    assert "SELL" in ending.out


def test_extended_hours_are_judged_by_the_gateway_s_clock(stage: Stage) -> None:
    """It is noon there and night here: within its regular hours the algo is used."""
    clock = datetime.now(timezone.utc) + timedelta(hours=12)
    stage.changes = {
        "rebalance": {"trading_hours": "eth"},
        "execution": {"algo_preference": "adaptive"},
    }
    ending = stage.open(market(clock=clock, market="open")).confirm()
    assert (ending.code, ending.statuses) == (0, FILLED)
    assert {one.algo for one in ending.orders} == {"Adaptive"}
    (filed,) = stage.reports.glob("rebalance_pre_*.csv")
    assert {row["algo"] for row in read_rows(filed) if row["is_cash"] == "false"} == {"adaptive"}
