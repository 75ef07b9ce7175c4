"""Buys of an account that may not spend the proceeds of sells before they settle (F-108)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from src.base.settings import RebalanceSettings
from src.core.records.orders import Side
from src.core.records.plan import OrderTicket, SkipCode
from src.core.settled_buys import (
    RESERVED,
    cut_to_settled,
    go_at_once,
    left_to_spend,
    wait_for_settlement,
    waiting_text,
)
from tests.kits.builders import account, plan, targets, ticket

RULES = RebalanceSettings()
NO_MINIMUM = RULES._replace(min_order_usd=Decimal(0))

# 47% must be sold: CCC 2000 and AAA 2700 of 10,000; 800 of cash are there.
HALF = account({"AAA": 72, "CCC": 20}, {"AAA": 100, "BBB": 100, "CCC": 100}, 800)
WANTED = targets({"AAA": 45, "BBB": 54})


def quantities(buys: tuple[OrderTicket, ...]) -> dict[str, int]:
    return {one.symbol: int(one.qty_shares) for one in buys}


def test_a_single_buy_is_cut_to_what_its_reserve_leaves() -> None:
    assert quantities(cut_to_settled([ticket("AAA", qty=10)], Decimal(1000), NO_MINIMUM)) == {
        "AAA": 9
    }
    assert quantities(cut_to_settled([ticket("AAA", qty=10)], Decimal(1050), NO_MINIMUM)) == {
        "AAA": 10
    }


def test_what_is_cut_leaves_the_cent_that_the_broker_s_figure_is_rounded_by() -> None:
    fractions = NO_MINIMUM._replace(allow_fractional=True)
    (cut,) = cut_to_settled([ticket("AAA", qty=10)], Decimal("105.00"), fractions)
    assert cut.qty_shares == Decimal("0.9999")
    (whole,) = cut_to_settled([ticket("AAA", qty=1)], Decimal("105.00"), fractions)
    assert whole.qty_shares == 1


def test_buys_are_served_by_rank_and_the_last_is_cut_or_left_out() -> None:
    buys = [ticket("AAA", qty=10), ticket("BBB", qty=10), ticket("CCC", qty=10)]
    assert quantities(cut_to_settled(buys, Decimal(1700), RULES)) == {"AAA": 10, "BBB": 6}
    assert quantities(cut_to_settled(buys, Decimal(1400), RULES)) == {"AAA": 10}
    assert cut_to_settled(buys, Decimal(0), NO_MINIMUM) == ()
    assert cut_to_settled(buys, Decimal(-100), NO_MINIMUM) == ()


def test_as_many_go_at_once_as_the_reserve_of_all_allows() -> None:
    buys = [ticket("AAA", qty=10), ticket("BBB", qty=6)]
    assert go_at_once(buys, Decimal(1700)) == 2
    assert go_at_once(buys, Decimal(1679)) == 1
    assert go_at_once(buys, Decimal(1049)) == 0


def test_what_waits_is_no_ticket_and_is_said() -> None:
    whole = plan(HALF, WANTED)
    assert [(one.side.value, int(one.qty_shares)) for one in whole.tickets] == [
        ("SELL", 27),
        ("SELL", 20),
        ("BUY", 54),
    ]
    waits = wait_for_settlement(whole, Decimal(800), RULES)
    assert [(one.symbol, int(one.qty_shares)) for one in waits.tickets] == [
        ("AAA", 27),
        ("CCC", 20),
        ("BBB", 7),
    ]
    assert waits.after.cash_usd == Decimal(4800)
    assert waits.outside_limits == ""
    assert waits.plan_hash != whole.plan_hash
    text = waiting_text(waits)
    assert text == (
        "$4,700.00 of the buys waits for the sells' proceeds to settle (IBKR decides; usually the "
        "next trading day). $800.00 can be spent now, less the reserve of about 5%; $4,800.00 "
        "stays in cash. Run again when the sells have settled, usually the next trading day, to "
        "buy for $4,700.00."
    )


def test_a_buy_that_waits_as_a_whole_is_skipped_with_its_code() -> None:
    waits = wait_for_settlement(plan(HALF, WANTED), Decimal(100), RULES)
    assert [one.side for one in waits.tickets] == [Side.SELL, Side.SELL]
    skipped = next(one for one in waits.skipped if one.symbol == "BBB")
    assert skipped.code is SkipCode.SETTLEMENT
    assert "waits for the sells' proceeds to settle" in skipped.reason


def test_nothing_changes_where_settled_money_is_enough() -> None:
    whole = plan(HALF, WANTED)
    assert wait_for_settlement(whole, None, RULES) == whole
    assert wait_for_settlement(whole, Decimal(10_000), RULES) == whole
    assert waiting_text(whole) == ""


def test_without_sells_the_reserve_is_named() -> None:
    idle = account({}, {"AAA": 100}, 10_000)
    rules = RULES._replace(cash_buffer_weight=Decimal(0))
    waits = wait_for_settlement(plan(idle, targets({"AAA": 100}), rules), Decimal(10_000), rules)
    assert [int(one.qty_shares) for one in waits.tickets] == [95]
    assert "proceeds" not in waiting_text(waits)
    assert "5%" in waiting_text(waits)


# --- laws ---------------------------------------------------------------------------------------

BUYS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 900)), min_size=1, max_size=8).map(
    lambda rows: [ticket(f"S{n}", qty=q, price=p) for n, (q, p) in enumerate(rows)]
)
MONEY = st.decimals(0, 60_000, places=2)


@given(buys=BUYS, spendable=MONEY, minimum=st.integers(0, 2000))
def test_the_buys_never_exceed_what_may_be_spent(
    buys: list[OrderTicket], spendable: Decimal, minimum: int
) -> None:
    rules = RULES._replace(min_order_usd=Decimal(minimum))
    kept = cut_to_settled(buys, spendable, rules)
    before = Decimal(0)
    for one in kept:
        asked = next(buy for buy in buys if buy.symbol == one.symbol)
        assert before + RESERVED * one.est_value_usd <= spendable
        assert 0 < one.qty_shares <= asked.qty_shares
        assert one.qty_shares == asked.qty_shares or one.est_value_usd >= minimum
        before += one.est_value_usd
    assert cut_to_settled(kept, spendable, rules) == kept


@given(buys=BUYS, spendable=MONEY, data=st.data())
def test_whatever_fills_in_whatever_order_the_reserve_is_never_overdrawn(
    buys: list[OrderTicket], spendable: Decimal, data: st.DataObject
) -> None:
    """A broker that reserves 105% of what has not filled refuses none of the buys that go."""
    left = spendable
    waiting = list(buys)
    while waiting:
        fitted = cut_to_settled(waiting, left, NO_MINIMUM)
        if not fitted:
            break
        count = go_at_once(fitted, left)
        assert count >= 1
        going = fitted[:count]
        assert RESERVED * sum(one.est_value_usd for one in going) <= left
        for one in data.draw(st.permutations(going)):
            filled = data.draw(st.integers(0, int(one.qty_shares)))
            left -= filled * one.est_price_usd
        assert left >= 0
        done = {one.symbol for one in going}
        waiting = [one for one in fitted if one.symbol not in done]


def test_fills_and_doubt_lower_what_is_left() -> None:
    assert left_to_spend(Decimal(1000), (), Decimal(100)) == Decimal(895)
