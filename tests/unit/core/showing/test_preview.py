from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from src.base.settings import RebalanceSettings
from src.core.preview import SIMULATED, PreviewContext, render_preview
from src.core.records.account import AccountSnapshot, UnmanagedPosition
from src.core.records.market import PriceBook
from src.core.records.plan import TradePlan
from src.core.settled_buys import wait_for_settlement
from tests.kits.builders import (
    NOON_UTC,
    Number,
    account,
    cash_terms,
    dec,
    plan,
    price_book,
    rebalance_settings,
    snapshot,
    targets,
)

PRICES = {"SPY": "580.25", "IAU": "51.4", "XYZ": "90", "BND": "72.1", "GDX": "0.85"}
WIDE = 80


def sample_plan(size: int = 1) -> TradePlan:
    held: dict[str, Number] = {"SPY": 10 * size, "IAU": 50 * size, "XYZ": "8.5", "GDX": 120 * size}
    valued = account(held, PRICES, 3000 * size)
    wanted = targets({"SPY": 40, "IAU": 20, "BND": 34, "GDX": 1})
    return plan(valued, wanted, rebalance_settings(min_order=500, buffer_pct=1))


def sample_snapshot() -> AccountSnapshot:
    option = UnmanagedPosition(
        con_id=9,
        symbol="SPY 250321C00600000",
        sec_type="OPT",
        currency="USD",
        qty=Decimal(2),
        value=Decimal("512.5"),
    )
    return replace(
        snapshot({}),
        ignored_cash={"CAD": Decimal("5250.10")},
        unmanaged=(option,),
    )


def sample_book() -> PriceBook:
    book = price_book(PRICES)
    late = replace(
        book.prices["XYZ"],
        source="delayed last",
        is_preferred=False,
        as_of_utc=NOON_UTC - timedelta(minutes=15),
    )
    return replace(book, prices={**book.prices, "XYZ": late}, warnings=("wide spread in XYZ",))


def sample_context() -> PreviewContext:
    return PreviewContext(
        snapshot=sample_snapshot(),
        is_simulated=True,
        now_utc=NOON_UTC,
        unlisted=frozenset({"XYZ"}),
        notices=("Dry run: nothing will be sent.",),
        warnings=("the market is closed; it opens 2025-02-03 14:30 UTC",),
        changes=("XYZ: SELL 5 before, 8 now",),
    )


GOLDEN = """\
SIMULATED: this is the embedded practice gateway, no real money moves
Rebalance plan for account DU1234567 (paper), 2025-01-31 17:00:00 UTC
Dry run: nothing will be sent.
Margin account (STKMRGN INDIVIDUAL)

       target current  drift     drift                    price    value after
symbol      %       %      %         $ action qty held        $        $     %
------------------------------------------------------------------------------
BND     34.00    0.00 -34.00 -4,161.43 BUY     58         72.10 4,181.80 34.17
CASH     5.00   24.51 +19.51 +2,388.03 -                                  5.71
SPY     40.00   47.41  +7.41   +906.70 SELL     2 of 10  580.25 1,160.50 37.93
XYZ*     0.00    6.25  +6.25   +765.00 SELL     8 of 8.5  90.00   720.00  0.37
IAU     20.00   21.00  +1.00   +122.10 -          50      51.40          21.00
GDX      1.00    0.83  -0.17    -20.40 -          120    0.8500           0.83

* not in model, will be sold (unlisted_positions = sell)

3 orders: 2 to sell, 1 to buy
Gross sells                 $1,880.50
Gross buys                  $4,181.80
Estimated gain of the sells, by average cost: unknown for SPY, XYZ

                               before                after
Net liq                    $12,239.50           $12,239.50
Cash                        $3,000.00              $698.70
Gross exposure              $9,239.50           $11,540.80
Leverage                       0.7549               0.9429
Remaining drift, all lines added up: 4.48% of net liq, $548.39 (now 68.33%,
$8,363.65)
of it: bands and minimum leave $142.50, rounding leaves $319.17, in CASH $86.73

Not traded:
- IAU: drift of $122.10 is below the minimum order of $500.00

Left alone, not part of net liq:
- cash CAD 5,250.10
- position SPY 250321C00600000 (OPT), 2 held, worth USD 512.50

Prices that are not the preferred source:
- delayed last: XYZ (15 min old)

Notes:
- 0.5 of XYZ stays: orders are in whole shares

Warnings:
- wide spread in XYZ
- the market is closed; it opens 2025-02-03 14:30 UTC

Outside its limit after this plan:
- cash stays $86.73 above its target of $611.98: no order of at least $500.00 in
  whole shares brings a holding closer

Plan c65986e547d6

In no model:
- XYZ: 8 shares, $720.00 (not in model, will be sold)

Changed since the last question:
- XYZ: SELL 5 before, 8 now

SIMULATED: this is the embedded practice gateway, no real money moves
"""


