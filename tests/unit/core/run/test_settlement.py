from __future__ import annotations

from dataclasses import replace

from src.core.records.account import AccountSnapshot, UnmanagedPosition
from src.core.records.orders import Fill, Side, TicketStatus
from src.core.records.plan import DriftRow, DriftTable, OrderOutcome, TradePlan
from src.core.records.portfolios import CASH
from src.core.run.settlement import cash_difference, drift_after, position_differences, settle
from tests.kits.builders import NOON_UTC, Number, account, con_id, dec, snapshot
from tests.kits.execution_kit import Stage, buy, sell


def fill(
    symbol: str, side: Side, qty: Number, price: Number, commission: Number | None = 1
) -> Fill:
    return Fill(
        account_id="DU1234567",
        order_ref="ref",
        exec_id=f"{symbol}.01",
        order_id=1,
        client_id=42,
        perm_id=1,
        con_id=con_id(symbol),
        symbol=symbol,
        side=side,
        qty_shares=dec(qty),
        price_usd=dec(price),
        commission_usd=None if commission is None else dec(commission),
        at_utc=NOON_UTC,
    )


SOLD, BOUGHT = fill("AAA", Side.SELL, 10, 100), fill("BBB", Side.BUY, 5, 100)
BEFORE = snapshot({"AAA": 10, "CCC": 7}, 1000)


def test_positions_agree_when_they_are_before_plus_fills() -> None:
    after = snapshot({"BBB": 5, "CCC": 7}, 1498)
    assert position_differences(BEFORE, after, [SOLD, BOUGHT]) == ()
    assert cash_difference(BEFORE, after, [SOLD, BOUGHT]) == ""


def test_a_position_that_differs_is_named_with_both_figures() -> None:
    after = snapshot({"AAA": 2, "BBB": 5, "CCC": 7}, 1498)
    differences = position_differences(BEFORE, after, [SOLD, BOUGHT])
    assert differences == (
        "AAA: the account shows 2 shares, 0 expected (before the run plus executions)",
    )


def test_a_position_nobody_traded_must_not_change_either() -> None:
    after = snapshot({"BBB": 5, "CCC": 8}, 1498)
    assert position_differences(BEFORE, after, [SOLD, BOUGHT])[0].startswith("CCC: ")


def test_positions_left_alone_by_the_run_do_not_count() -> None:
    kept = UnmanagedPosition(
        con_id=con_id("KEEP"),
        symbol="KEEP",
        sec_type="STK",
        currency="USD",
        qty=dec(3),
        value=dec(30),
    )
    before = replace(BEFORE, unmanaged=(kept,))
    after = snapshot({"AAA": 10, "CCC": 7, "KEEP": 3}, 1000)
    assert position_differences(before, after, []) == ()


def test_differences_are_listed_by_symbol_also_those_only_executions_name() -> None:
    unseen = [fill("ZA", Side.BUY, 5, 100), fill("MMMM", Side.SELL, 2, 100)]
    assert con_id("ZA") < con_id("AAA") < con_id("MMMM")
    before, after = snapshot({"AAA": 10, "MMMM": 2}), snapshot({"AAA": 9, "MMMM": 2})
    assert position_differences(before, after, unseen) == (
        "AAA: the account shows 9 shares, 10 expected (before the run plus executions)",
        "MMMM: the account shows 2 shares, 0 expected (before the run plus executions)",
        "ZA: the account shows 0 shares, 5 expected (before the run plus executions)",
    )


def test_cash_within_the_tolerance_is_fine() -> None:
    for cash, fine in ((1503, True), (1493, True), ("1503.01", False), (1000, False)):
        after = snapshot({"BBB": 5, "CCC": 7}, cash)
        assert (cash_difference(BEFORE, after, [SOLD, BOUGHT]) == "") is fine


def test_a_large_trade_widens_the_tolerance() -> None:
    big = fill("AAA", Side.SELL, 10, 10_000, 0)
    after = snapshot({"CCC": 7}, 101_050)
    assert cash_difference(BEFORE, after, [big]) == ""
    text = cash_difference(BEFORE, snapshot({"CCC": 7}, 101_051), [big])
    assert "101,051.00" in text
    assert "101,000.00" in text


