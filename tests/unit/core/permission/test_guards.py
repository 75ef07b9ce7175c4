"""The guards at their bounds, and the sentences a user reads before deciding what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from src.core.permission.guards_account import clock, recent_trades
from src.core.permission.guards_market import (
    broker_net_liq,
    market_open,
    outside_regular_hours,
    split_suspected,
)
from src.core.permission.guards_orders import long_only, plan_age, same_contracts
from src.core.permission.market_state import MarketState, Obstacle, obstacles
from src.core.permission.permit import trading_obstacles
from src.core.permission.recent_trades import Moved, RecentTrades
from src.core.records.account import Position
from src.core.records.plan import TradePlan
from tests.kits.builders import ACCOUNT, NOON_UTC, con_id, dec, price_book, ticket
from tests.kits.guard_kit import held, open_listing, order_of_others, settings, state
from tests.kits.journal_kit import PLAN, PRICES, ref

BUY_HALF = {"side": "BUY", "qty_shares": Decimal("0.5"), "status": "Inactive", "client_id": 7}
OWN_ORDERS = (
    order_of_others("ZZZ", order_ref=ref(1)),
    order_of_others("YYY", order_ref=ref(2), **BUY_HALF),
)
TWICE = {**state().listings, "AAA": replace(open_listing("AAA"), con_id=5)}
ETH = settings()._replace(rebalance=settings().rebalance._replace(trading_hours="eth"))


def holding(**shares: int) -> MarketState:
    """The calm market with these shares held and no others."""
    positions = tuple(
        Position(con_id=con_id(symbol), symbol=symbol, qty_shares=Decimal(qty))
        for symbol, qty in shares.items()
    )
    return state(snapshot=replace(held(), positions=positions))


SPENT = RecentTrades(
    run_id="A",
    executed_utc=NOON_UTC,
    recorded_utc=NOON_UTC - timedelta(hours=1),
    shares={con_id("AAA"): Moved(name="AAA", before=dec(100), after=dec(40))},
    cash=Moved(name="USD cash", before=dec(0), after=dec(0)),
)

SENTENCES = {
    "login": (
        state(managed_accounts=("DU9876543", "DU2222222")),
        "account DU1234567 is not in this login (accounts: DU9876543, DU2222222)",
    ),
    "live": (
        state(managed_accounts=(ACCOUNT, "U7654321", "U1111199")),
        (
            "this is a live login (U7654321, U1111199) and allow_live is false; "
            "use a paper login or set allow_live = true in [ibkr]"
        ),
    ),
    "read-only api": (
        state(working_orders=None),
        (
            "the gateway's read-only API hides working orders and refuses new ones; "
            "untick Read-Only API (Configure > API > Settings)"
        ),
    ),
    "lock": (state(lock_holder="run A is trading (pid 7)"), "run A is trading (pid 7)"),
    "open run": (
        state(open_runs=("A",)),
        (
            "run A left orders whose fate is not proven; settle it with --recover, "
            "or take it over with --recover --accept A"
        ),
    ),
    "late figures": (
        state(recent_trades=(SPENT,)),
        (
            "the account does not show yet what run A traded (AAA 100 shares, 40 expected); "
            "start again in a minute"
        ),
    ),
    "halts": (
        state(prices=price_book(PRICES, halted=("CCC", "AAA"))),
        "trading is halted in AAA, CCC; run again when it goes on",
    ),
    "orders of others": (
        state(working_orders=(order_of_others(), order_of_others(client_id=3, order_ref="mine"))),
        (
            "working orders in planned symbols: SELL 5 AAA (Submitted, client 0); "
            "SELL 5 AAA (Submitted, client 3, ref mine); cancel them or wait"
        ),
    ),
    "own orders": (
        state(working_orders=OWN_ORDERS),
        (
            "orders of this program that this computer's journal does not know: "
            f"SELL 5 ZZZ (Submitted, client 0, ref {ref(1)}); "
            f"BUY 0.5 YYY (Inactive, client 7, ref {ref(2)}); another computer or a removed "
            "journal placed them: let them finish or cancel them in TWS"
        ),
    ),
    "shorts": (
        holding(BBB=-1, AAA=-2, CCC=0),
        "short positions: AAA, BBB; close them yourself first",
    ),
    "contracts": (
        state(listings=TWICE),
        (
            f"AAA names several contracts (5, {con_id('AAA')}): renamed or listed twice; "
            "settle that by hand"
        ),
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_refusal_says_what_is_wrong_and_what_to_do(name: str) -> None:
    market, text = SENTENCES[name]
    assert trading_obstacles(PLAN, market, settings(), NOON_UTC) == obstacles(text)


# --- account ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("our_min", "offset_min", "is_late"), [(20, -10, True), (10, 10, False)])
def test_how_long_ago_a_run_traded_is_told_by_the_gateway_s_clock(
    our_min: int, offset_min: int, *, is_late: bool
) -> None:
    market = state(recent_trades=(SPENT,), clock_offset=timedelta(minutes=offset_min))
    now = NOON_UTC + timedelta(minutes=our_min)
    assert bool(recent_trades(PLAN, market, settings(), now)) is is_late


@pytest.mark.parametrize(("offset", "text"), [(60, ""), (-60, ""), (61, "61 s"), (-61, "61 s")])
def test_a_clock_more_than_a_minute_off_is_worth_a_warning(offset: int, text: str) -> None:
    said = f"this computer's clock and the gateway's differ by {text}"
    expected = (Obstacle(text=said, is_warning=True),) if text else ()
    market = state(clock_offset=timedelta(seconds=offset))
    assert clock(PLAN, market, settings(), NOON_UTC) == expected


# --- market -----------------------------------------------------------------------------------


@pytest.mark.parametrize("offset_hours", [2, -2])
def test_the_gateway_s_clock_opens_and_closes_the_market(offset_hours: int) -> None:
    ahead = timedelta(hours=offset_hours)
    opens, closes = NOON_UTC - timedelta(hours=2), NOON_UTC + timedelta(hours=4)

    def is_open(gateway_utc: datetime) -> bool:
        market, ours = state(clock_offset=ahead), gateway_utc - ahead
        is_calm = market_open(PLAN, market, settings(), ours) == ()
        assert is_calm is (outside_regular_hours(PLAN, market, ETH, ours) == ())
        return is_calm

    assert is_open(opens)
    assert not is_open(opens - timedelta(seconds=1))
    assert is_open(closes - timedelta(seconds=1))
    assert not is_open(closes)


def test_what_becomes_of_orders_outside_regular_hours_is_said_in_full() -> None:
    text = (
        "outside regular hours for AAA, BBB, CCC, DDD: orders go as plain market, and IBKR may "
        "hold them until the open (399, 2109); order_timeout_sec cancels them after 300 s"
    )
    evening = NOON_UTC + timedelta(hours=5)
    warning = Obstacle(text=text, is_warning=True)
    assert outside_regular_hours(PLAN, state(), ETH, evening) == (warning,)


@pytest.mark.parametrize(
    ("price", "is_far"), [("60", False), ("59.9999", True), ("160", False), ("160.0001", True)]
)
def test_a_split_is_suspected_just_beyond_the_bounds(price: str, *, is_far: bool) -> None:
    holdings = {"AAA": replace(PLAN.before.holdings["AAA"], price_usd=Decimal(price))}
    plan = replace(PLAN, before=replace(PLAN.before, holdings=holdings))
    market = state(previous_closes={"AAA": Decimal(100)})
    assert bool(split_suspected(plan, market, settings(), NOON_UTC)) is is_far


@pytest.mark.parametrize(
    ("ours", "forbids"), [("10500", False), ("11000", False), ("11000.01", True), ("8999", True)]
)
def test_a_net_liq_that_is_a_little_off_forbids_nothing(ours: str, *, forbids: bool) -> None:
    plan = replace(PLAN, before=replace(PLAN.before, net_liq_usd=Decimal(ours)))
    market = state(snapshot=replace(held(), broker_net_liq_usd=Decimal(10_000)))
    assert bool(broker_net_liq(plan, market, settings(), NOON_UTC)) is forbids


# --- orders -----------------------------------------------------------------------------------


SELLS: Mapping[str, tuple[MarketState, tuple[str, ...]]] = {
    "all of it": (holding(AAA=50, BBB=50), ()),
    "one too many": (
        holding(AAA=49, BBB=50),
        ("selling 50 AAA would be more than the 49 held",),
    ),
    "not held": (holding(BBB=50), ("selling 50 AAA would be more than the 0 held",)),
    "an empty line elsewhere": (holding(AAA=50, BBB=50, ZZZ=0), ()),
}


@pytest.mark.parametrize("name", SELLS)
def test_sells_may_empty_a_holding_and_no_more(name: str) -> None:
    market, texts = SELLS[name]
    assert long_only(PLAN, market, settings(), NOON_UTC) == obstacles(*texts)


@pytest.mark.parametrize(("number", "is_verified"), [(-1, False), (0, False), (1, True)])
def test_a_contract_number_is_above_zero(number: int, *, is_verified: bool) -> None:
    plan: TradePlan = replace(PLAN, tickets=(replace(ticket("CCC"), con_id=number),))
    market = state(listings={"CCC": replace(open_listing("CCC"), con_id=number)})
    texts = () if is_verified else ("CCC is not a verified USD stock or ETF",)
    assert same_contracts(plan, market, settings(), NOON_UTC) == obstacles(*texts)


@pytest.mark.parametrize(("age", "text"), [("0", ""), ("120", ""), ("120.6", "121 s old")])
def test_a_plan_is_fresh_from_its_first_moment_to_its_last(age: str, text: str) -> None:
    found = plan_age(PLAN, state(plan_age_sec=Decimal(age)), settings(), NOON_UTC)
    assert [one.text for one in found] == (
        [f"the plan is {text}, plan_max_age_sec is 120"] if text else []
    )
