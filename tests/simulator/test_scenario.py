"""Reading scenario files: the sample, defaults, and clear refusals of everything else."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.simulator.scenario.reader import read_record
from src.simulator.scenario.records import (
    Scenario,
    ScenarioError,
    WireFaults,
    find_scenario,
    load_scenario,
)
from src.simulator.scenario.sample import SAMPLE_ACCOUNT, SCENARIOS

SPY = {"con_id": 756733, "symbol": "SPY", "price": 620.45}
ACCOUNT: dict[str, object] = {"account_id": "DU1234567", "cash": {"USD": 1000}}
MODEL_SYMBOLS = (
    *("SPY", "SCHG", "MGK", "IAU", "GLD", "GDX"),
    *("BLOK", "IBIT", "ETHA", "CWB", "BIV", "VCIT", "BNDX"),
)


def _load(tmp_path: Path, **keys: object) -> Scenario:
    path = tmp_path / "scenario.json"
    path.write_text(
        json.dumps({"accounts": [ACCOUNT], "contracts": [SPY]} | keys), encoding="utf-8"
    )
    return load_scenario(path)


def _account(**keys: object) -> dict[str, object]:
    return {"accounts": [ACCOUNT | keys]}


def test_sample_account_is_drifted_and_worth_about_a_hundred_thousand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = load_scenario()
    account = scenario.accounts[0]
    held = {scenario.contract(p.symbol, p.con_id).symbol for p in account.positions}
    assert {contract.symbol for contract in scenario.contracts} >= set(MODEL_SYMBOLS)
    assert 6 <= len(held & set(MODEL_SYMBOLS)) <= 9
    assert account.cash["CAD"] > 0
    assert {scenario.contract(p.symbol, p.con_id).sec_type for p in account.positions} == {
        "STK",
        "OPT",
    }
    assert scenario.market_mode == "open"


def test_the_least_scenario_is_healthy(tmp_path: Path) -> None:
    scenario = _load(tmp_path)
    assert scenario.fill_delay_sec == 0.05
    assert scenario.wire == WireFaults()
    assert scenario.contract("SPY").price == Decimal("620.45")


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.json")), ids=lambda path: path.stem)
def test_a_scenario_is_found_by_name_or_file(path: Path) -> None:
    assert find_scenario(path.stem) == find_scenario(str(path)) == path
    assert load_scenario(path).description


def test_no_name_is_the_sample_account() -> None:
    assert find_scenario("") == SAMPLE_ACCOUNT


@pytest.mark.parametrize("name", ["several_acounts", "SEVERAL_ACCOUNTS"])
def test_an_unknown_name_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(ScenarioError, match="did you mean several_accounts"):
        find_scenario(name)


def test_a_name_like_no_other_is_answered_with_all() -> None:
    with pytest.raises(ScenarioError, match=r"known are .*several_accounts"):
        find_scenario("zzz")


def test_every_scenario_has_its_line_in_usage() -> None:
    page = (SCENARIOS.parents[1] / "USAGE.md").read_text(encoding="utf-8")
    table = page.partition("\n### Scenarios\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in SCENARIOS.glob("*.json"))


def test_accounts_of_their_own_trade_the_samples_contracts(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"accounts": [ACCOUNT]}), encoding="utf-8")
    scenario = load_scenario(path)
    assert [account.account_id for account in scenario.accounts] == ["DU1234567"]
    assert scenario.contract("SPY").price == Decimal("620.45")


def test_a_rehearsals_market_moves_unless_its_file_says_otherwise(tmp_path: Path) -> None:
    still = load_scenario()
    assert (still.daily_move_pct, still.fill_spread_sec) == (0, 0)
    moving = load_scenario(moves=True)
    assert moving.daily_move_pct > 0
    assert 0.5 < moving.fill_delay_sec < moving.fill_delay_sec + moving.fill_spread_sec < 2
    path = tmp_path / "mine.json"
    path.write_text('{"daily_move_pct": 0, "fill_delay_sec": 3}', encoding="utf-8")
    mine = load_scenario(path, moves=True)
    assert (mine.daily_move_pct, mine.fill_delay_sec, mine.fill_spread_sec) == (0, 3, 0)


def test_several_accounts_are_of_three_kinds() -> None:
    accounts = load_scenario(find_scenario("several_accounts")).accounts
    kinds = [(account.kind, account.account_type) for account in accounts]
    assert kinds == [("STKNOPT", "JOINT"), ("STKCASH", "IRA"), ("STKNOPT", "INDIVIDUAL")]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"markt": "open"}, "markt: unknown key; did you mean market?"),
        ({"market": "shut"}, "market: expected one of auto, open, closed"),
        ({"accounts": []}, "at least one"),
        (
            _account(account_id="U1234567"),
            "accounts[0]: account_id 'U1234567' is not one of a paper",
        ),
        (_account(account_id="du1234567"), "not one of a paper login"),
        (_account(cash={"USD": "NaN"}), "accounts[0].cash.USD: expected a finite number"),
        (_account(cash={"USD": True}), "accounts[0].cash.USD: expected a number; found True"),
        (_account(cash={"usd": 1}), "'usd' is not a currency code"),
        (_account(cash={"CAD": 1}), "usd_rates.CAD: a rate is needed"),
        (_account(positions=[{"symbol": "QQQ", "quantity": 1}]), "symbol 'QQQ' names 0"),
        (_account(positions=[{"symbol": "SPY"}]), "accounts[0].positions[0].quantity: required"),
        (_account(positions={}), "accounts[0].positions: expected a list"),
        ({"contracts": [SPY, SPY]}, "contracts: 756733 appears more than once"),
        ({"contracts": [SPY | {"price": 0}]}, "contracts[0]: prices must be above 0"),
        ({"contracts": [SPY | {"time_zone": "Mars"}]}, "time_zone 'Mars' is not known"),
        ({"contracts": [SPY | {"con_id": 1.5}]}, "contracts[0].con_id: expected a whole number"),
        ({"clock": "2025-07-03T10:00:00"}, "clock: a time needs its offset"),
        ({"clock": "yesterday"}, "clock: expected a time such as"),
        ({"wire": {"latency_sec": -1}}, "wire: latency_sec must not be negative"),
        ({"wire": {"reorder_messages": [["A"]]}}, "wire.reorder_messages[0]: expected a list of 2"),
        ({"events": [{"what": "price", "symbol": "SPY"}]}, "events[0]: a price must be above 0"),
        ({"order_rules": [{"then": {"silence": "x"}}]}, "order_rules[0].then.silence: expected"),
        ({"gateway": {"next_valid_ids": {"a": 1}}}, "gateway: next_valid_ids maps client ids"),
        ({"fill_spread_sec": -1}, "scenario: fill_spread_sec must not be negative"),
        ({"order_rules": [{"then": {"parts": 0}}]}, "order_rules[0].then: parts must be"),
        ({"events": [{"what": "restart", "value": -1}]}, "events[0]: a restart cannot take -1"),
        ({"gateway": {"advisor_master": "DU1"}}, "gateway: advisor_master 'DU1' is not DF"),
        ({"usd_rates": {"CAD": 0}}, "usd_rates.CAD: must be above 0"),
    ],
)
def test_mistakes_name_their_path(tmp_path: Path, keys: dict[str, object], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        _load(tmp_path, **keys)
    assert message in str(caught.value)
    assert "scenario.json" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ("[]", "expected an object"),
        ('{"accounts": [], "accounts": []}', "'accounts' is given twice"),
        ('{"fill_delay_sec": NaN}', "write it as text"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_what_is_not_a_scenario_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=message):
        load_scenario(path)


def test_a_file_without_accounts_changes_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    changes = [
        {"symbol": "SPY", "price": 700},
        {"con_id": 51529211, "market_data": {"access": "silent"}},
        {"con_id": 99, "symbol": "NEW", "price": 5},
    ]
    path.write_text(json.dumps({"market": "closed", "contracts": changes}), encoding="utf-8")
    sample, scenario = load_scenario(), load_scenario(path)
    assert scenario.accounts == sample.accounts
    assert scenario.market == "closed"
    assert scenario.contract("SPY").price == 700
    assert scenario.contract("SPY").con_id == sample.contract("SPY").con_id
    assert scenario.contract("GLD").market_data.access == "silent"
    assert len(scenario.contracts) == len(sample.contracts) + 1


@pytest.mark.parametrize("contracts", ['"x"', "[1]", '[{"symbol": "SPY", "sec_type": 4}]'])
def test_malformed_changes_of_the_sample_are_refused(tmp_path: Path, contracts: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(f'{{"contracts": {contracts}}}', encoding="utf-8")
    with pytest.raises(ScenarioError, match="contracts"):
        load_scenario(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(tmp_path / "none.json")


def test_shown_prices_may_be_false_but_must_be_known(tmp_path: Path) -> None:
    spy = SPY | {"market_data": {"shown": {"bid": -1, "ask": "NaN", "last": None}}}
    shown = _load(tmp_path, contracts=[spy]).contract("SPY").market_data.shown
    assert shown["bid"] == -1
    assert shown["last"] is None
    with pytest.raises(ScenarioError, match=r"shown\.mid"):
        _load(tmp_path, contracts=[SPY | {"market_data": {"shown": {"mid": 1}}}])


def test_rates_between_currencies(tmp_path: Path) -> None:
    scenario = _load(tmp_path, usd_rates={"CAD": 0.7312}, **_account(base_currency="CAD"))
    assert scenario.rate("CAD", "USD") == Decimal("0.7312")
    assert scenario.rate("USD", "CAD") == Decimal("1.3676149")
    assert scenario.rate("CAD", "CAD") == 1


def test_a_clock_brings_the_real_calendar_unless_a_state_is_staged(tmp_path: Path) -> None:
    clock = "2025-07-03T10:00:00-04:00"
    assert _load(tmp_path, clock=clock).market_mode == "real"
    assert _load(tmp_path, clock=clock, market="closed").market_mode == "closed"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*Scenario.__dataclass_fields__, "other"]), _JSON))
def test_any_other_data_is_either_read_or_refused_with_a_scenario_error(
    data: dict[str, object],
) -> None:
    try:
        scenario: Scenario | None = read_record(Scenario, data, "")
    except ScenarioError:
        scenario = None
    assert scenario is None or scenario.accounts
