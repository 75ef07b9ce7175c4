"""Cash accounts of the simulated gateway: proceeds settle on the next trading day (F-108)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from src.simulator.messages.requests import ReqAccountUpdates
from src.simulator.messages.responses import ErrorMessage
from src.simulator.scenario.records import AccountSetup
from tests.kits.exchange_kit import ACCOUNT, Client, account, codes, only, order, scenario, words
from tests.kits.exchange_kit import values as rows

NEXT_OPENING_SEC = 22.5 * 3600


def client(**changes: object) -> Client:
    return Client(
        scenario(accounts=(account(type="cash", cash={"USD": Decimal(10_000)}, **changes),))
    )


def figure(one: Client, key: str, currency: str = "USD") -> Decimal:
    """An account value as a fresh subscription shows it."""
    one.ask(ReqAccountUpdates(subscribe=False, account=ACCOUNT))
    shown = rows(one.ask(ReqAccountUpdates(subscribe=True, account=ACCOUNT)))
    return Decimal(shown[key, currency])


def test_a_purchase_needs_settled_cash_and_five_percent_more() -> None:
    one = client()
    refused = one.trade(1, order("BUY", 16))  # 9,600.16 of 10,000
    assert words(refused)[:4] == [
        "status PendingSubmit 0/16",
        "status Inactive 0/16",
        "status Cancelled 0/16",
        "error 201",
    ]
    assert only(ErrorMessage, refused)[0].text == (
        "Order rejected - reason:Available settled cash converted to base: 10000.00 USD Cash"
        " needed for this order and other pending orders: 10080.17 USD"
    )
    assert "status Filled 15/0" in words(one.trade(2, order("BUY", 15)))


def test_a_limit_order_needs_no_reserve_and_counts_while_it_works() -> None:
    one = client()
    resting = order("BUY", 15, order_type="LMT", lmt_price=Decimal(500))
    assert codes(one.trade(1, resting)) == []
    assert codes(one.trade(2, order("BUY", 2))) == [201]


def test_proceeds_are_cash_at_once_and_settled_on_the_next_trading_day() -> None:
    one = client()
    assert "status Filled 10/0" in words(one.trade(1, order("SELL", 10)))
    cash, available = figure(one, "TotalCashBalance"), figure(one, "AvailableFunds")
    assert cash > Decimal(15_990)
    assert available == figure(one, "SettledCash") == figure(one, "BuyingPower")
    assert Decimal(9990) < available <= Decimal(10_000)
    assert codes(one.trade(2, order("BUY", 17))) == [201]
    one.wait(NEXT_OPENING_SEC)
    assert figure(one, "AvailableFunds") == figure(one, "TotalCashBalance") == cash
    assert "status Filled 17/0" in words(one.trade(3, order("BUY", 17)))


@pytest.mark.parametrize("trading_type", ["STKNOPT", "IRAMRGN"])
def test_other_accounts_spend_proceeds_at_once(trading_type: str) -> None:
    setup: AccountSetup = account(trading_type=trading_type)
    one = Client(scenario(accounts=(setup,)))
    before = figure(one, "AvailableFunds")
    one.trade(1, order("SELL", 10))
    assert figure(one, "AvailableFunds") > before


def test_the_figures_are_in_the_base_currency() -> None:
    rates = {"CAD": Decimal("0.75"), "GBP": Decimal("1.25")}
    poor = account(type="cash", base_currency="GBP", cash={"USD": Decimal(1000)})
    one = Client(scenario(accounts=(poor,), usd_rates=rates))
    assert figure(one, "AvailableFunds", "GBP") == Decimal(800)
    text = only(ErrorMessage, one.trade(1, order("BUY", 2)))[0].text
    assert "converted to base: 800.00 GBP" in text
    assert "pending orders: 1008.02 GBP" in text
