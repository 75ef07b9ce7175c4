"""F26 to F31 and F35: what the account download must be before a plan is made from it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest

from src.base.errors import BrokerLost, Refused, UnbelievableData
from src.broker.ibkr_client import IbkrSession
from src.core.records.account import AccountSnapshot
from src.simulator.scenario.accounts import ValueOverride
from src.simulator.scenario.records import GatewaySettings, PositionSetup, Scenario
from tests.kits.client_kit import gateway_of, sent, talk, with_wire
from tests.kits.exchange_kit import ACCOUNT, OTHER_ACCOUNT, account, scenario


def _read(setting: Scenario, timeout: str = "5") -> AccountSnapshot:
    return talk(setting, lambda session: session.fetch_snapshot(), timeout=timeout)


def _holding(**changes: object) -> Scenario:
    position = replace(
        PositionSetup(symbol="SPY", quantity=Decimal(20), avg_cost=Decimal(500)),
        **changes,  # type: ignore[arg-type]
    )
    return scenario(accounts=(account(positions=(position,)),))


def _saying(key: str, currency: str, value: str | None) -> Scenario:
    override = ValueOverride(key=key, currency=currency, value=value)
    return scenario(accounts=(account(overrides=(override,)),))


def test_a_healthy_account() -> None:
    snapshot = _read(scenario())
    assert snapshot.account_id == ACCOUNT
    assert [(held.symbol, held.con_id, held.qty_shares) for held in snapshot.positions] == [
        ("SPY", 1, Decimal(20))
    ]
    assert snapshot.positions[0].market_price_usd == 600
    assert snapshot.positions[0].avg_cost_usd == 500
    assert snapshot.cash_usd == 10_000
    assert snapshot.ignored_cash == {"CAD": Decimal(500)}
    assert snapshot.usd_per_unit["CAD"] == Decimal("0.75")


def test_an_option_is_unmanaged_and_never_shares_of_its_underlying() -> None:
    (option,) = _read(scenario()).unmanaged
    assert (option.symbol, option.sec_type, option.qty) == ("SPY", "OPT", Decimal(1))
    assert option.value == 1200


def test_a_holding_in_another_currency_is_unmanaged() -> None:
    foreign = PositionSetup(symbol="XIU", quantity=Decimal(30), avg_cost=Decimal(35))
    snapshot = _read(scenario(accounts=(account(positions=(foreign,)),)))
    assert snapshot.positions == ()
    assert [(one.symbol, one.currency, one.value) for one in snapshot.unmanaged] == [
        ("XIU", "CAD", Decimal(1200))
    ]


def test_figures_of_another_base_currency_are_converted_to_usd() -> None:
    usd = _read(scenario())
    cad = _read(scenario(accounts=(account(base_currency="CAD"),)))
    assert cad.cash_usd == 10_000
    assert cad.usd_per_unit["CAD"] == pytest.approx(Decimal("0.75"), abs=Decimal("0.0001"))
    assert usd.broker_net_liq_usd is not None
    assert cad.broker_net_liq_usd is not None
    assert abs(cad.broker_net_liq_usd - usd.broker_net_liq_usd) < 1


def test_ledger_keys_with_the_new_prefix_mean_the_same() -> None:
    prefixed = _read(scenario(gateway=GatewaySettings(ledger_prefix=True)))
    plain = _read(scenario())
    assert (prefixed.cash_usd, prefixed.ignored_cash, prefixed.broker_net_liq_usd) == (
        plain.cash_usd,
        plain.ignored_cash,
        plain.broker_net_liq_usd,
    )


def test_a_holding_closed_today_is_not_a_position() -> None:
    closed = PositionSetup(symbol="IAU", quantity=Decimal(0), avg_cost=Decimal(0))
    assert _read(scenario(accounts=(account(positions=(closed,)),))).positions == ()


@pytest.mark.parametrize("said", ["1.7976931348623157E308", "1e12"])
def test_a_quantity_that_cannot_be_true_is_refused(said: str) -> None:
    with pytest.raises(UnbelievableData, match="quantity of SPY"):
        _read(_holding(reported_quantity=Decimal(said)))


@pytest.mark.parametrize("said", ["1.7976931348623157E308", "1e12"])
def test_a_market_price_that_cannot_be_true_is_refused(said: str) -> None:
    with pytest.raises(UnbelievableData, match="market price of SPY"):
        _read(_holding(reported_price=Decimal(said)))


@pytest.mark.parametrize(("said", "price"), [("0", 0), ("-1", None)])
def test_no_market_price_is_none_and_no_reason_to_refuse(said: str, price: int | None) -> None:
    """0 is what the account says of a worthless share, -1 that it does not say."""
    assert _read(_holding(reported_price=Decimal(said))).positions[0].market_price_usd == price


@pytest.mark.parametrize(
    ("key", "currency", "value"),
    [
        ("CashBalance", "USD", "NaN"),
        ("CashBalance", "USD", "-Infinity"),
        ("CashBalance", "USD", "1.7976931348623157E308"),
        ("CashBalance", "USD", "much"),
        ("CashBalance", "CAD", "NaN"),
        ("ExchangeRate", "CAD", "0"),
        ("NetLiquidation", "USD", "NaN"),
    ],
)
def test_a_figure_that_cannot_be_true_is_refused(key: str, currency: str, value: str) -> None:
    with pytest.raises(UnbelievableData, match=f"{key}.* {currency}"):
        _read(_saying(key, currency, value))


def test_a_missing_usd_row_is_refused_and_not_zero() -> None:
    rows = tuple(
        ValueOverride(key=key, currency="USD", value=None)
        for key in ("CashBalance", "TotalCashBalance")
    )
    with pytest.raises(UnbelievableData, match="row of USD without its cash"):
        _read(scenario(accounts=(account(overrides=rows),)))


def test_without_a_rate_the_brokers_net_liq_is_unknown() -> None:
    rows = (ValueOverride(key="ExchangeRate", currency="USD", value=None),)
    setting = scenario(accounts=(account(base_currency="CAD", overrides=rows),))
    assert _read(setting).broker_net_liq_usd is None


def test_short_positions_are_refused_and_listed() -> None:
    short = PositionSetup(symbol="IAU", quantity=Decimal(-3), avg_cost=Decimal(60))
    with pytest.raises(Refused, match=r"short positions.*IAU \(-3\)"):
        _read(scenario(accounts=(account(positions=(short,)),)))


def test_rows_of_another_account_are_never_added() -> None:
    other = account(
        account_id=OTHER_ACCOUNT,
        positions=(PositionSetup(symbol="SPY", quantity=Decimal(999), avg_cost=Decimal(1)),),
    )
    snapshot = _read(scenario(accounts=(other, account())))
    assert [held.qty_shares for held in snapshot.positions] == [20]


@pytest.mark.parametrize("message", ["Position", "PortfolioValue", "AccountValue"])
def test_a_row_that_comes_twice_counts_once(message: str) -> None:
    twice = _read(with_wire(scenario(), duplicate_messages=(message,)))
    assert [held.qty_shares for held in twice.positions] == [20]
    assert twice.cash_usd == 10_000


@pytest.mark.parametrize("number", [6, 7, 9, 12])
def test_a_message_that_cannot_be_read_is_refused(number: int) -> None:
    with pytest.raises((UnbelievableData, BrokerLost)):
        _read(with_wire(scenario(), garbage_response=number), timeout="0.5")


def test_lists_that_disagree_are_read_once_more() -> None:
    async def work(session: IbkrSession) -> tuple[Decimal, int]:
        rows = session._connection.link.listener.books[session.account_id].positions
        rows[1] = replace(rows[1], qty=Decimal(21))
        snapshot = await session.fetch_snapshot()
        return snapshot.positions[0].qty_shares, sent(gateway_of(session)).count("ReqPositions")

    assert talk(scenario(), work) == (Decimal(20), 2)


def test_lists_that_keep_disagreeing_are_refused() -> None:
    with pytest.raises(Refused, match=r"positions changed while they were read.*SPY \(20 and 0\)"):
        _read(with_wire(scenario(), silent_messages=("PortfolioValue",)))


def test_an_account_that_is_not_ready_is_waited_for_in_bounds() -> None:
    with pytest.raises(Refused, match="AccountReady"):
        _read(scenario(accounts=(account(ready=False),)), timeout="1")


def test_fresh_figures_replace_the_download() -> None:
    async def work(session: IbkrSession) -> Mapping[str, Decimal]:
        before = await session.fetch_snapshot()
        rows = session._connection.link.listener.books[session.account_id].values
        rows["CashBalance", "USD"] = rows["TotalCashBalance", "USD"] = "1"
        stale = await session.fetch_snapshot()
        fresh = await session.fetch_snapshot(fresh=True)
        return {"before": before.cash_usd, "stale": stale.cash_usd, "fresh": fresh.cash_usd}

    assert talk(scenario(), work) == {"before": 10_000, "stale": 1, "fresh": 10_000}


def _subscriptions(session: IbkrSession) -> list[str]:
    """What was asked of the account subscription: 1 begin, 0 end."""
    log = gateway_of(session).wire_log
    return [record.fields[2] for record in log if record.name == "ReqAccountUpdates"]


@pytest.mark.parametrize("latency_sec", [0, 0.2], ids=["quick", "slow"])
@pytest.mark.parametrize("answer", ["nothing", "everything"])
def test_f124_a_fresh_reading_ends_the_subscription_and_begins_another(
    answer: Literal["nothing", "everything"],
    latency_sec: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(session: IbkrSession) -> tuple[list[Decimal], list[str]]:
        seen = [(await session.fetch_snapshot(fresh=True)).cash_usd for _ in range(3)]
        return seen, _subscriptions(session)

    caplog.set_level(logging.INFO)
    setting = scenario(gateway=GatewaySettings(repeated_subscription=answer))
    seen, asked = talk(with_wire(setting, latency_sec=latency_sec), work, timeout="2")
    assert seen == [10_000] * 3
    assert asked == ["1", "0", "1", "0", "1", "0", "1"]
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    assert not [text for text in said if "2100" in text], "the answer to our own unsubscribe"


def test_f124_another_program_s_switch_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def work(session: IbkrSession) -> None:
        await session.fetch_snapshot(fresh=True)
        session._connection.link.listener.error(-1, 2100, "unsubscribed from account data", "")

    caplog.set_level(logging.INFO)
    talk(scenario(), work)
    assert "code=2100" in caplog.text


def test_a_gateway_that_does_not_tell_its_time_is_no_obstacle() -> None:
    silent = with_wire(scenario(), silent_messages=("CurrentTime",))
    assert talk(silent, lambda session: session.fetch_clock_offset(), timeout="0.4") == timedelta(0)


# --- what the rows of real accounts say -------------------------------------------------------


@pytest.mark.parametrize("is_prefixed", [False, True])
def test_swept_deposits_are_counted_once(*, is_prefixed: bool) -> None:
    swept = account(swept_cash={"USD": Decimal(6000)})
    setting = scenario(accounts=(swept,), gateway=GatewaySettings(ledger_prefix=is_prefixed))
    read = _read(setting)
    assert read.cash_usd == 10_000
    assert read.second_figures.other_cash_usd == 16_000
    assert read.second_figures.insured_deposit_usd == 6000
    (warning,) = read.warnings
    assert "10000.00 (TotalCashBalance) and 16000.00 (CashBalance" in warning


def test_an_account_without_dollars_says_what_it_holds() -> None:
    euros = account(base_currency="EUR", cash={"EUR": Decimal(30_000)}, positions=())
    setting = scenario(accounts=(euros,), usd_rates={"EUR": Decimal("1.1"), "CAD": Decimal(1)})
    with pytest.raises(Refused, match=r"EUR 30000\.00 cash\. Buy dollars first"):
        _read(setting)


def test_a_debt_in_dollars_names_the_cash_that_would_cover_it() -> None:
    debtor = account(cash={"USD": Decimal(-300), "CAD": Decimal(500)})
    (warning,) = _read(scenario(accounts=(debtor,))).warnings
    assert "USD cash is -300.00 while CAD 500.00 cash would cover it" in warning


@pytest.mark.parametrize(
    ("changes", "trading_type"),
    [
        ({}, "STKNOPT"),
        ({"type": "cash"}, "STKCASH"),
        ({"trading_type": "IRAMRGN", "account_type": "IRA-ROTH NEW"}, "IRAMRGN"),
        ({"overrides": (ValueOverride(key="TradingType-S", currency="", value=None),)}, ""),
    ],
)
@pytest.mark.parametrize("base", ["USD", "CAD"])
def test_the_kind_of_account_is_read_from_its_rows(
    changes: dict[str, object], trading_type: str, base: str
) -> None:
    terms = _read(scenario(accounts=(account(base_currency=base, **changes),))).terms
    assert terms.trading_type == trading_type
    assert terms.account_type == changes.get("account_type", "INDIVIDUAL")
    assert terms.available_funds_usd is not None
    assert terms.buying_power_usd is not None
    plain = _read(scenario(accounts=(account(**changes),))).terms
    assert plain.available_funds_usd is not None
    assert abs(terms.available_funds_usd - plain.available_funds_usd) < 1


def test_accruals_are_read_in_dollars() -> None:
    accruing = account(
        base_currency="CAD", accrued_cash={"USD": Decimal(12)}, accrued_dividend=Decimal(40)
    )
    figures = _read(scenario(accounts=(accruing,))).second_figures
    assert figures.accrued_cash_usd is not None
    assert abs(figures.accrued_cash_usd - 12) < Decimal("0.01")
    assert figures.accrued_dividend_usd is not None
    assert abs(figures.accrued_dividend_usd - 30) < Decimal("0.01")
