"""What whole commands make of the figures that real accounts show."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from src import snapshot
from src.base.errors import ExitCode
from src.simulator.scenario.records import AccountSetup, Scenario, load_scenario
from tests.commands.conftest import OpenGateway
from tests.commands.kit import Workplace, sample

SETUP: AccountSetup = load_scenario().accounts[0]


def account(**changes: object) -> Scenario:
    """The sample with a changed account, and a rate for euros."""
    setup = replace(SETUP, **changes)  # type: ignore[arg-type]
    rates = {**load_scenario().usd_rates, "EUR": Decimal("1.1")}
    return sample(accounts=(setup,), usd_rates=rates)


def one_line(text: str) -> str:
    """Wrapped text as one line."""
    return " ".join(text.split())


def test_swept_deposits_are_spent_once_and_named(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(account())
    plain = json.loads(place.run("--json").out)
    open_gateway(account(swept_cash={"USD": Decimal(6000)}))
    done = place.run()
    assert done.code == ExitCode.OK
    told = one_line(done.out)
    assert "two figures of USD cash" in told
    assert "insured deposit USD 6,000.00" in told
    swept = json.loads(place.run("--json").out)
    assert swept["before"]["cash_usd"] == plain["before"]["cash_usd"]
    assert swept["tickets"] == plain["tickets"]


def test_an_account_without_dollars_is_refused_by_every_command(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(
        account(base_currency="EUR", cash={"EUR": Decimal(30_000)}, positions=(), accrued_cash={})
    )
    for done in (place.run(), place.run("--confirm"), place.run(main=snapshot.main)):
        assert done.code == ExitCode.REFUSED
        assert "EUR 30000.00 cash. Buy dollars first" in done.errors[0]


def test_a_debt_that_euros_would_cover_stands_above_the_prompt(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(account(cash={"USD": Decimal(-5000), "EUR": Decimal(30_000)}))
    done = place.run("--confirm", stdin="n\n")
    assert "EUR 30000.00 cash would cover it" in one_line(done.out).partition("Warnings:")[2]


def test_a_difference_to_the_brokers_net_liq_names_its_reason(
    place: Workplace, open_gateway: OpenGateway
) -> None:
    open_gateway(account(accrued_dividend=Decimal(4000)))
    done = place.run()
    assert done.code == ExitCode.OK
    assert "the likeliest reason: dividends not paid yet" in one_line(done.out)
