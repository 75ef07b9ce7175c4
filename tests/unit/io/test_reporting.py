"""The two reports: columns, formats, golden bytes, round trip, and safety in a spreadsheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.core.records.orders import Fill, OrderStyle, Side, TicketStatus
from src.core.records.plan import (
    DriftRow,
    DriftTable,
    Holding,
    OrderOutcome,
    OrderTicket,
    TradePlan,
    Valuation,
)
from src.core.records.portfolios import CASH
from src.io.reporting import read_report, report_bytes, write_report
from src.io.reports.report_rows import (
    POST_COLUMNS,
    PRE_COLUMNS,
    ReportRun,
    Row,
    post_trade_rows,
    pre_trade_rows,
)

D = Decimal
RUN = ReportRun(
    started_utc=datetime(2025, 1, 31, 14, 30, tzinfo=timezone.utc), account_id="DU0000000"
)
SELL_SPY = OrderTicket(
    con_id=1,
    symbol="SPY",
    side=Side.SELL,
    qty_shares=D(10),
    est_price_usd=D("500.125"),
    est_value_usd=D("5001.25"),
)
BUY_IAU = OrderTicket(
    con_id=2,
    symbol="IAU",
    side=Side.BUY,
    qty_shares=D("12.5000"),
    est_price_usd=D(50),
    est_value_usd=D(625),
)


def _valuation(gross_usd: Decimal, cash_usd: Decimal) -> Valuation:
    holdings = {
        symbol: Holding(
            symbol=symbol, con_id=con_id, qty_shares=D(1), price_usd=price, value_usd=price
        )
        for symbol, con_id, price in (("SPY", 1, D("500.125")), ("IAU", 2, D(50)), ("BIV", 3, D(9)))
    }
    return Valuation(
        account_id="DU0000000",
        holdings=holdings,
        cash_usd=cash_usd,
        net_liq_usd=gross_usd + cash_usd,
        gross_exposure_usd=gross_usd,
        leverage=gross_usd / (gross_usd + cash_usd),
    )


def _drift(symbol: str, target: str, current: str) -> DriftRow:
    drift = D(current) - D(target)
    return DriftRow(
        symbol=symbol,
        target_weight=D(target),
        current_weight=D(current),
        drift_weight=drift,
        drift_usd=drift * 10000,
    )


PLAN = TradePlan(
    account_id="DU0000000",
    tickets=(SELL_SPY, BUY_IAU),
    skipped=(),
    before=_valuation(D(9000), D(1000)),
    after=_valuation(D("4623.75"), D("5376.25")),
    drift_before=DriftTable(
        rows=(
            _drift("BIV", "0.2", "0.2"),
            _drift(CASH, "0.333333333", "0.1"),
            _drift("IAU", "0.1", "0.05"),
            _drift("SPY", "0.4", "0.65"),
        )
    ),
    drift_after=DriftTable(rows=()),
    cash_floor_usd=D(0),
    plan_hash="00",
)
STYLES = {"SPY": OrderStyle.MIDPRICE, "IAU": OrderStyle.PLAIN}


def fill(side: Side, qty: str, price: str, commission: str | None = None) -> Fill:
    return Fill(
        account_id="DU0000000",
        order_ref="IBR-20250131T143000Z-1-1",
        exec_id="0001.01",
        order_id=1,
        client_id=42,
        perm_id=7,
        con_id=1,
        symbol="SPY",
        side=side,
        qty_shares=D(qty),
        price_usd=D(price),
        commission_usd=None if commission is None else D(commission),
        at_utc=RUN.started_utc,
    )


def test_pre_trade_report_is_byte_for_byte_as_specified() -> None:
    expected = (
        "timestamp_run,account_id,symbol,is_cash,target_wt_pct,current_wt_pct,drift_pct,drift_usd,"
        "action,qty_shares,est_price,order_type,algo,est_value_usd,pre_gross_exposure,"
        "post_gross_exposure,pre_leverage,post_leverage\n"
        "2025-01-31T14:30:00+00:00,DU0000000,BIV,false,20.0000,20.0000,0.0000,0.00,"
        "NONE,0,9.0000,,,0.00,9000.00,4623.75,0.9000,0.4624\n"
        "2025-01-31T14:30:00+00:00,DU0000000,IAU,false,10.0000,5.0000,-5.0000,-500.00,"
        "BUY,12.5,50.0000,MKT,none,625.00,9000.00,4623.75,0.9000,0.4624\n"
        "2025-01-31T14:30:00+00:00,DU0000000,SPY,false,40.0000,65.0000,25.0000,2500.00,"
        "SELL,10,500.1250,MIDPRICE,midprice,5001.25,9000.00,4623.75,0.9000,0.4624\n"
        "2025-01-31T14:30:00+00:00,DU0000000,CASH,true,33.3333,10.0000,-23.3333,-2333.33,"
        "NONE,0,1.0000,,,0.00,9000.00,4623.75,0.9000,0.4624\n"
    )
    rows = pre_trade_rows(RUN, PLAN, STYLES)
    assert report_bytes(PRE_COLUMNS, rows).decode("utf-8") == expected


def test_adaptive_is_a_market_order_with_an_algo() -> None:
    rows = pre_trade_rows(RUN, PLAN, dict.fromkeys(STYLES, OrderStyle.ADAPTIVE))
    cells = [dict(zip(PRE_COLUMNS, row, strict=True)) for row in rows]
    assert [(row["order_type"], row["algo"]) for row in cells] == [
        ("", ""),
        ("MKT", "adaptive"),
        ("MKT", "adaptive"),
        ("", ""),
    ]


def test_a_simulated_run_says_so_in_every_row() -> None:
    run = replace(RUN, is_simulated=True)
    outcomes = (OrderOutcome(ticket=SELL_SPY, status=TicketStatus.SKIPPED),)
    rows = (*pre_trade_rows(run, PLAN, STYLES), *post_trade_rows(run, outcomes, None))
    assert {row[1] for row in rows} == {"DU0000000 (SIMULATED)"}


def test_post_trade_report_is_byte_for_byte_as_specified() -> None:
    outcomes = (
        OrderOutcome(
            ticket=SELL_SPY,
            status=TicketStatus.FILLED,
            fills=(fill(Side.SELL, "4", "500", "1.005"), fill(Side.SELL, "6", "501", "1")),
            notes=("algo midprice", "fell back to plain market"),
        ),
        OrderOutcome(
            ticket=BUY_IAU,
            status=TicketStatus.PARTIALLY_FILLED,
            fills=(fill(Side.BUY, "0.5", "50.00005"),),
            error="202: Order Canceled - reason:\nnone",
        ),
        OrderOutcome(ticket=BUY_IAU, status=TicketStatus.REJECTED, error="=cmd|' /C calc'!A0"),
    )
    expected = (
        "timestamp_run,account_id,symbol,qty_shares,fill_price,fill_value_usd,post_gross_exposure,"
        "post_leverage,status,error,notes\n"
        "2025-01-31T14:30:00+00:00,DU0000000,SPY,-10,500.6000,-5006.00,4623.75,0.4624,"
        "Filled,,commission 2.01 USD; algo midprice; fell back to plain market\n"
        "2025-01-31T14:30:00+00:00,DU0000000,IAU,0.5,50.0001,25.00,4623.75,0.4624,"
        "PartiallyFilled,202: Order Canceled - reason:\\nnone,"
        "commission pending\n"
        "2025-01-31T14:30:00+00:00,DU0000000,IAU,0,,0.00,4623.75,0.4624,"
        "Rejected,'=cmd|' /C calc'!A0,\n"
    )
    rows = post_trade_rows(RUN, outcomes, PLAN.after)
    assert report_bytes(POST_COLUMNS, rows).decode("utf-8") == expected


def test_an_account_that_could_not_be_read_afterwards_leaves_its_cells_empty() -> None:
    outcomes = (OrderOutcome(ticket=BUY_IAU, status=TicketStatus.UNRESOLVED),)
    (row,) = post_trade_rows(RUN, outcomes, None)
    cells = dict(zip(POST_COLUMNS, row, strict=True))
    assert (cells["post_gross_exposure"], cells["post_leverage"]) == ("", "")


@given(
    fills=st.lists(
        st.tuples(
            st.decimals(D("0.0001"), D(100000), places=4), st.decimals(D("0.01"), 9999, places=4)
        ),
        max_size=8,
    ),
    side=st.sampled_from(Side),
)
def test_quantity_and_value_are_the_sums_of_the_executions(
    fills: list[tuple[Decimal, Decimal]], side: Side
) -> None:
    outcome = OrderOutcome(
        ticket=BUY_IAU,
        status=TicketStatus.PARTIALLY_FILLED,
        fills=tuple(fill(side, str(qty), str(price)) for qty, price in fills),
    )
    (row,) = post_trade_rows(RUN, (outcome,), None)
    cells = dict(zip(POST_COLUMNS, row, strict=True))
    sign = 1 if side is Side.BUY else -1
    assert D(cells["qty_shares"]) == sign * sum(qty for qty, _ in fills)
    value = sum((qty * price for qty, price in fills), D(0))
    assert abs(D(cells["fill_value_usd"]) - sign * value) <= D("0.005")
    assert (cells["fill_price"] == "") == (not fills)


RAW_TEXT = st.text(st.characters(codec=None), max_size=40)


@given(error=RAW_TEXT, note=RAW_TEXT)
def test_no_text_can_start_a_formula_or_a_line(error: str, note: str) -> None:
    outcome = OrderOutcome(ticket=BUY_IAU, status=TicketStatus.REJECTED, error=error, notes=(note,))
    rows = post_trade_rows(RUN, (outcome,), None)
    data = report_bytes(POST_COLUMNS, rows).decode("utf-8")
    assert data.count("\n") == 2
    assert data.isascii() or data.replace("\n", "").isprintable()
    for cell in rows[0][-2:]:
        if cell.lstrip(" \"'").startswith(tuple("=+-@")) and not cell.startswith("'"):
            assert float(cell) is not None  # "+1" is a number in a spreadsheet too


@given(
    rows=st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")))] * 11),
        max_size=5,
    )
)
def test_what_is_written_reads_back_as_the_same_text(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
) -> None:
    path = tmp_path_factory.mktemp("reports") / "rebalance_post_20250131T143000Z.csv"
    assert write_report(path, POST_COLUMNS, tuple(rows)) == path
    assert read_report(path, POST_COLUMNS) == tuple(rows)


@settings(max_examples=300)
@given(
    rows=st.lists(
        st.tuples(*[st.text("a1,;\"' \n\r=é", max_size=4)] * len(POST_COLUMNS)), max_size=4
    )
)
def test_another_writer_of_csv_writes_the_same_bytes(rows: list[Row]) -> None:
    frame = pd.DataFrame(rows, columns=list(POST_COLUMNS), dtype=str)
    text: str = frame.to_csv(index=False, lineterminator="\n")
    assert report_bytes(POST_COLUMNS, tuple(rows)) == text.encode()


def test_the_specified_rows_survive_the_round_trip(tmp_path: Path) -> None:
    rows = pre_trade_rows(RUN, PLAN, STYLES)
    path = write_report(tmp_path / "rebalance_pre_20250131T143000Z.csv", PRE_COLUMNS, rows)
    assert read_report(path, PRE_COLUMNS) == rows


def test_a_report_is_never_replaced_and_the_same_one_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    one, other = (("x",) * 11,), (("y",) * 11,)
    assert write_report(path, POST_COLUMNS, one) == path
    assert write_report(path, POST_COLUMNS, one) == path
    assert write_report(path, POST_COLUMNS, other) == tmp_path / "report-2.csv"
    assert read_report(path, POST_COLUMNS) == one


def test_a_file_with_other_columns_is_not_a_report(tmp_path: Path) -> None:
    path = write_report(tmp_path / "report.csv", POST_COLUMNS, ())
    with pytest.raises(ValueError, match="does not have the columns"):
        read_report(path, PRE_COLUMNS)
