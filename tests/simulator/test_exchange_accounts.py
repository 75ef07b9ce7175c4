"""Accounts of the simulated exchange: values, ledger, positions, and who is told of changes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.simulator.messages.account import (
    AccountDownloadEnd,
    AccountSummary,
    AccountSummaryEnd,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdateTime,
    ManagedAccounts,
    PortfolioValue,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
)
from src.simulator.messages.requests import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelPositions,
    CancelPositionsMulti,
    ReqAccountSummary,
    ReqAccountUpdates,
    ReqAccountUpdatesMulti,
    ReqManagedAccounts,
    ReqPositions,
    ReqPositionsMulti,
)
from src.simulator.messages.responses import ErrorMessage, NextValidId
from src.simulator.scenario.records import (
    GatewaySettings,
    PositionSetup,
    RawDecimal,
    ScheduledEvent,
    ValueOverride,
)
from tests.kits.exchange_kit import (
    ACCOUNT,
    OTHER_ACCOUNT,
    Client,
    account,
    codes,
    holdings,
    only,
    order,
    scenario,
    values,
)

UPDATES = ReqAccountUpdates(subscribe=True, account=ACCOUNT)
# 10 000 USD + 500 CAD at 0.75 + 20 SPY at 600 + one call at 12 times 100.
NET_LIQUIDATION = "23575.00"


def test_greeting_is_accounts_next_id_and_farm_notices() -> None:
    client = Client()
    assert client.greeting[:2] == [ManagedAccounts(accounts=ACCOUNT), NextValidId(order_id=1)]
    assert codes(client.greeting) == [2104, 2106, 2158]
    assert all(error.id == -1 for error in only(ErrorMessage, client.greeting))


def test_several_accounts_end_with_a_comma() -> None:
    client = Client(scenario(accounts=(account(), account(account_id=OTHER_ACCOUNT))))
    names = ManagedAccounts(accounts=f"{ACCOUNT},{OTHER_ACCOUNT},")
    assert client.ask(ReqManagedAccounts()) == [names]


def test_account_updates_come_as_values_portfolio_time_end() -> None:
    answer = Client().ask(UPDATES)
    kinds = list(dict.fromkeys(type(message).__name__ for message in answer))
    assert kinds == ["AccountValue", "PortfolioValue", "AccountUpdateTime", "AccountDownloadEnd"]
    assert answer[-1] == AccountDownloadEnd(account=ACCOUNT)
    assert AccountUpdateTime(time="15:00") in answer


def test_totals_and_ledger_in_a_dollar_account() -> None:
    told = values(Client().ask(UPDATES))
    assert told["NetLiquidation", "USD"] == NET_LIQUIDATION
    assert told["TotalCashValue", "USD"] == "10375.00"
    assert told["GrossPositionValue", "USD"] == "13200.00"
    assert told["EquityWithLoanValue", "USD"] == "22375.00"
    assert told["AvailableFunds", "USD"] == "16375.00"
    assert told["BuyingPower", "USD"] == "65500.00"
    assert told["CashBalance", "USD"] == "10000.00"
    assert told["CashBalance", "CAD"] == "500.00"
    assert told["CashBalance", "BASE"] == "10375.00"
    assert told["ExchangeRate", "CAD"] == "0.75"
    assert told["ExchangeRate", "USD"] == told["ExchangeRate", "BASE"] == "1.00"
    assert told["NetLiquidationByCurrency", "BASE"] == NET_LIQUIDATION
    assert told["AccountReady", ""] == "true"
    assert told["AccountType", ""] == "INDIVIDUAL"


def test_a_canadian_base_reports_totals_in_canadian_dollars() -> None:
    told = values(Client(scenario(accounts=(account(base_currency="CAD"),))).ask(UPDATES))
    assert told["ExchangeRate", "USD"] == "1.3333333"
    assert told["ExchangeRate", "CAD"] == "1.00"
    assert Decimal(told["NetLiquidation", "CAD"]) == Decimal("31433.33")
    assert ("NetLiquidation", "USD") not in told
    assert told["CashBalance", "USD"] == "10000.00"


def test_portfolio_lines_carry_market_value_and_gain() -> None:
    lines = {p.contract.con_id: p for p in only(PortfolioValue, Client().ask(UPDATES))}
    assert [lines[1].market_value, lines[1].unrealized_pnl] == [12000, 2000]
    assert [lines[3].market_value, lines[3].unrealized_pnl] == [1200, 200]
    assert lines[1].contract.primary_exchange == "ARCA"


def test_ledger_keys_can_carry_the_new_prefix() -> None:
    setting = scenario(gateway=GatewaySettings(ledger_prefix=True))
    told = values(Client(setting).ask(UPDATES))
    assert told["$LEDGER-CashBalance", "USD"] == "10000.00"
    assert ("CashBalance", "USD") not in told
    assert told["NetLiquidation", "USD"] == NET_LIQUIDATION


def test_a_second_account_replaces_the_first_with_notice_2100() -> None:
    client = Client(scenario(accounts=(account(), account(account_id=OTHER_ACCOUNT))))
    client.ask(UPDATES)
    answer = client.ask(ReqAccountUpdates(subscribe=True, account=OTHER_ACCOUNT))
    assert codes(answer) == [2100]
    assert answer[-1] == AccountDownloadEnd(account=OTHER_ACCOUNT)
    told = [*client.place(1, order("BUY", 1)), *client.wait()]
    assert values(told) == {}  # the trade is in the account no longer followed


def test_a_second_subscription_is_answered_by_nothing_unless_the_first_has_ended() -> None:
    client = Client()
    first = client.ask(UPDATES)
    assert client.ask(UPDATES) == []
    assert codes(client.ask(UPDATES._replace(subscribe=False))) == [2100]
    assert client.ask(UPDATES) == first


def test_a_second_subscription_is_answered_in_full_by_scenario() -> None:
    client = Client(scenario(gateway=GatewaySettings(repeated_subscription="everything")))
    assert client.ask(UPDATES) == client.ask(UPDATES) != []


def test_after_a_fill_only_what_changed_is_told() -> None:
    client = Client()
    client.ask(UPDATES)
    told = client.trade(1, order("BUY", 2))
    assert values(told)["CashBalance", "USD"] == "8798.98"
    assert ("CashBalance", "CAD") not in values(told)
    assert [line.position for line in only(PortfolioValue, told)] == [22]


def test_ending_updates_stops_them() -> None:
    client = Client()
    client.ask(UPDATES)
    assert codes(client.ask(ReqAccountUpdates(subscribe=False, account=ACCOUNT))) == [2100]
    assert values(client.trade(1, order("BUY", 1))) == {}


def test_values_move_with_prices_on_the_slow_beat() -> None:
    client = Client()
    client.ask(UPDATES)
    client.inject(ScheduledEvent(what="price", symbol="SPY", value=Decimal(610)))
    assert values(client.wait(170)) == {}
    assert values(client.wait(20))["NetLiquidation", "USD"] == "23775.00"


def test_unknown_account_is_an_error() -> None:
    client = Client()
    assert codes(client.ask(ReqAccountUpdates(subscribe=True, account="DU1"))) == [321]
    assert codes(client.ask(ReqAccountUpdatesMulti(req_id=5, account="DU1"))) == [321]
    assert codes(client.ask(ReqPositionsMulti(req_id=6, account="DU1"))) == [321]


def test_overrides_send_false_values_and_leave_rows_out() -> None:
    overrides = (
        ValueOverride(key="NetLiquidation", currency="USD", value="nan"),
        ValueOverride(key="CashBalance", currency="USD", value=None),
        ValueOverride(key="Extra", currency="", value="1"),
    )
    told = values(Client(scenario(accounts=(account(overrides=overrides),))).ask(UPDATES))
    assert told["NetLiquidation", "USD"] == "nan"
    assert ("CashBalance", "USD") not in told
    assert told["Extra", ""] == "1"


def test_account_not_ready() -> None:
    told = values(Client(scenario(accounts=(account(ready=False),))).ask(UPDATES))
    assert told["AccountReady", ""] == "false"


def test_multi_updates_have_no_portfolio() -> None:
    client = Client()
    answer = client.ask(ReqAccountUpdatesMulti(req_id=7, account=ACCOUNT))
    assert answer[-1] == AccountUpdateMultiEnd(req_id=7)
    rows = {(row.key, row.currency): row.value for row in only(AccountUpdateMulti, answer)}
    assert rows["NetLiquidation", "USD"] == NET_LIQUIDATION
    assert not only(PortfolioValue, answer)
    assert codes(client.ask(ReqAccountUpdatesMulti(req_id=7, account=ACCOUNT))) == [322]
    changed = only(AccountUpdateMulti, client.trade(1, order("BUY", 1)))
    assert {row.key for row in changed} >= {"CashBalance", "GrossPositionValue"}
    client.ask(CancelAccountUpdatesMulti(req_id=7))
    assert not only(AccountUpdateMulti, client.trade(2, order("BUY", 1)))


def test_multi_updates_of_ledger_and_net_liquidation_only() -> None:
    answer = Client().ask(ReqAccountUpdatesMulti(req_id=7, ledger_and_nlv=True))
    keys = {row.key for row in only(AccountUpdateMulti, answer)}
    assert "NetLiquidation" in keys
    assert "CashBalance" in keys
    assert "BuyingPower" not in keys


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("NetLiquidation", {("NetLiquidation", "USD")}),
        ("$LEDGER", {("CashBalance", "BASE")}),
        ("$LEDGER:CAD", {("CashBalance", "CAD")}),
        ("$LEDGER:ALL", {("CashBalance", c) for c in ("USD", "CAD", "BASE")}),
    ],
)
def test_account_summary_tags(tags: str, expected: set[tuple[str, str]]) -> None:
    answer = Client().ask(ReqAccountSummary(req_id=9, tags=tags))
    assert answer[-1] == AccountSummaryEnd(req_id=9)
    rows = {(row.tag, row.currency) for row in only(AccountSummary, answer)}
    assert {row for row in rows if row[0] in ("CashBalance", "NetLiquidation")} == expected


def test_a_third_account_summary_is_too_many() -> None:
    client = Client()
    for req_id in (1, 2):
        client.ask(ReqAccountSummary(req_id=req_id, tags="NetLiquidation"))
    assert codes(client.ask(ReqAccountSummary(req_id=3, tags="NetLiquidation"))) == [322]
    assert codes(client.ask(ReqAccountSummary(req_id=2, tags="NetLiquidation"))) == [322]
    client.ask(CancelAccountSummary(req_id=1))
    assert codes(client.ask(ReqAccountSummary(req_id=3, tags="NetLiquidation"))) == []
    client.ask(CancelAccountSummary(req_id=3))
    assert codes(client.ask(ReqAccountSummary(req_id=4, tags=" "))) == [321]
    assert codes(client.ask(ReqAccountSummary(req_id=4, group="Mine", tags="Cushion"))) == [321]


def test_a_summary_is_stale_after_a_fill_until_the_slow_beat() -> None:
    client = Client()
    client.ask(ReqAccountSummary(req_id=9, tags="TotalCashValue"))
    assert not only(AccountSummary, client.trade(1, order("BUY", 1)))
    assert [row.value for row in only(AccountSummary, client.wait(180))] == ["9773.99"]


def test_positions_list_every_account_then_push_changes() -> None:
    client = Client(scenario(accounts=(account(), account(account_id=OTHER_ACCOUNT))))
    answer = client.ask(ReqPositions())
    assert answer[-1] == PositionEnd()
    assert {row.account for row in only(Position, answer)} == {ACCOUNT, OTHER_ACCOUNT}
    pushed = only(Position, client.trade(1, order("SELL", 20)))
    assert [(row.account, int(row.position)) for row in pushed] == [(ACCOUNT, 0)]
    again = client.ask(ReqPositions())
    assert [row.position for row in only(Position, again) if row.account == ACCOUNT] == [0, 1]
    client.ask(CancelPositions())
    assert not only(Position, client.trade(2, order("BUY", 1)))


def test_positions_of_one_account() -> None:
    client = Client()
    answer = client.ask(ReqPositionsMulti(req_id=4, account=ACCOUNT, model_code="M"))
    assert answer[-1] == PositionMultiEnd(req_id=4)
    assert [row.position for row in only(PositionMulti, answer)] == [20, 1]
    assert codes(client.ask(ReqPositionsMulti(req_id=4))) == [322]
    assert [r.position for r in only(PositionMulti, client.trade(1, order("BUY", 1)))] == [21]
    client.ask(CancelPositionsMulti(req_id=4))
    assert not only(PositionMulti, client.trade(2, order("BUY", 1)))


def test_false_and_repeated_position_lines() -> None:
    odd = PositionSetup(
        symbol="SPY",
        quantity=Decimal(20),
        reported_quantity=RawDecimal(Decimal("NaN")),
        reported_price=RawDecimal(Decimal(-1)),
        reported_avg_cost=RawDecimal(Decimal("1.7976931348623157E308")),
        reported_times=2,
    )
    client = Client(scenario(accounts=(account(positions=(odd,)),)))
    rows = only(Position, client.ask(ReqPositions()))
    assert [row.position.is_nan() for row in rows] == [True, True]
    assert rows[0].avg_cost == odd.reported_avg_cost
    lines = only(PortfolioValue, client.ask(UPDATES))
    assert [line.market_price for line in lines] == [-1, -1]


def test_lines_of_a_strange_account() -> None:
    stray = PositionSetup(symbol="SPY", quantity=Decimal(20), reported_account="DU999")
    client = Client(scenario(accounts=(account(positions=(stray,)),)))
    assert [row.account for row in only(Position, client.ask(ReqPositions()))] == ["DU999"]
    assert [row.account for row in only(PortfolioValue, client.ask(UPDATES))] == ["DU999"]


def test_average_cost_holds_commissions_and_gain_is_realized_on_sale() -> None:
    client = Client()
    client.ask(UPDATES)
    bought = only(PortfolioValue, client.trade(1, order("BUY", 20)))[-1]
    assert bought.average_cost == (Decimal(20 * 500) + 20 * Decimal("600.01") + 1) / 40
    sold = only(PortfolioValue, client.trade(2, order("SELL", 10)))[-1]
    assert sold.average_cost == bought.average_cost
    assert sold.realized_pnl == 10 * (Decimal("599.99") - bought.average_cost) - 1


def test_average_cost_has_no_more_places_than_recorded_ones() -> None:
    client = Client()
    client.ask(UPDATES)
    bought = only(PortfolioValue, client.trade(1, order("BUY", 1)))[-1]
    assert bought.average_cost == round((20 * 500 + Decimal("600.01") + 1) / 21, 8)


def test_positions_and_cash_can_lag_behind_fills() -> None:
    client = Client(scenario(gateway=GatewaySettings(account_lag_sec=5)))
    client.trade(1, order("BUY", 1))
    assert holdings(client.ask(ReqPositions()))[1] == 20
    assert holdings(client.wait(5))[1] == 21


def test_events_change_holdings_and_cash_behind_the_clients_back() -> None:
    client = Client()
    client.ask(ReqPositions())
    client.ask(UPDATES)
    sold = ScheduledEvent(what="position", symbol="SPY", value=Decimal(5))
    assert holdings(client.inject(sold)) == {1: 5}
    client.inject(ScheduledEvent(what="cash", currency="USD", value=Decimal(99)))
    assert values(client.wait())["CashBalance", "USD"] == "99.00"
    event = ScheduledEvent(what="cash", after_sec=3, value=Decimal(1))
    later = Client(replace(scenario(), events=(event,)))
    later.ask(UPDATES)
    assert values(later.wait(4))["CashBalance", "USD"] == "1.00"


def test_a_client_that_left_is_told_nothing() -> None:
    client = Client()
    client.ask(UPDATES)
    client.ask(ReqPositions())
    client.leave()
    assert not client.exchange.is_client_id_in_use(1)
    watcher = Client(client_id=2, other=client)
    watcher.trade(1, order("BUY", 1))
    assert Client(client_id=1, other=watcher).wait() == []


def test_an_advisors_master_is_listed_first_and_has_no_figures() -> None:
    setting = scenario(gateway=GatewaySettings(advisor_master="DF1000001"))
    client = Client(setting)
    assert ManagedAccounts(accounts=f"DF1000001,{ACCOUNT},") in client.greeting