def test_the_preview_says_everything_in_its_place() -> None:
    assert render_preview(sample_plan(), sample_book(), sample_context()) + "\n" == GOLDEN


@pytest.mark.parametrize("size", [1, 7, 100, 1_000, 100_000, 10_000_000])
def test_every_line_fits_80_columns_whatever_the_account_is_worth(size: int) -> None:
    text = render_preview(sample_plan(size), sample_book(), sample_context())
    assert max(map(len, text.splitlines())) <= WIDE


def test_long_symbols_and_fractions_fit_too() -> None:
    name = "ABCDEFGHIJ.K"
    valued = account({name: "1234567.8912"}, {name: "1234.56", "SPY": "9999.99"}, "-99999999.99")
    made = plan(valued, targets({name: 30, "SPY": 70}), rebalance_settings(allow_fractional=True))
    text = render_preview(made, price_book({name: 1234}), PreviewContext(snapshot=snapshot({})))
    assert max(map(len, text.splitlines())) <= WIDE
    assert name in text


def test_money_is_rounded_never_cut() -> None:
    text = render_preview(sample_plan(1_000), sample_book(), sample_context())
    assert "Net liq" in text
    assert f"${sample_plan(1_000).before.net_liq_usd:,.2f}" in text


def test_nothing_to_trade_is_said_plainly() -> None:
    made = plan(account({"SPY": 10}, {"SPY": 100}, 0), targets({"SPY": 100}))
    text = render_preview(made, price_book({"SPY": 100}), PreviewContext(snapshot=snapshot({})))
    assert "Nothing to trade." in text
    assert "SIMULATED" not in text


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            rebalance_settings(),
            "Nothing to trade. The largest drift is IAU -0.40%, the band of each is 0.50%.",
        ),
        (
            rebalance_settings()._replace(trigger_mode="total_drift"),
            (
                "Nothing to trade. The largest drift is IAU -0.40%; without CASH all add up to"
                " 0.70%, the band for that is 1.00%."
            ),
        ),
    ],
)
def test_nothing_to_trade_tells_the_largest_drift_and_its_band(
    rules: RebalanceSettings, said: str
) -> None:
    prices = {"SPY": 1, "IAU": 1}
    made = plan(account({"SPY": 6030, "IAU": 3860}, prices, 110), targets({"SPY": 60, "IAU": 39}))
    context = PreviewContext(snapshot=snapshot({}), rules=rules)
    assert said in " ".join(render_preview(made, price_book(prices), context).split())


def test_what_is_left_off_target_is_split_by_its_cause_and_adds_up() -> None:
    text = render_preview(sample_plan(), sample_book(), sample_context())
    said = "of it: bands and minimum leave $142.50, rounding leaves $319.17, in CASH $86.73"
    assert said in text.splitlines()
    parts = sum(Decimal(one) for one in re.findall(r"[$]([0-9.]+)", said))
    assert abs(parts - Decimal("548.39")) <= Decimal("0.01")


