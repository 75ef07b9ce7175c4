"""What the wishes of one run come to: targets, reasons, words, hash and records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from src.core.journal import PlanRecorded
from src.core.journal_codec import event_from_text, event_to_text
from src.core.plan_json import PlanRemarks, plan_as_json
from src.core.preview import PreviewContext, render_preview
from src.core.records import (
    CASH,
    NO_WISHES,
    SkipCode,
    Symbol,
    TradePlan,
    UnmanagedPosition,
    Valuation,
    Wishes,
)
from src.core.wishes import check_wish_names, plan_with_wishes
from src.errors import InputError
from src.settings import RebalanceSettings
from tests.builders import (
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
    check_wish_names(Wishes(skip=("AAA", "BBB", "XYZ", "KEPT")), held, MIX)
    blank = targets({"AAA": 100, "BBB": 0})
    with pytest.raises(InputError) as wrong:
        check_wish_names(Wishes(only=("AAB", "BBB")), held, blank)
    assert str(wrong.value) == (
        "--only AAB: neither held nor in the models' targets, did you mean AAA?; "
        "--only BBB: neither held nor in the models' targets"
    )


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
    older = text.replace('"wishes":{"no_sell":false,"only":[],"skip":["AAA"]}', '"x":0')
    older = older.replace(',"x":0', "").replace('"x":0,', "")
    assert older != text
    assert event_from_text(older) == replace(event, plan=replace(made, wishes=NO_WISHES))
