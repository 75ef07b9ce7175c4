"""A commission in another currency is never booked as dollars, and never lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ib_async.objects import CommissionReport

from src.broker.client import convert
from src.core.cash_effects import cash_effect, commission_or_reserve
from src.core.journal.codec import event_from_text, event_to_text
from src.core.journal.events import CommissionRecorded, FillRecorded
from src.core.orders.commissions import foreign_commissions, foreign_text
from src.core.orders.events import CommissionSeen
from src.core.orders.executions import newest_fills
from src.core.records.orders import Fill, ForeignAmount
from src.core.run.settlement import cash_difference
from tests.kits.builders import NOON_UTC, dec, snapshot
from tests.kits.orders_kit import RUN_ID, alive, executed, fill, with_commission

EUR = ForeignAmount(amount=dec("1.85"), currency="EUR")


def in_euro(one: Fill, amount: str = "1.85") -> Fill:
    return replace(one, foreign_commission=ForeignAmount(amount=dec(amount), currency="EUR"))


@pytest.mark.parametrize(
    ("currency", "usd", "foreign"),
    [("USD", dec("1.85"), None), ("", dec("1.85"), None), ("EUR", None, EUR), ("eur", None, EUR)],
)
def test_only_dollars_are_dollars(
    currency: str, usd: object, foreign: ForeignAmount | None
) -> None:
    seen = convert.commission_from(CommissionReport("0001.01", 1.85, currency))
    assert (seen.commission_usd, seen.foreign_commission) == (usd, foreign)


def test_an_unset_amount_is_none_in_any_currency() -> None:
    unset = convert.commission_from(CommissionReport("0001.01", 1.7976931348623157e308, "EUR"))
    assert unset == CommissionSeen(exec_id="0001.01", commission_usd=None)


def test_the_reserve_stays_where_the_cost_in_dollars_is_unknown() -> None:
    assert commission_or_reserve(in_euro(fill(100))) == commission_or_reserve(fill(100)) == dec(10)
    assert cash_effect([in_euro(fill(100))]) == dec(9990)


def test_no_dollars_are_missing_from_the_account_for_what_cost_euro() -> None:
    sold = [in_euro(fill(1000))]
    before = snapshot({"SPY": 1000}, 0)
    assert cash_difference(before, snapshot({}, 100_000), sold) == ""
    assert cash_difference(before, snapshot({}, 99_900), sold) != ""


def test_the_order_keeps_it_and_puts_it_on_record() -> None:
    player = alive()
    player.feed(executed(10))
    seen = CommissionSeen(exec_id="0001.01", commission_usd=None, foreign_commission=EUR)
    player.feed(seen)
    (booked,) = player.state.fills
    assert (booked.commission_usd, booked.foreign_commission) == (None, EUR)
    assert booked.is_charged
    assert isinstance(player.journal[-1], CommissionRecorded)
    assert player.feed(seen) == ()
    assert player.feed(executed(10)) == ()


def test_what_is_told_again_without_it_keeps_it() -> None:
    (known,) = newest_fills([in_euro(fill(10, "a.01")), fill(10, "a.02")])
    assert known.foreign_commission == EUR
    (later,) = newest_fills([in_euro(fill(10, "a.01")), with_commission(fill(10, "a.02"), 2)])
    assert (later.commission_usd, later.foreign_commission) == (dec(2), None)


def test_amounts_are_summed_up_by_currency_and_named() -> None:
    hkd = replace(fill(1), foreign_commission=ForeignAmount(amount=dec(2), currency="HKD"))
    amounts = foreign_commissions([in_euro(fill(1)), hkd, in_euro(fill(2), "0.15"), fill(3)])
    assert foreign_text(amounts) == "2.00 EUR, 2.00 HKD (unknown in USD)"
    assert foreign_text(()) == ""


EVENTS = (
    FillRecorded(run_id=RUN_ID, at_utc=NOON_UTC, fill=in_euro(fill(10))),
    CommissionRecorded(
        run_id=RUN_ID,
        at_utc=NOON_UTC,
        exec_id="0001.01",
        commission_usd=None,
        foreign_commission=EUR,
    ),
)


@pytest.mark.parametrize("event", EVENTS)
def test_the_journal_gives_it_back(event: FillRecorded | CommissionRecorded) -> None:
    assert event_from_text(event_to_text(event)) == event


def test_a_journal_from_before_there_were_foreign_commissions_is_read() -> None:
    plain = FillRecorded(run_id=RUN_ID, at_utc=NOON_UTC, fill=fill(10))
    body = json.loads(event_to_text(plain))
    del body["event"]["fill"]["foreign_commission"]
    assert event_from_text(json.dumps(body)) == plain