def test_a_live_account_is_called_live() -> None:
    context = replace(sample_context(), is_paper=False, is_simulated=False)
    made = replace(sample_plan(), account_id="U7654321")
    text = render_preview(made, sample_book(), context)
    assert "account U7654321 (LIVE)" in text


def test_a_file_without_account_and_time_is_called_neither_live_nor_old() -> None:
    context = sample_context()
    context = replace(
        context,
        snapshot=replace(context.snapshot, as_of_utc=datetime(1970, 1, 1, tzinfo=timezone.utc)),
    )
    text = render_preview(replace(sample_plan(), account_id=""), sample_book(), context)
    assert "Rebalance plan for an unnamed account, at an unknown time" in text


def test_what_matters_most_stands_at_both_ends() -> None:
    lines = render_preview(sample_plan(), sample_book(), sample_context()).splitlines()
    assert lines[0] == SIMULATED
    assert lines[-1] == SIMULATED
    assert any(
        "XYZ: 8 shares" in line and "not in model, will be sold" in line for line in lines[-8:]
    )


def test_foreign_text_is_escaped() -> None:
    hostile = UnmanagedPosition(
        con_id=1, symbol="A\x1b[2J\nB", sec_type="BOND", currency="USD", qty=Decimal(1), value=None
    )
    context = replace(
        sample_context(),
        snapshot=replace(snapshot({}), unmanaged=(hostile,)),
        warnings=("gateway says \x1b]0;x\x07 and \u202egnp",),
    )
    text = render_preview(sample_plan(), sample_book(), context)
    assert all(line.isprintable() for line in text.splitlines())
    assert r"A\x1b[2J\nB" in text


def test_an_unlisted_position_without_an_order_is_not_announced_as_sold() -> None:
    valued = account({"XYZ": 1, "SPY": 100}, {"XYZ": 1, "SPY": 100}, 0)
    made = plan(valued, targets({"SPY": 100}))
    context = PreviewContext(snapshot=snapshot({}), unlisted=frozenset({"XYZ"}))
    text = render_preview(made, price_book({"XYZ": 1, "SPY": 100}), context)
    assert "will be sold" not in text
    assert "* not in model, no order this time: XYZ" in text


def test_a_listed_holding_without_weight_is_starred_and_repeated_above_the_prompt() -> None:
    """GLD is in a model of weight 0 or has a blank cell; XYZ is in none; both are sold."""
    prices: dict[str, Number] = {"GLD": 100, "XYZ": 100, "SPY": 100}
    valued = account({"GLD": 2, "XYZ": 1, "SPY": 7}, prices)
    context = PreviewContext(snapshot=snapshot({}), unlisted=frozenset({"XYZ"}))
    made = plan(valued, targets({"GLD": 0, "SPY": 100}))
    lines = render_preview(made, price_book(prices), context).splitlines()
    assert {line.split()[0] for line in lines if "SELL" in line} == {"GLD*", "XYZ*"}
    assert "* not in model, will be sold (unlisted_positions = sell)" in lines
    assert "* target 0 in the models, will be sold: GLD" in lines
    assert lines[-5:] == [
        "In no model:",
        "- XYZ: 1 shares, $100.00 (not in model, will be sold)",
        "",
        "Target 0 in the models:",
        "- GLD: 2 shares, $200.00 (target 0 in the models, will be sold)",
    ]
    halted = plan(valued, targets({"GLD": 0, "SPY": 100}), halted=("GLD",))
    text = render_preview(halted, price_book(prices), context)
    assert "* target 0, no order this time: GLD" in text.splitlines()


def test_the_table_is_sorted_by_absolute_drift() -> None:
    lines = render_preview(sample_plan(), sample_book(), sample_context()).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("---"))
    symbols = [line.split()[0] for line in lines[start + 1 : start + 7]]
    drifts = {row.symbol: abs(row.drift_weight) for row in sample_plan().drift_before.rows}
    plain = [symbol.rstrip("*") for symbol in symbols]
    assert plain == sorted(drifts, key=lambda symbol: (-drifts[symbol], symbol))


