"""Taking money out, in accounts worked out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from src.base.errors import ExitCode, Refused
from src.base.settings import RebalanceSettings
from src.core.preview import PreviewContext, render_preview
from src.core.records.orders import Fill
from src.core.records.plan import Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, Symbol
from src.core.records.wishes import Wishes
from src.core.run.recent_wishes import PastWish, earlier_withdrawals
from src.core.run.settlement import drift_after
from src.core.wishes.effect import plan_with_wishes
from src.core.wishes.withdrawal import freed_text, freed_usd, missing_text
from tests.kits.builders import (
    account,
    con_id,
    dec,
    price_book,
    rebalance_settings,
    snapshot,
    targets,
)

PRICES = {"AAA": 100, "BBB": 50}
MIX = targets({"AAA": 50, "BBB": 50})
LEAST_500 = rebalance_settings(min_order=500)


def freed(
    usd: int,
    of: Valuation,
    mix: Targets = MIX,
    rules: RebalanceSettings = LEAST_500,
    skip: tuple[Symbol, ...] = (),
) -> TradePlan:
    return plan_with_wishes(of, mix, rules, Wishes(withdraw_usd=dec(usd), skip=skip))


def orders(made: TradePlan) -> dict[Symbol, str]:
    return {one.symbol: f"{one.side.value} {one.qty_shares}" for one in made.tickets}


def executed(made: TradePlan, part: str = "1") -> list[Fill]:
    return [
        Fill(
            account_id="",
            order_ref="",
            exec_id=one.symbol,
            order_id=1,
            client_id=1,
            perm_id=1,
            con_id=con_id(one.symbol),
            symbol=one.symbol,
            side=one.side,
            qty_shares=one.qty_shares * dec(part),
            price_usd=one.est_price_usd,
            at_utc=None,
            commission_usd=dec(1),
        )
        for one in made.tickets
    ]


def test_the_most_overweight_is_sold_first_and_hardly_more_than_is_needed() -> None:
    """AAA 7,000, BBB 3,000: of the remaining 8,000 AAA is 3,000 over, BBB 1,000 short."""
    made = freed(2000, account({"AAA": 70, "BBB": 60}, PRICES))
    assert orders(made) == {"AAA": "SELL 21"}
    assert made.after.cash_usd == 2100
    assert made.before.net_liq_usd == made.after.net_liq_usd == 10_000
    weights = {row.symbol: row.current_weight * 100 for row in made.drift_before.rows}
    assert weights == {"AAA": dec("87.5"), "BBB": dec("37.5"), CASH: -25}
    assert made.notes == ("weights are of the account without $2,000.00; $0.00 of cash stays",)


def test_free_cash_is_said_and_nothing_is_sold() -> None:
    made = freed(900, account({"AAA": 50, "BBB": 100}, PRICES, 1000))
    assert orders(made) == {}
    assert made.notes == ("nothing to sell: $1,000.00 is free, $900.00 can be taken out",)


def test_the_cash_target_of_the_rest_stays_and_a_debt_is_not_repaid() -> None:
    keeps = targets({"AAA": 45, "BBB": 45})
    made = freed(2000, account({"AAA": 45, "BBB": 90}, PRICES, 1000), keeps)
    assert made.cash_floor_usd == 2800
    assert made.after.cash_usd >= 2800
    lent = account({"AAA": 60, "BBB": 120}, PRICES, -2000)
    made = freed(1000, lent, targets({"AAA": 75, "BBB": 75, CASH: -50}))
    assert made.cash_floor_usd == -1000
    assert 0 < made.after.cash_usd + 1000 < 100


def test_a_minimum_forces_an_excess_and_a_skipped_symbol_stays() -> None:
    made = freed(100, account({"AAA": 70, "BBB": 60}, PRICES), skip=("AAA",))
    assert orders(made) == {"BBB": "SELL 10"}
    assert [one.symbol for one in made.skipped] == ["AAA"]


def test_a_holding_of_target_0_may_be_sold_in_part() -> None:
    made = freed(1000, account({"AAA": 50, "BBB": 100}, PRICES), targets({"BBB": 100}))
    assert orders(made) == {"AAA": "SELL 11"}


def test_out_of_reach_names_the_most_that_is_possible() -> None:
    held = account({"AAA": 50, "BBB": 100}, PRICES)
    for usd in (9990, 10_000, 20_000):
        with pytest.raises(Refused) as refused:
            freed(usd, held)
        assert refused.value.exit_code == ExitCode.REFUSED
        assert "at most $9,940.00 can be freed" in str(refused.value)
    assert orders(freed(9940, held)) == {"AAA": "SELL 50", "BBB": "SELL 100"}


def test_after_the_run_the_proven_sum_is_told_and_what_is_missing() -> None:
    made = freed(2000, account({"AAA": 70, "BBB": 60}, PRICES))
    assert freed_usd(made, executed(made)) == 2000
    assert missing_text(made, executed(made)) == ()
    assert freed_text(made, executed(made)) == (
        "$2,000.00 is free to take out once the sells have settled, on the next trading day.",
    )
    assert "settled, on Mon 30 Nov." in freed_text(made, executed(made), "Mon 30 Nov")[0]
    assert missing_text(made, executed(made, "0.5")) == (
        "$1,049.00 of $2,000.00 is free to take out, $951.00 is missing",
    )
    assert missing_text(made, []) == (
        "$0.00 of $2,000.00 is free to take out, $2,000.00 is missing",
    )
    plain = plan_with_wishes(account({"AAA": 70, "BBB": 60}, PRICES), MIX, LEAST_500)
    assert (missing_text(plain, []), freed_text(plain, [])) == ((), ())


def test_drift_after_the_run_is_of_the_account_without_the_money() -> None:
    made = freed(2000, account({"AAA": 70, "BBB": 60}, PRICES))
    assert drift_after(made, made.after).rows == made.drift_after.rows


def test_a_withdrawal_is_told_for_ten_days_above_everything() -> None:
    at = datetime(2025, 11, 27, 10, 31, tzinfo=timezone.utc)
    wishes = Wishes(withdraw_usd=dec(10_000))
    past = [PastWish(wishes=wishes, bought_usd=dec(0), at_utc=at)]
    told = ("$10,000.00 freed on 27 Nov 10:31 UTC would be invested again",)
    assert earlier_withdrawals(past, Wishes(), at + timedelta(days=10)) == told
    assert earlier_withdrawals(past, Wishes(invest=True), at) == told
    assert earlier_withdrawals(past, Wishes(), at + timedelta(days=10, seconds=1)) == ()
    assert earlier_withdrawals(past, wishes, at) == ()
    made = freed(2000, account({"AAA": 70, "BBB": 60}, PRICES))
    context = PreviewContext(snapshot=snapshot({}), alerts=told)
    assert render_preview(made, price_book({}), context).startswith(told[0])
