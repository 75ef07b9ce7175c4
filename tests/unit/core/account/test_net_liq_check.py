"""Our net liq against the broker's: when it warns, when it forbids, and which reason is named."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.account.net_liq_check import NetLiqCheck, broker_net_liq_check
from src.core.records.account import AccountSnapshot, SecondFigures, UnmanagedPosition
from src.core.valuation import value_account
from tests.kits.builders import dec, price_book, snapshot

NO_RATE = "the broker's net liq cannot be compared with ours: no rate to USD"


def with_extras(broker: str | None) -> AccountSnapshot:
    option = UnmanagedPosition(
        con_id=9,
        symbol="SPY C500",
        sec_type="OPT",
        currency="USD",
        qty=Decimal(1),
        value=Decimal(300),
    )
    return replace(
        snapshot({"SPY": 10}, 700),
        ignored_cash={"CAD": Decimal(1000)},
        usd_per_unit={"CAD": Decimal("0.7")},
        unmanaged=(option,),
        broker_net_liq_usd=None if broker is None else Decimal(broker),
    )


UNEXPLAINED = "nothing explains it: neither cash, accruals, unmanaged positions nor prices"


@pytest.mark.parametrize(
    ("broker", "warns", "forbids"),
    [
        ("2700", False, False),
        ("2673.3", False, False),  # just within 1% of the broker's figure
        ("2670", True, False),
        ("2400", True, True),
        (None, True, True),
    ],
)
def test_our_figures_are_held_against_the_brokers(
    broker: str | None, warns: bool, forbids: bool
) -> None:
    held = with_extras(broker)
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert (bool(check.warnings), check.forbids_trading) == (warns, forbids)


def test_the_warning_names_all_parts() -> None:
    held = with_extras("2400")
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    (warning,) = check.warnings
    assert warning == (
        "net liq 1700.00 + CAD cash 700.00 + SPY C500 (OPT) 300.00 = 2700.00 USD, but the broker "
        "says 2400.00 USD; the likeliest reason: SPY C500 (OPT), shown with 300.00 USD"
    )


@pytest.mark.parametrize("broker", ["2700", "42700"])
def test_the_size_of_a_future_may_or_may_not_be_in_the_brokers_figure(broker: str) -> None:
    held = with_extras(broker)
    future = replace(held.unmanaged[0], con_id=10, sec_type="FUT", value=Decimal(40_000))
    held = replace(held, unmanaged=(*held.unmanaged, future))
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert (check.ours_usd, check.warnings) == (Decimal(broker), ())


def test_a_missing_rate_is_named() -> None:
    held = replace(with_extras("2700"), usd_per_unit={})
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert check.forbids_trading
    assert "no rate to USD for CAD cash" in check.warnings[0]


def check_of_1000(held: AccountSnapshot) -> NetLiqCheck:
    """Ours is what ``held`` says, the broker's figure is 1000."""
    told = replace(held, broker_net_liq_usd=Decimal(1000))
    return broker_net_liq_check(told, value_account(told, price_book({"SPY": 100}), {}))


@pytest.mark.parametrize(
    ("cash", "warns", "forbids"),
    [
        ("110", False, False),  # 1% apart
        ("110.01", True, False),
        ("200", True, False),  # 10% apart
        ("200.01", True, True),
        ("90", False, False),
        ("89.99", True, False),
        ("0", True, False),
        ("-0.01", True, True),
    ],
)
def test_exactly_1_percent_is_no_warning_and_exactly_10_may_trade(
    cash: str, warns: bool, forbids: bool
) -> None:
    check = check_of_1000(snapshot({"SPY": 9}, cash))
    assert (bool(check.warnings), check.forbids_trading) == (warns, forbids)
    assert (check.ours_usd, check.broker_usd) == (900 + Decimal(cash), Decimal(1000))