def test_the_gain_of_the_sells_is_estimated_as_far_as_costs_are_known() -> None:
    prices: dict[str, Number] = {"GLD": 100, "XYZ": 100, "SPY": 100}
    valued = account({"GLD": 2, "XYZ": 1, "SPY": 7}, prices)
    made = plan(valued, targets({"SPY": 70}))
    held = snapshot({"GLD": 2, "XYZ": 1, "SPY": 7})
    costs = {"GLD": Decimal("130.5"), "XYZ": Decimal(0)}
    positions = (replace(one, avg_cost_usd=costs.get(one.symbol)) for one in held.positions)
    context = PreviewContext(snapshot=replace(held, positions=tuple(positions)))
    text = render_preview(made, price_book(prices), context)
    line = "Estimated gain of the sells, by average cost: -$61.00, unknown for XYZ"
    assert line in text.splitlines()


CALM = """\
Rebalance plan for account DU1234567 (paper), 2025-01-31 17:00:00 UTC
Margin account (STKMRGN INDIVIDUAL)

       target current drift drift                  price value  after
symbol      %       %     %     $ action qty held      $     $      %
---------------------------------------------------------------------
CASH     0.00    0.00  0.00  0.00 -                              0.00
SPY    100.00  100.00  0.00  0.00 -          10   100.00       100.00

Nothing to trade.

                               before                after
Net liq                     $1,000.00            $1,000.00
Cash                            $0.00                $0.00
Gross exposure              $1,000.00            $1,000.00
Leverage                       1.0000               1.0000
Remaining drift, all lines added up: 0.00% of net liq, $0.00 (now 0.00%, $0.00)

Plan f669a7b75b9f
"""


def test_what_there_is_not_is_not_mentioned() -> None:
    made = plan(account({"SPY": 10}, {"SPY": 100}, 0), targets({"SPY": 100}))
    text = render_preview(made, price_book({"SPY": 100}), PreviewContext(snapshot=snapshot({})))
    assert text + "\n" == CALM


@pytest.mark.parametrize(
    ("held", "wanted", "said"),
    [
        ({"SPY": 10}, {"SPY": 60}, ("1 order: 1 to sell, 0 to buy", "$400.00", "$0.00")),
        ({}, {"SPY": 60}, ("1 order: 0 to sell, 1 to buy", "$0.00", "$600.00")),
        ({"SPY": 6, "IAU": 4}, {}, ("2 orders: 2 to sell, 0 to buy", "$1,000.00", "$0.00")),
        ({"SPY": 10}, {"IAU": 70}, ("2 orders: 1 to sell, 1 to buy", "$1,000.00", "$700.00")),
    ],
)
def test_orders_are_counted_and_added_up_by_side(
    held: dict[str, Number], wanted: dict[str, Number], said: tuple[str, str, str]
) -> None:
    prices: dict[str, Number] = {"SPY": 100, "IAU": 100}
    made = plan(account(held, prices, 0 if held else 1000), targets(wanted))
    text = render_preview(made, price_book(prices), PreviewContext(snapshot=snapshot({})))
    count, sells, buys = said
    start = text.splitlines().index(count)
    assert [line.split() for line in text.splitlines()[start + 1 : start + 3]] == [
        ["Gross", "sells", sells],
        ["Gross", "buys", buys],
    ]


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (-5, "0 s old"),  # the gateway's clock may be a little ahead of ours
        (0, "0 s old"),
        (119, "119 s old"),
        (120, "2 min old"),
        (7199, "119 min old"),
        (7200, "2 h old"),
        (172_799, "47 h old"),
        (172_800, "2 days old"),
        (777_600, "9 days old"),
        (None, "age unknown"),
    ],
)
def test_the_age_of_a_doubtful_price_is_told(seconds: int | None, age: str) -> None:
    as_of = None if seconds is None else NOON_UTC - timedelta(seconds=seconds)
    text = render_preview(sample_plan(), book_with_doubtful("XYZ", as_of=as_of), sample_context())
    assert f"- account: XYZ ({age})" in text.splitlines()


