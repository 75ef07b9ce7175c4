"""One line's ticks: which field, which kind, when it is enough, and that it ends only once."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.settings import PriceSource
from src.broker.reading.quote_line import LineState, QuoteLine
from src.core.pricing import usable_price
from src.core.records.market import DataKind, QuoteStage


def _line(source: PriceSource = "last", stage: QuoteStage = QuoteStage.LIVE) -> QuoteLine:
    return QuoteLine("SPY", stage, source)


@pytest.mark.parametrize(
    ("source", "ticks"),
    [
        ("last", [4]),
        ("close", [9]),
        ("bid", [1]),
        ("ask", [2]),
        ("mid", [1, 2]),
        ("last", [68]),
        ("close", [75]),
        ("bid", [66]),
        ("ask", [67]),
    ],
)
def test_the_wanted_field_ends_the_wait(source: PriceSource, ticks: list[int]) -> None:
    line = _line(source)
    for tick in (6, 7, 14, 35):
        line.on_price(tick, Decimal(1))
    states = [line.state]
    for tick in ticks:
        line.on_price(tick, Decimal(10))
        states.append(line.state)
    assert states == [*[LineState.WAITING] * len(ticks), LineState.USABLE]
    assert line.news.is_set()
    assert usable_price(line.quote(), source) == 10


def test_no_price_takes_an_earlier_one_back() -> None:
    line = _line()
    line.on_price(4, Decimal(10))
    line.on_price(4, None)
    assert line.quote().last_usd is None


def test_a_delayed_tick_marks_the_line_even_without_a_grant() -> None:
    line = _line()
    line.on_price(68, Decimal(10))
    assert line.quote().kind is DataKind.DELAYED


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1, DataKind.LIVE),
        (2, DataKind.FROZEN),
        (3, DataKind.DELAYED),
        (4, DataKind.DELAYED_FROZEN),
        (9, DataKind.DELAYED),
    ],
)
def test_the_kind_is_what_the_broker_grants(number: int, kind: DataKind) -> None:
    line = _line()
    line.on_kind(number)
    assert line.quote().kind is kind


def test_showing_delayed_is_a_notice_that_marks() -> None:
    line = _line()
    line.on_error(10167, "Displaying delayed market data")
    assert line.state is LineState.WAITING
    assert line.kind is DataKind.DELAYED


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (354, LineState.REFUSED),
        (200, LineState.REFUSED),
        (101, LineState.NO_LINE),
        (100, LineState.TOO_FAST),
        (300, LineState.WAITING),
        (2104, LineState.WAITING),
    ],
)
def test_errors_end_the_line_by_their_class(code: int, state: LineState) -> None:
    line = _line()
    line.on_error(code, "said so")
    assert line.state is state
    assert line.refusal == (f"{code}: said so" if state is LineState.REFUSED else "")


def test_a_snapshot_that_has_ended_stands() -> None:
    line = _line(stage=QuoteStage.SNAPSHOT)
    line.on_price(4, Decimal(10))
    line.on_end()
    line.on_error(354, "too late to matter")
    assert line.state is LineState.USABLE
    assert line.refusal == ""
    assert line.has_ended


@pytest.mark.parametrize("code", [101, 354, 10089, 10090, 10168, 10186, 10197, 99999])
@pytest.mark.parametrize("source", ["last", "bid", "ask", "mid"])
def test_f91_a_refusal_takes_back_the_price_of_a_running_line(
    source: PriceSource, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    line = _line(source)
    for tick in (1, 2, 4):
        line.on_price(tick, Decimal(10))
    assert usable_price(line.quote(), source) == 10
    line.on_error(code, "said so")
    assert usable_price(line.quote(), source) is None
    assert (line.state, line.is_over) == (LineState.REFUSED, True)
    assert line.quote().refusal == f"{code}: said so"
    assert f"{code}: said so" in caplog.text


@pytest.mark.parametrize("code", [100, 300, 2103, 2108, 10167])
def test_f91_a_notice_leaves_a_running_line_alone(code: int) -> None:
    line = _line()
    line.on_price(4, Decimal(10))
    line.on_error(code, "said so")
    assert (line.state, line.is_over, line.is_usable) == (LineState.USABLE, False, True)


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
def test_f91_the_close_counts_before_and_after_a_refusal(*, is_first: bool) -> None:
    line = _line("close")
    if is_first:
        line.on_price(9, Decimal(10))
    line.on_error(10090, "in part")
    if not is_first:
        line.on_price(9, Decimal(10))
    assert (line.state, line.is_over) == (LineState.USABLE, True)


@pytest.mark.parametrize("end", ["refused", "time over"])
def test_a_field_that_comes_later_counts_all_the_same(end: str) -> None:
    line = _line()
    if end == "refused":
        line.on_error(354, "said so")
    else:
        line.state = LineState.ENDED
    line.news.clear()
    line.on_price(4, Decimal(10))
    assert line.state is LineState.USABLE
    assert line.news.is_set()


def test_what_a_notice_said_is_told_where_no_price_came() -> None:
    line = _line()
    line.on_error(2103, "farm broken")
    assert line.quote().refusal == "2103: farm broken"


def test_a_snapshot_without_the_field_ends_at_its_end() -> None:
    line = _line(stage=QuoteStage.SNAPSHOT)
    line.on_price(1, Decimal(10))
    line.on_end()
    assert line.state is LineState.ENDED


@pytest.mark.parametrize("tick", [49, 90])
@pytest.mark.parametrize(
    ("value", "halted"), [("0", False), ("1", True), ("2", True), ("-1", False)]
)
def test_halts(tick: int, value: str, *, halted: bool) -> None:
    line = _line()
    line.on_number(tick, Decimal(value))
    assert line.quote().is_halted is halted


def test_the_time_of_the_last_trade_counts_for_last_only() -> None:
    traded = datetime(2025, 1, 31, 17, 0, tzinfo=timezone.utc)
    last, bid = _line(), _line("bid")
    for line in (last, bid):
        line.on_text(45, str(int(traded.timestamp())))
        line.on_price(1, Decimal(1))
        line.on_price(4, Decimal(1))
    assert last.quote().as_of_utc == traded
    assert bid.quote().as_of_utc == bid.arrived_utc


TICKS = {1: "bid", 2: "ask", 4: "last"}
SAID = st.one_of(
    st.tuples(st.sampled_from(sorted(TICKS)), st.integers(10, 12)),
    st.sampled_from([354, 10089, 10090, 10168, 10186, 10197]),
)


@given(st.lists(SAID, max_size=12), st.sampled_from(["last", "bid", "ask"]))
def test_f91_a_usable_price_was_sent_after_the_last_refusal(
    said: list[tuple[int, int] | int], source: PriceSource
) -> None:
    line = _line(source)
    newest: Decimal | None = None
    for one in said:
        if isinstance(one, int):
            newest = None
            line.on_error(one, "refused")
        else:
            tick, price = one[0], Decimal(one[1])
            line.on_price(tick, price)
            newest = price if TICKS[tick] == source else newest
    shown = {"last": line.quote().last_usd, "bid": line.quote().bid_usd}
    assert shown.get(source, line.quote().ask_usd) == newest
    assert line.is_over == any(isinstance(one, int) for one in said)
    assert (line.state is LineState.USABLE) == line.is_usable


@given(st.text(max_size=30))
def test_any_time_text_is_a_time_or_none(text: str) -> None:
    line = _line()
    line.on_text(88, text)
    assert line.traded_utc is None or line.traded_utc.tzinfo is timezone.utc