def outcomes() -> tuple[OrderOutcome, ...]:
    return (
        OrderOutcome(ticket=sell("AAA"), status=TicketStatus.FILLED, fills=(SOLD,)),
        OrderOutcome(ticket=buy("BBB", 5), status=TicketStatus.FILLED, fills=(BOUGHT,)),
    )


def with_prices(seen: AccountSnapshot, price: Number) -> AccountSnapshot:
    positions = tuple(replace(one, market_price_usd=dec(price)) for one in seen.positions)
    return replace(seen, positions=positions)


def test_exposure_and_leverage_come_from_the_account() -> None:
    plan = Stage(tickets=(sell("AAA"), buy("BBB", 5))).plan()
    before = snapshot({"AAA": 10}, 1000)
    after = with_prices(snapshot({"BBB": 5}, 1498), 110)
    done = settle(plan, before, after, outcomes())
    assert done.after is not None
    assert done.after.gross_exposure_usd == dec(550)
    assert done.after.cash_usd == dec(1498)
    assert done.differences == ()
    assert done.warnings == ()


def test_without_a_market_price_the_last_execution_counts() -> None:
    plan = Stage(tickets=(sell("AAA"), buy("BBB", 5))).plan()
    done = settle(plan, snapshot({"AAA": 10}, 1000), snapshot({"BBB": 5}, 1498), outcomes())
    assert done.after is not None
    assert done.after.holdings["BBB"].price_usd == dec(100)


def test_an_account_that_cannot_be_valued_is_a_warning() -> None:
    plan = Stage(tickets=(sell("AAA"), buy("BBB", 5))).plan()
    after = snapshot({"BBB": 5, "ZZZ": 1}, 1498)
    done = settle(plan, snapshot({"AAA": 10}, 1000), after, outcomes())
    assert done.after is None
    assert done.drift_after is None
    assert done.warnings == ("the account afterwards cannot be valued: no price for ZZZ",)
    assert done.differences[0].startswith("ZZZ")


def target_row(symbol: str, weight: Number) -> DriftRow:
    return DriftRow(
        symbol=symbol,
        target_weight=dec(weight),
        current_weight=dec(0),
        drift_weight=dec(0),
        drift_usd=dec(0),
    )


def aimed_at(*weights: tuple[str, Number]) -> TradePlan:
    """A plan with these targets."""
    rows = tuple(target_row(symbol, weight) for symbol, weight in weights)
    return replace(
        Stage(tickets=(sell("AAA"), buy("BBB", 5))).plan(), drift_before=DriftTable(rows=rows)
    )


def test_drift_after_is_measured_against_the_plans_targets() -> None:
    plan = aimed_at(("BBB", "0.4"), ("GONE", "0.1"), (CASH, "0.5"))
    valued = account({"BBB": 5, "NEW": 3}, {"BBB": 100, "NEW": 100}, 200)
    rows = drift_after(plan, valued).rows
    figures = [
        (row.symbol, row.target_weight, row.current_weight, row.drift_weight, row.drift_usd)
        for row in rows
    ]
    assert figures == [
        ("BBB", dec("0.4"), dec("0.5"), dec("0.1"), dec(100)),
        (CASH, dec("0.5"), dec("0.2"), dec("-0.3"), dec(-300)),
        ("GONE", dec("0.1"), dec(0), dec("-0.1"), dec(-100)),
        ("NEW", dec(0), dec("0.3"), dec("0.3"), dec(300)),
    ]


def test_a_settlement_brings_the_drift_of_the_account_as_it_is_now() -> None:
    plan = aimed_at(("BBB", "0.25"), (CASH, "0.75"))
    done = settle(plan, snapshot({"AAA": 10}, 1000), snapshot({"BBB": 5}, 1500), outcomes())
    assert done.drift_after is not None
    weights = {row.symbol: row.current_weight for row in done.drift_after.rows}
    assert weights == {"AAA": dec(0), "BBB": dec("0.25"), CASH: dec("0.75")}