def test_doubtful_prices_are_listed_by_source_without_an_age_where_no_clock_is_known() -> None:
    book = book_with_doubtful("XYZ", "IAU", as_of=NOON_UTC)
    text = render_preview(sample_plan(), book, replace(sample_context(), now_utc=None))
    assert "- account: IAU, XYZ" in text.splitlines()


def book_with_doubtful(*symbols: str, as_of: datetime | None) -> PriceBook:
    book = price_book(PRICES)
    doubtful = {
        symbol: replace(book.prices[symbol], source="account", is_preferred=False, as_of_utc=as_of)
        for symbol in symbols
    }
    return replace(book, prices={**book.prices, **doubtful})


def test_unlisted_positions_without_an_order_are_named_on_a_line_of_their_own() -> None:
    valued = account({"XYZ": 1, "OLD": 1, "SPY": 100}, {"XYZ": 1, "OLD": 1, "SPY": 100}, 0)
    context = PreviewContext(snapshot=snapshot({}), unlisted=frozenset({"XYZ", "OLD"}))
    book = price_book({"XYZ": 1, "OLD": 1, "SPY": 100})
    text = render_preview(plan(valued, targets({"SPY": 100})), book, context)
    assert "* not in model, no order this time: OLD, XYZ" in text.splitlines()


def test_what_is_left_alone_is_shown_to_the_cent_and_never_as_minus_zero() -> None:
    worthless = replace(sample_snapshot().unmanaged[0], symbol="ABC", sec_type="WAR", value=None)
    left_alone = replace(
        snapshot({}),
        ignored_cash={"CAD": dec("-0.001"), "CHF": dec("2.3450001"), "EUR": dec("-1234.5")},
        unmanaged=(worthless,),
    )
    context = replace(sample_context(), snapshot=left_alone)
    lines = render_preview(sample_plan(), sample_book(), context).splitlines()
    start = lines.index("Left alone, not part of net liq:")
    assert lines[start + 1 : start + 6] == [
        "- cash CAD 0.00",
        "- cash CHF 2.35",
        "- cash EUR -1,234.50",
        "- position ABC (WAR), 2 held",
        "",
    ]


def test_a_long_sentence_goes_on_below_its_own_text_and_words_stay_whole() -> None:
    first = "the gateway has answered late and says that this account is at present"
    context = replace(sample_context(), warnings=(f"{first} read-only for now",))
    lines = render_preview(sample_plan(), sample_book(), context).splitlines()
    start = lines.index(f"- {first}")
    assert lines[start + 1] == "  read-only for now"


def test_what_waits_for_settlement_stands_right_above_the_prompt() -> None:
    """F-108: how much waits, why, and what stays in cash, within 80 columns."""
    rules = rebalance_settings(min_order=500)
    whole = plan(account({"SPY": 100}, {"SPY": 100, "IAU": 50}, 200), targets({"IAU": 98}), rules)
    made = wait_for_settlement(whole, dec(200), rules)
    held = snapshot({"SPY": 100}, 200, terms=cash_terms(200))
    prices = price_book({"SPY": 100, "IAU": 50})
    text = render_preview(made, prices, PreviewContext(snapshot=held))
    assert "Cash account (STKCASH INDIVIDUAL), available funds $200.00" in text
    assert "IAU: waits for the sells' proceeds to settle" in text
    last = text.rpartition("\n\n")[2]
    assert last.startswith("Waits for settlement:\n- $10,000.00 of the buys waits for the sells'")
    assert "$10,200.00 stays in cash" in last.replace("\n  ", " ")
    assert max(map(len, text.splitlines())) <= 80
