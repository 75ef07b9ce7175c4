"""The question stands on its own, and what changed since the last one is said."""

from __future__ import annotations

from dataclasses import replace

from src.core.records.plan import TradePlan
from src.core.showing.question import Asked, order_changes, question_text
from tests.kits.builders import Number, account, plan, rebalance_settings, targets

PRICES = {"SPY": "600", "IAU": "50", "XLE": "87.06", "QQQ": "500", "AAA": "20", "BBB": "30"}
PAPER = Asked(is_paper=True)


def made(held: dict[str, Number], wanted: dict[str, Number], cash: Number = 10_000) -> TradePlan:
    return plan(account(held, PRICES, cash), targets(wanted), rebalance_settings())


def test_the_question_names_orders_account_sums_and_what_is_closed() -> None:
    text = question_text(
        made({"SPY": 10, "XLE": 18}, {"SPY": 20, "IAU": 50}),
        replace(PAPER, unlisted=frozenset({"XLE"})),
    )
    assert text == (
        "Send 3 orders in DU1234567 (paper): sell 2 for $3,967.08 (incl. ALL 18 XLE, in no model),"
        " buy 1 for $8,750.00? [y/N]: "
    )


def test_one_side_alone_is_named_alone() -> None:
    assert question_text(made({}, {"IAU": 50}), PAPER) == (
        "Send 1 order in DU1234567 (paper): buy 1 for $5,000.00? [y/N]: "
    )
    assert question_text(made({"QQQ": 20}, {}, 0), PAPER) == (
        "Send 1 order in DU1234567 (paper): sell 1 for $10,000.00 (incl. ALL 20 QQQ, target 0)?"
        " [y/N]: "
    )


def test_a_live_account_and_a_simulated_one_are_called_so() -> None:
    live = Asked(is_paper=False, wants_account_id=True)
    assert question_text(made({}, {"IAU": 50}), live) == (
        "Send 1 order in DU1234567 (LIVE): buy 1 for $5,000.00? Type the account id to send: "
    )
    simulated = question_text(made({}, {"IAU": 50}), replace(PAPER, is_simulated=True))
    assert simulated.startswith("SIMULATED: Send 1 order in DU1234567 (paper): ")


def test_all_is_said_only_where_nothing_stays_and_the_dearest_three_are_named() -> None:
    held: dict[str, Number] = {"XLE": "18.5", "QQQ": 5, "AAA": 50, "BBB": 40}
    unlisted = frozenset({"XLE", "AAA", "BBB"})
    text = question_text(made(held, {"SPY": 90}), replace(PAPER, unlisted=unlisted))
    assert "(incl. 18 of 18.5 XLE, ALL 40 BBB, in no model; ALL 5 QQQ, target 0; 1 more such)" in (
        text
    )


def test_what_a_new_plan_orders_otherwise_is_one_line_a_symbol() -> None:
    asked = made({"SPY": 10, "XLE": 18}, {"SPY": 20, "IAU": 50})
    now = made({"SPY": 2, "XLE": 10}, {"SPY": 20, "QQQ": 50}, 12_000)
    assert order_changes(asked, now) == (
        "XLE: SELL 18 before, 10 now",
        "QQQ: no order before, BUY 14 now",
        "SPY: SELL 4 before, BUY 3 now",
        "IAU: BUY 175 before, no order now",
    )
    assert order_changes(asked, asked) == ("no order: they are the same as before",)