def test_all_currencies_without_a_rate_are_named_beside_the_brokers_figure() -> None:
    cash = {"CAD": Decimal(5), "CHF": Decimal(-7), "EUR": Decimal(0)}
    check = check_of_1000(replace(snapshot({"SPY": 10}), ignored_cash=cash))
    assert check == NetLiqCheck(
        ours_usd=None,
        broker_usd=Decimal(1000),
        warnings=(f"{NO_RATE} for CAD cash, CHF cash",),
        forbids_trading=True,
    )


def test_a_missing_figure_of_the_brokers_is_a_base_currency_without_a_rate() -> None:
    held = snapshot({"SPY": 10})
    check = broker_net_liq_check(held, value_account(held, price_book({"SPY": 100}), {}))
    assert check.warnings == (f"{NO_RATE} for the account's base currency",)
    assert check.forbids_trading


# --- the likeliest reason ---------------------------------------------------------------------


def reason_for(held: AccountSnapshot, broker: int) -> str:
    """What the warning says after both figures; SPY is priced at 100, IAU at 40."""
    told = replace(held, broker_net_liq_usd=Decimal(broker))
    prices = price_book({"SPY": 100, "IAU": 40})
    (warning,) = broker_net_liq_check(told, value_account(told, prices, {})).warnings
    return warning.partition(" USD; ")[2]


def priced_by_the_account(spy: str | None, iau: str | None) -> AccountSnapshot:
    """10 SPY and 50 IAU, 3000 in all, and 1000 cash."""
    held = snapshot({"SPY": 10, "IAU": 50}, 1000)
    own = {"SPY": spy, "IAU": iau}
    prices = {symbol: None if text is None else dec(text) for symbol, text in own.items()}
    return replace(
        held,
        positions=tuple(
            replace(one, market_price_usd=prices[one.symbol]) for one in held.positions
        ),
    )


FIGURES = SecondFigures(
    other_cash_usd=Decimal(1600), accrued_cash_usd=Decimal(60), accrued_dividend_usd=Decimal(90)
)


@pytest.mark.parametrize(
    ("broker", "named"),
    [
        (4600, "the other figure of USD cash, 1600.00 USD"),
        (4090, "dividends not paid yet (AccruedDividend), 90.00 USD"),
        (4060, "interest not paid yet (AccruedCash), 60.00 USD"),
        (3000, "the price of SPY, 100.0000 here and 2.0000 in the account"),
        (4300, "the price of IAU, 40.0000 here and 46.0000 in the account"),
    ],
)
def test_the_reason_that_explains_most_is_named(broker: int, named: str) -> None:
    held = replace(priced_by_the_account("2", "46"), second_figures=FIGURES)
    assert reason_for(held, broker) == f"the likeliest reason: {named}"


@pytest.mark.parametrize(
    ("spy", "iau", "said"),
    [
        (
            "100",
            "40",
            f"{UNEXPLAINED}; compare with the account window of TWS, then run again",
        ),
        (
            *("100", "40.0000038"),  # as single precision makes of it
            f"{UNEXPLAINED}; compare with the account window of TWS, then run again",
        ),
        (
            *("100", "40.2"),
            (
                "nothing explains it by itself; the price that differs most: "
                "the price of IAU, 40.0000 here and 40.2000 in the account"
            ),
        ),
        (
            *(None, None),
            "nothing explains it; the account's own prices are not known here to compare with",
        ),
    ],
)
def test_no_reason_is_made_up(spy: str | None, iau: str | None, said: str) -> None:
    assert reason_for(priced_by_the_account(spy, iau), 5000) == said


def test_a_position_of_unknown_worth_is_a_reason() -> None:
    bond = UnmanagedPosition(
        con_id=9, symbol="T 4", sec_type="BOND", currency="USD", qty=dec(2), value=None
    )
    held = replace(priced_by_the_account("100", "40"), unmanaged=(bond,))
    assert reason_for(held, 5000) == "the likeliest reason: the worth of T 4 is not known here"
