"""What the wishes of one run come to: targets, reasons, words, hash and records."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from src.base.errors import InputError
from src.base.settings import RebalanceSettings
from src.core.journal.codec import event_from_text, event_to_text
from src.core.journal.events import PlanRecorded
from src.core.preview import PreviewContext, render_preview
from src.core.records.account import UnmanagedPosition
from src.core.records.plan import SkipCode, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import NO_WISHES, Wishes
from src.core.run.recent_wishes import PastWish, earlier_invests
from src.core.showing.plan_json import PlanRemarks, plan_as_json
from src.core.wishes.effect import check_wish_names, plan_with_wishes, wishable, wishes_here
from src.terminal.options import read_options
from tests.kits.builders import (
    NOON_UTC,
    account,
    dec,
    plan,
    price_book,
    rebalance_settings,
    snapshot,
    targets,
)

PRICES = {"AAA": 100, "BBB": 50, "CCC": 25}
MIX = targets({"AAA": 50, "BBB": 30, "CCC": 20})


def drifted() -> Valuation:
    """$10,000: AAA 70% (20 over), BBB 10% (20 under), CCC 10% (10 under), cash 10%."""
    return account({"AAA": 70, "BBB": 20, "CCC": 40}, PRICES, 1000)


def wished(
    wishes: Wishes, of: Valuation | None = None, rules: RebalanceSettings | None = None
) -> TradePlan:
    return plan_with_wishes(of or drifted(), MIX, rules or rebalance_settings(), wishes)


def orders(made: TradePlan) -> dict[Symbol, str]:
    return {one.symbol: f"{one.side.value} {one.qty_shares}" for one in made.tickets}


def target_percents(made: TradePlan) -> dict[Symbol, float]:
    return {row.symbol: round(float(row.target_weight) * 100, 6) for row in made.drift_before.rows}


def reasons(made: TradePlan) -> dict[Symbol, tuple[SkipCode, str]]:
    return {one.symbol: (one.code, one.reason) for one in made.skipped}


def test_without_wishes_the_plan_is_the_plain_one() -> None:
    assert wished(NO_WISHES) == plan(drifted(), MIX, rebalance_settings())


def test_what_is_skipped_keeps_its_weight_and_the_others_share_the_rest() -> None:
    made = wished(Wishes(skip=("AAA",)))
    assert target_percents(made) == {"AAA": 70, "BBB": 18, "CCC": 12, CASH: 0}
    assert orders(made) == {"BBB": "BUY 16", "CCC": "BUY 8"}
    assert reasons(made)["AAA"] == (SkipCode.WISH, "left alone: skipped by you")
    assert made.notes == ()


def test_a_skipped_symbol_that_is_not_held_is_not_bought() -> None:
    made = wished(Wishes(skip=("CCC",)), account({"AAA": 50, "BBB": 60}, PRICES, 2000))
    assert target_percents(made) == {"AAA": 62.5, "BBB": 37.5, CASH: 0}
    assert set(orders(made)) == {"AAA", "BBB"}


def test_with_nobody_else_cash_takes_the_difference_and_a_line_says_so() -> None:
    made = wished(Wishes(skip=("AAA", "BBB", "CCC")))
    assert target_percents(made)[CASH] == 10
    assert orders(made) == {}
    assert made.notes == ("what is left alone changes this run's CASH target from 0.00% to 10.00%",)


def test_skipped_beyond_all_room_leaves_the_others_nothing_and_cash_the_rest() -> None:
    lent = account({"AAA": 110, "BBB": 20}, PRICES, -2000)
    made = wished(Wishes(skip=("AAA",)), lent)
    assert target_percents(made) == {"AAA": 110, "BBB": 0, CASH: -10}
    assert orders(made) == {"BBB": "SELL 20"}
    assert made.cash_floor_usd == 0


def test_only_the_named_are_traded_towards_their_own_targets() -> None:
    made = wished(Wishes(only=("BBB",)))
    assert target_percents(made) == {"AAA": 70, "BBB": 30, "CCC": 10, CASH: -10}
    assert orders(made) == {"BBB": "BUY 20"}
    assert made.after.cash_usd == 0
    assert reasons(made)["AAA"] == (
        SkipCode.WISH,
        "left alone: not among those you named with --only",
    )


def test_no_sell_spends_the_cash_above_its_target_and_says_what_stays() -> None:
    made = wished(Wishes(no_sell=True), rules=rebalance_settings(buffer_pct=2))
    assert sum(one.est_value_usd for one in made.tickets) == 800
    assert set(orders(made)) <= {"BBB", "CCC"}
    assert reasons(made)["AAA"] == (
        SkipCode.WISH,
        "left alone: $2,100.00 above its target, and nothing is sold",
    )


def test_leverage_above_the_cap_yields_to_no_sell_and_is_said() -> None:
    lent = account({"AAA": 160}, PRICES, -6000)
    made = wished(Wishes(no_sell=True), lent)
    assert orders(made) == {}
    assert made.outside_limits == (
        "leverage stays 1.6000, $1,000.00 above the cap of 1.5000, and cash stays $6,000.00 below "
        "its target of $0.00: nothing is sold, as you wished"
    )


def test_names_must_be_held_or_targeted() -> None:
    held = snapshot({"AAA": 1, "XYZ": 2})
    option = UnmanagedPosition(
        con_id=1, symbol="KEPT", sec_type="STK", currency="USD", qty=dec(1), value=None
    )
    held = replace(held, unmanaged=(option,))
    known = wishable(held, MIX)
    check_wish_names(Wishes(skip=("AAA", "BBB", "XYZ", "KEPT")), [known])
    blank = wishable(held, targets({"AAA": 100, "BBB": 0}))
    with pytest.raises(InputError) as wrong:
        check_wish_names(Wishes(only=("AAB", "BBB")), [blank])
    assert str(wrong.value) == (
        "--only AAB: neither held nor in the models' targets, did you mean AAA?; "
        "--only BBB: neither held nor in the models' targets"
    )


def test_of_several_accounts_one_must_know_the_name() -> None:
    check_wish_names(Wishes(skip=("AAA", "BBB")), [{"AAA"}, {"BBB"}])
    with pytest.raises(InputError, match="--skip CCC"):
        check_wish_names(Wishes(skip=("AAA", "CCC")), [{"AAA"}, {"BBB"}])


def test_in_an_account_that_knows_none_of_the_only_ones_nothing_is_traded() -> None:
    assert wishes_here(Wishes(skip=("AAA", "BBB")), {"BBB"}) == Wishes(skip=("BBB",))
    assert wishes_here(Wishes(only=("AAA", "BBB")), {"BBB"}) == Wishes(only=("BBB",))
    assert wishes_here(Wishes(only=("AAA",)), {"BBB"}) == Wishes(only=("AAA",))


def test_wishes_are_in_the_hash_in_any_order() -> None:
    hashes = [
        wished(one).plan_hash
        for one in (
            NO_WISHES,
            Wishes(no_sell=True),
            Wishes(skip=("AAA", "BBB")),
            Wishes(only=("AAA", "BBB")),
            Wishes(skip=("BBB", "AAA")),
        )
    ]
    assert len(set(hashes)) == 4
    assert hashes[2] == hashes[4]


def test_wishes_stand_in_the_head_and_in_json() -> None:
    wishes = Wishes(no_sell=True, only=("BBB", "CCC"))
    made = wished(wishes)
    seen = snapshot({})
    text = render_preview(made, price_book(PRICES), PreviewContext(snapshot=seen))
    head = text.split("\n\n", maxsplit=1)[0]
    assert "wish: only BBB, CCC traded (--only)\nwish: nothing is sold (--no-sell)" in head
    document = plan_as_json(made, seen, "file", PlanRemarks())
    assert document["wishes"] == {"no_sell": True, "only": ["BBB", "CCC"]}
    assert plan_as_json(wished(NO_WISHES), seen, "file", PlanRemarks())["wishes"] == {}


def test_wishes_are_on_record_and_a_plan_without_them_is_still_read() -> None:
    made = wished(Wishes(skip=("AAA",)))
    event = PlanRecorded(
        run_id="r",
        at_utc=NOON_UTC,
        started_utc=NOON_UTC,
        plan=made,
        client_id=1,
        order_prefix="reb",
        is_simulated=False,
    )
    text = event_to_text(event)
    assert event_from_text(text) == event
    recorded = json.loads(text)
    del recorded["event"]["plan"]["wishes"]
    older = json.dumps(recorded)
    assert event_from_text(older) == replace(event, plan=replace(made, wishes=NO_WISHES))


# --- new money ----------------------------------------------------------------------------------

FUNDS = [f"E{number}" for number in range(12)]
EQUAL = targets({**dict.fromkeys(FUNDS, "8.25"), CASH: 1})
NOTHING = "nothing to invest: "
LEAST_500 = rebalance_settings(min_order=500, buffer_pct=1)


def thinly_idle(cash: int) -> Valuation:
    """Twelve funds of $1,000 each at $10 a share, and cash."""
    return account(dict.fromkeys(FUNDS, 100), dict.fromkeys(FUNDS, 10), cash)


def invested(usd: int | None, cash: int) -> TradePlan:
    wishes = Wishes(invest=True, invest_usd=None if usd is None else dec(usd))
    return plan_with_wishes(thinly_idle(cash), EQUAL, LEAST_500, wishes)


def test_idle_cash_that_no_rule_would_touch_becomes_one_order() -> None:
    """$985 of $1,116 is above the 1%: each fund is short of 82, no order of 500 is nearer."""
    idle = thinly_idle(1116)
    plain = plan_with_wishes(idle, EQUAL, LEAST_500)
    assert plain.tickets == ()
    assert plain.outside_limits.endswith("brings a holding closer; try --invest")
    made = invested(None, 1116)
    assert orders(made) == {"E0": "BUY 98"}
    assert made.outside_limits == ""


def test_the_same_again_is_idle_and_says_what_would_do() -> None:
    made = invested(None, 136)
    assert orders(made) == {}
    assert made.notes == (
        NOTHING + "$14.64 can be spent, the least order costs $500.00; $485.36 more cash would do",
    )


def test_too_small_an_amount_names_the_one_that_would_do() -> None:
    made = invested(200, 1116)
    assert orders(made) == {}
    assert made.notes == (
        NOTHING + "$200.00 can be spent, the least order costs $500.00; --invest 500.00 would do",
    )


def test_more_than_there_is_spends_what_there_is_and_says_why() -> None:
    made = invested(5000, 1116)
    assert orders(made) == {"E0": "BUY 98"}
    assert made.notes == (
        "$5,000.00 was to be invested, but only $984.84 is above the CASH target of $131.16",
    )


def test_an_amount_may_borrow_down_to_a_negative_cash_target_and_no_amount_may_not() -> None:
    levered = targets({"AAA": 120, CASH: -20})
    held = account({"AAA": 99}, {"AAA": 100}, 100)
    alone = plan_with_wishes(held, levered, rebalance_settings(), Wishes(invest=True))
    assert orders(alone) == {"AAA": "BUY 1"}
    wishes = Wishes(invest=True, invest_usd=dec(500))
    made = plan_with_wishes(held, levered, rebalance_settings(), wishes)
    assert orders(made) == {"AAA": "BUY 5"}
    shown = render_preview(made, price_book({"AAA": 100}), PreviewContext(snapshot=snapshot({})))
    end = shown[shown.index("Plan ") :]
    assert "Invested with borrowed money:\n- $400.00 of what is invested is borrowed" in end


def test_what_is_invested_is_told_in_head_and_json() -> None:
    made = invested(600, 1116)
    text = render_preview(made, price_book({}), PreviewContext(snapshot=snapshot({})))
    assert "wish: $600.00 is invested (--invest)" in text.split("\n\n", maxsplit=1)[0]
    document = plan_as_json(made, snapshot({}), "file", PlanRemarks())
    assert document["wishes"] == {"invest": True, "invest_usd": 600}
    assert invested(None, 1116).plan_hash != invested(1000, 1116).plan_hash


def test_nothing_below_its_target_is_said() -> None:
    held = account({"AAA": 100}, {"AAA": 100}, 0)
    made = plan_with_wishes(held, targets({"AAA": 90}), rebalance_settings(), Wishes(invest=True))
    assert made.notes[-1] == "nothing to invest in: no holding is below its target"


def test_earlier_invests_are_told_for_seven_days_to_who_invests() -> None:
    at = datetime(2025, 11, 27, 10, 31, tzinfo=timezone.utc)
    past = PastWish(wishes=Wishes(invest=True), bought_usd=dec(1180), at_utc=at)
    told = ("you invested $1,180.00 on 27 Nov 10:31 UTC",)
    again = Wishes(invest=True)
    assert earlier_invests([past], again, at + timedelta(days=7)) == told
    assert earlier_invests([past], again, at + timedelta(days=7, seconds=1)) == ()
    assert earlier_invests([past], NO_WISHES, at) == ()
    context = PreviewContext(snapshot=snapshot({}), reminders=told)
    shown = render_preview(invested(None, 1116), price_book({}), context)
    assert shown.endswith(f"Before you invest again:\n- {told[0]}")


def test_flags_ask_for_the_same_again() -> None:
    for wishes in (
        NO_WISHES,
        Wishes(invest=True),
        Wishes(invest=True, invest_usd=dec("1180.50"), skip=("AAA", "BBB")),
        Wishes(withdraw_usd=dec(10_000), only=("AAA",)),
        Wishes(no_sell=True),
    ):
        words = [word for flag in wishes.flags for word in flag.split(" ")]
        assert (read_options(words).wishes or NO_WISHES) == wishes
    assert Wishes(only=("BRK B", "SPY")).flags == ('--only "BRK B,SPY"',)
