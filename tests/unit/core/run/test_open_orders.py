"""What is open in a run, as a person reads it: columns and ways on instead of a paragraph."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from src.core.records.orders import TicketStatus
from src.core.run.fold import fold
from src.core.run.open_orders import open_lines, open_symbols, table_lines, working_row
from src.core.run.state import RunState
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    booked,
    fill,
    intent,
    known,
    opening,
    sent,
    ticket_ended,
    working,
)

LINES = range(1, len(PLAN.tickets) + 1)
IN_DOUBT = [event for line in LINES for event in (intent(line), sent(line), known(line))]
WORDS = [ticket_ended(line, TicketStatus.UNRESOLVED, "not proven") for line in LINES]
HELD = {PLAN.tickets[0].con_id: Decimal(50)}


@pytest.fixture(name="run")
def in_doubt() -> RunState:
    part = replace(fill(1), qty_shares=Decimal(7))
    return fold(opening(*IN_DOUBT, booked(part), *WORDS))


def test_the_table_says_what_works_where_and_what_nothing_lists(run: RunState) -> None:
    lines = open_lines(run, (working(1),), HELD)
    assert lines[0].split() == ["symbol", "side", "quantity", "filled", "status", "where"]
    ref = f"IBR-{RUN_ID}-1-1"
    assert lines[1].split() == ["AAA", "SELL", "50", "7", "Submitted", ref]
    second, third = (" ".join(line.split()) for line in lines[2:4])
    assert second == "BBB SELL 50 0 not listed held 150 before, 0 now"
    assert third.endswith(" 0 not listed held 0 before, 0 now")


def test_the_three_ways_on_stand_one_a_line(run: RunState) -> None:
    _, *ways = open_lines(run, (), None)[-4:]
    commands = [line.partition("python rebalance.py ")[2] for line in ways]
    assert commands == ["--recover", "--recover --cancel", f"--recover --accept {RUN_ID}"]


def test_closed_lists_and_unknown_positions_are_not_told_as_nothing(run: RunState) -> None:
    row = open_lines(run, None, None)[1]
    assert row.split() == ["AAA", "SELL", "50", "7", "not", "told", "held", "100", "before"]


def test_an_order_that_changed_its_reference_is_known_by_its_lasting_number(run: RunState) -> None:
    renamed = replace(working(1), order_ref="")
    assert "Submitted" in open_lines(run, (renamed,), HELD)[1]


def test_every_line_fits_the_screen(run: RunState) -> None:
    asked = replace(
        working(1), symbol="BAC PRL", qty_shares=Decimal("12345.6789"), status="PendingSubmit"
    )
    shown = (*table_lines([working_row(asked, [run])]), *open_lines(run, (working(1),), HELD))
    assert max(map(len, shown)) <= 80


def test_many_symbols_are_counted_in_the_first_line(run: RunState) -> None:
    assert open_symbols(run) == "AAA, BBB, CCC and 1 more"


def test_text_of_the_gateway_is_escaped() -> None:
    row = working_row(replace(working(1), status="Sub\x1b[2J"), [])
    assert row.status == "Sub\\x1b[2J"


def test_a_working_order_of_no_known_run_shows_nothing_filled() -> None:
    assert working_row(working(1), []).filled == "0"
