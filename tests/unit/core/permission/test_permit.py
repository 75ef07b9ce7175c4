"""Every guard, the user's answer, the permit, and the second look."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from src.base.errors import Refused
from src.base.settings import Settings
from src.core.orders.ids import MAX_ORDER_ID
from src.core.orders.ref import PREFIX
from src.core.permission.market_state import MarketState, Obstacle, obstacles, previous_closes
from src.core.permission.permit import (
    GUARDS,
    Answer,
    Declined,
    TradePermit,
    grant_permit,
    is_approval,
    refuse_obstacles,
    trading_obstacles,
)
from src.core.permission.second_look import compare_after_answer
from src.core.records.market import QuoteStage
from tests.kits.builders import ACCOUNT, NOON_UTC, con_id, price_book, quote
from tests.kits.guard_kit import held, open_listing, order_of_others, settings, state
from tests.kits.journal_kit import PLAN, PRICES, RUN_ID, ref

LIVE = "U7654321"
ONE_PERCENT = Decimal("0.01")
CALM = state()


def found(market: MarketState, rules: Settings | None = None, at: datetime = NOON_UTC) -> list[str]:
    return [one.text for one in trading_obstacles(PLAN, market, rules or settings(), at)]


def answer(text: str | None = "y", plan_hash: str = PLAN.plan_hash) -> Answer:
    return Answer(text=text, run_id=RUN_ID, plan_hash=plan_hash)


def moved(**changes: str) -> MarketState:
    """The calm market with other shares held of a symbol."""
    positions = tuple(
        replace(one, qty_shares=Decimal(changes.get(one.symbol, one.qty_shares)))
        for one in held().positions
    )
    return state(snapshot=replace(held(), positions=positions))


def test_a_calm_market_has_no_obstacle() -> None:
    assert found(CALM) == []


HALTED = price_book(PRICES, halted=("CCC",))
OTHER_ID = {**CALM.listings, "AAA": replace(open_listing("AAA"), con_id=5)}
MISSING = {symbol: one for symbol, one in CALM.listings.items() if symbol != "BBB"}
EUR = replace(held(), ignored_cash={"EUR": Decimal(100)})
APART = replace(held(), broker_net_liq_usd=PLAN.before.net_liq_usd * 2)

OBSTACLES = {
    "not managed": (state(managed_accounts=("DU9",)), "not in this login"),
    "no accounts": (state(managed_accounts=()), "accounts: none"),
    "other figures": (
        state(snapshot=replace(held(), account_id="DU9"), managed_accounts=(ACCOUNT, "DU9")),
        "not those of account",
    ),
    "live login": (state(managed_accounts=(ACCOUNT, LIVE)), "allow_live is false"),
    "read-only api": (state(working_orders=None), "Read-Only API"),
    "lock": (state(lock_holder="another run holds this account (pid 7)"), "pid 7"),
    "open run": (state(open_runs=(RUN_ID,)), f"--recover --accept {RUN_ID}"),
    "unknown order": (
        state(working_orders=(order_of_others("ZZZ", order_ref=ref(1)),)),
        "journal does not know",
    ),
    "foreign order": (state(working_orders=(order_of_others(),)), "SELL 5 AAA"),
    "order without account": (
        state(working_orders=(order_of_others(account_id=""),)),
        "working orders in planned symbols",
    ),
    "halt": (state(prices=HALTED), "halted in CCC"),
    "short": (moved(BBB="-1"), "short positions: BBB"),
    "sells more": (moved(AAA="1"), "more than the 1 held"),
    "two contracts": (state(listings=OTHER_ID), "several contracts"),
    "no listing": (state(listings=MISSING), "BBB is not a verified"),
    "old plan": (state(plan_age_sec=Decimal(121)), "121 s old"),
    "age below zero": (state(plan_age_sec=Decimal(-1)), "-1 s old"),
    "split down": (state(previous_closes={"AAA": Decimal("166.68")}), "AAA at 100.0000 is far"),
    "split up": (state(previous_closes={"DDD": Decimal("6.24")}), "DDD at 10.0000 is far"),
    "net liq": (state(snapshot=APART), "broker"),
    "no rate": (state(snapshot=EUR), "EUR"),
    "no broker figure": (state(snapshot=replace(held(), broker_net_liq_usd=None)), "compared"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_each_obstacle_is_named_and_forbids_trading(name: str) -> None:
    market, words = OBSTACLES[name]
    assert any(words in text for text in found(market)), found(market)
    with pytest.raises(Refused) as caught:
        grant_permit(answer(), PLAN, market, settings(), NOON_UTC)
    assert words in str(caught.value)


CALM_ANYWAY = {
    "order elsewhere": state(working_orders=(order_of_others("ZZZ"),)),
    "order of another account": state(working_orders=(order_of_others(account_id="DU9"),)),
    "own order, known": state(
        working_orders=(order_of_others("ZZZ", order_ref=ref(1)),),
        journalled_refs=frozenset({ref(1)}),
    ),
    "simulated order": state(working_orders=(order_of_others("ZZZ", order_ref="IBRSIM-x-1-1"),)),
    "several paper accounts": state(managed_accounts=(ACCOUNT, "DU9")),
    "halt elsewhere": state(prices=price_book(PRICES, halted=("ZZZ",))),
    "age at the limit": state(plan_age_sec=Decimal(120)),
    "close unknown": state(previous_closes={}),
    "price at the split bounds": state(
        previous_closes={"AAA": Decimal(100) / Decimal("1.6"), "DDD": Decimal("16.6666")}
    ),
    "clock a minute off": state(clock_offset=timedelta(seconds=60)),
}


@pytest.mark.parametrize("name", CALM_ANYWAY)
def test_what_only_looks_like_an_obstacle(name: str) -> None:
    assert found(CALM_ANYWAY[name]) == []


def test_a_clock_far_off_is_a_warning_that_forbids_nothing() -> None:
    market = state(clock_offset=timedelta(seconds=-90))
    (one,) = trading_obstacles(PLAN, market, settings(), NOON_UTC)
    assert one.is_warning
    assert "90 s" in one.text
    assert isinstance(grant_permit(answer(), PLAN, market, settings(), NOON_UTC), TradePermit)


def test_outside_the_session_the_next_opening_is_named() -> None:
    evening = NOON_UTC + timedelta(hours=4)
    (text,) = found(CALM, at=evening)
    assert text == (
        "the market is closed for AAA, BBB, CCC, DDD; it opens 2025-02-01 15:00 UTC, run again then"
    )
    later = NOON_UTC + timedelta(hours=30)
    assert "no next opening" in found(CALM, at=later)[0]


def test_the_next_opening_is_told_by_the_exchange_s_clock_and_by_ours() -> None:
    listings = {
        symbol: replace(one, time_zone="US/Eastern") for symbol, one in CALM.listings.items()
    }
    market = state(listings=listings, local_time=lambda at: at.astimezone(ZoneInfo("Asia/Tokyo")))
    (text,) = found(market, at=NOON_UTC + timedelta(hours=4))
    assert text == (
        "the market is closed for AAA, BBB, CCC, DDD; it opens Sat 1 Feb 10:00 New York, "
        "Sun 2 Feb 00:00 here (2025-02-01 15:00 UTC), run again then"
    )


def test_the_gateway_s_clock_decides_about_the_session() -> None:
    market = state(clock_offset=timedelta(hours=4))
    assert any("closed" in text for text in found(market))


def test_extended_hours_ask_the_extended_sessions() -> None:
    rules = settings()
    extended = rules._replace(rebalance=rules.rebalance._replace(trading_hours="eth"))
    early = NOON_UTC + timedelta(hours=5)
    (warning,) = trading_obstacles(PLAN, CALM, extended, early)
    assert warning.is_warning
    assert "plain market" in warning.text
    assert "cancels them after 300 s" in warning.text
    assert trading_obstacles(PLAN, CALM, extended, NOON_UTC) == ()
    assert found(CALM, extended, NOON_UTC + timedelta(hours=8)) != []


def test_hard_limits_show_limit_and_value() -> None:
    total = sum(one.est_value_usd for one in PLAN.tickets)
    largest = max(one.est_value_usd for one in PLAN.tickets)
    tight = settings(max_orders=1, max_order_usd=largest - 1, max_run_usd=total - 1)
    texts = found(CALM, tight)
    assert any("max_orders = 1" in text for text in texts)
    assert any(f"max_run_usd = {total - 1}" in text for text in texts)
    assert any(f"max_order_usd = {largest - 1}" in text for text in texts)
    loose = settings(max_orders=len(PLAN.tickets), max_order_usd=largest, max_run_usd=total)
    assert found(CALM, loose) == []


def test_order_ids_must_last_for_every_ticket_and_its_second_attempt() -> None:
    needed = 2 * len(PLAN.tickets)
    texts = found(state(highest_order_id=MAX_ORDER_ID - needed + 1))
    assert any("Reset API order ID sequence" in text for text in texts)
    assert found(state(highest_order_id=MAX_ORDER_ID - needed)) == []


def test_an_advisor_group_is_not_an_account() -> None:
    group = state(managed_accounts=("GROUP",))
    assert any("group" in text for text in found(group, settings(account_id="GROUP")))


def test_a_master_is_not_an_account_to_trade() -> None:
    login = state(managed_accounts=("DF1000000", "DU1000001"))
    texts = found(login, settings(account_id="DF1000000"))
    assert any("master" in text for text in texts)
    assert not any("live login" in text for text in texts)


def test_several_obstacles_are_named_at_once() -> None:
    market = state(working_orders=(order_of_others(),), open_runs=(RUN_ID,), prices=HALTED)
    assert len(found(market)) == 3
    with pytest.raises(Refused, match=r"run .*working orders.*halted"):
        refuse_obstacles(trading_obstacles(PLAN, market, settings(), NOON_UTC))


def test_a_refusal_lists_the_reasons_and_leaves_the_warnings_out() -> None:
    late = Obstacle(text="the clock is late", is_warning=True)
    with pytest.raises(Refused, match=r"^trading refused: no; not now$"):
        refuse_obstacles((*obstacles("no"), late, *obstacles("not now")))
    refuse_obstacles((late,))


def test_every_guard_is_used_once() -> None:
    assert len(set(GUARDS)) == len(GUARDS)


# --- the answer -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["y", "Y", "yes", " YES \r\n"])
def test_yes_in_any_case_approves(text: str) -> None:
    assert is_approval(text, settings())


@pytest.mark.parametrize("text", [None, "", " ", "n", "no", "yess", "y y", "1", ACCOUNT])
def test_anything_else_declines(text: str | None) -> None:
    reason = "end of input" if text is None else "answered no"
    made = grant_permit(answer(text), PLAN, CALM, settings(), NOON_UTC)
    assert made == Declined(reason=reason)


def test_with_live_trading_allowed_only_the_account_id_approves() -> None:
    live = settings(allow_live=True)
    assert is_approval(f" {ACCOUNT.lower()} ", live)
    for no in (None, "", "y", "yes", ACCOUNT[:-1], f"{ACCOUNT}0", ACCOUNT[2:]):
        assert not is_approval(no, live)


def test_the_permit_repeats_what_was_approved() -> None:
    rules = settings(max_orders=7, max_order_usd=Decimal(6000), max_run_usd=Decimal(30000))
    assert grant_permit(answer(), PLAN, CALM, rules, NOON_UTC) == TradePermit(
        account_id=ACCOUNT,
        allow_live=False,
        run_id=RUN_ID,
        order_prefix=PREFIX,
        plan_hash=PLAN.plan_hash,
        tickets=PLAN.tickets,
        held_shares={con_id("AAA"): Decimal(100), con_id("BBB"): Decimal(150)},
        max_order_usd=Decimal(6000),
        max_run_usd=Decimal(30000),
        max_orders=7,
        granted_at_utc=NOON_UTC,
        first_order_within_sec=Decimal(115),
        lifetime_sec=Decimal(120 + 4 * 300 + 60),
    )


def test_one_order_at_a_time_lives_longer() -> None:
    made = grant_permit(answer(), PLAN, CALM, settings(batch_orders=False), NOON_UTC)
    assert isinstance(made, TradePermit)
    assert made.lifetime_sec == 120 + 2 * len(PLAN.tickets) * 300 + 60


def test_a_yes_to_another_plan_is_no_yes() -> None:
    with pytest.raises(
        Refused, match=r"^the approved plan is not the plan to be traded; run again$"
    ):
        grant_permit(answer(plan_hash="00"), PLAN, CALM, settings(), NOON_UTC)


def test_read_only_never_gets_a_permit() -> None:
    rules = settings()
    read_only = rules._replace(ibkr=rules.ibkr._replace(read_only=True))
    with pytest.raises(Refused, match=r"^read-only is in force: nothing is sent$"):
        grant_permit(answer(), PLAN, CALM, read_only, NOON_UTC)


# --- the second look --------------------------------------------------------------------------


def cash(change: Decimal) -> MarketState:
    return state(snapshot=replace(held(), cash_usd=held().cash_usd + change))


def priced(**prices: str) -> MarketState:
    return state(prices=price_book({**PRICES, **prices}))


def test_nothing_changed_is_no_difference() -> None:
    assert compare_after_answer(PLAN, CALM, CALM, ONE_PERCENT) == ()


NET_LIQ = PLAN.before.net_liq_usd
CHANGES = {
    "quantity": (moved(AAA="99"), "AAA: 100 shares held before, 99 now"),
    "new order": (
        state(working_orders=(order_of_others("CCC"),)),
        "CCC: new working order SELL 5 CCC (Submitted, client 0)",
    ),
    "price up": (priced(AAA="101.01"), "AAA: price 100.0000 before, 101.0100 now"),
    "price down": (priced(DDD="9.8999"), "DDD: price 10.0000 before, 9.8999 now"),
    "cash": (cash(NET_LIQ / 100 + 1), "cash: $2,500.00 before, $2,701.00 now"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_said(name: str) -> None:
    later, text = CHANGES[name]
    assert compare_after_answer(PLAN, CALM, later, ONE_PERCENT) == (text,)


def test_an_order_that_is_gone_is_a_change() -> None:
    earlier = state(working_orders=(order_of_others("CCC"),))
    (text,) = compare_after_answer(PLAN, earlier, CALM, ONE_PERCENT)
    assert "no longer working" in text


def test_a_lost_price_is_a_change() -> None:
    fewer = {symbol: price for symbol, price in PRICES.items() if symbol != "BBB"}
    later = state(prices=price_book(fewer))
    assert compare_after_answer(PLAN, CALM, later, ONE_PERCENT) == (
        "BBB: no usable price any more",
    )


@pytest.mark.parametrize(
    "later",
    [
        priced(AAA="101", DDD="9.9"),
        cash(NET_LIQ / 100),
        state(working_orders=(order_of_others("ZZZ"),)),
    ],
    ids=["price at the limit", "cash at the limit", "order elsewhere"],
)
def test_changes_within_the_limits_or_elsewhere_do_not_count(later: MarketState) -> None:
    assert compare_after_answer(PLAN, CALM, later, ONE_PERCENT) == ()


def test_the_previous_close_comes_from_the_first_stage_that_has_one() -> None:
    live = quote("AAA", last=1)
    snap = replace(quote("AAA", stage=QuoteStage.SNAPSHOT), close_usd=Decimal(7))
    late = replace(quote("AAA", stage=QuoteStage.DELAYED), close_usd=Decimal(8))
    assert previous_closes({"AAA": (live, snap, late), "BBB": ()}) == {"AAA": Decimal(7)}
