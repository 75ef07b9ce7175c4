"""Recovery at the edge: two rounds of questions, findings appended, runs closed or taken over."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from src.app.books.earlier_runs import late_texts
from src.app.books.recovery import Moments, Recovery, accept_run, close_simulated_runs, recover_runs
from src.base.errors import BrokerLost, ExitCode, InputError, JournalError
from src.base.settings import PricingSettings
from src.core.journal.events import JournalEvent, ReportWritten, RunClosed
from src.core.orders.state import BrokerAnswered
from src.core.records.account import AccountSnapshot
from src.core.records.market import Quotes, SymbolLookup
from src.core.records.orders import CompletedOrder, Fill, TicketStatus, WorkingOrder
from src.core.run.outcome import run_outcomes
from src.io.journal.db import JournalDb, open_journal
from tests.kits.builders import ACCOUNT
from tests.kits.guard_kit import held
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    approved,
    closed,
    completed,
    fill,
    intent,
    later,
    opening,
    recorded,
    ref,
    sent,
    ticket_ended,
    whole_run,
    working,
)

NOTHING = BrokerAnswered(working=(), completed=(), fills=())


@dataclass
class ScriptedView:
    """A ``MarketView`` that answers from a script of rounds; the last one is repeated."""

    rounds: list[BrokerAnswered]
    snapshot: AccountSnapshot = field(default_factory=held)
    asked: list[str] = field(default_factory=list)
    is_lost: bool = False

    account_id: str = ACCOUNT
    managed_accounts: tuple[str, ...] = (ACCOUNT,)
    highest_order_id: int = 0

    def _round(self, what: str) -> BrokerAnswered:
        if self.is_lost:
            raise BrokerLost("gone")
        self.asked.append(what)
        return self.rounds[min(self.asked.count(what), len(self.rounds)) - 1]

    async def fetch_working_orders(self) -> tuple[WorkingOrder, ...] | None:
        return self._round("working").working

    async def fetch_completed_orders(self) -> tuple[CompletedOrder, ...] | None:
        return self._round("completed").completed

    async def fetch_fills(self) -> tuple[Fill, ...]:
        return self._round("fills").fills

    async def fetch_snapshot(self, *, fresh: bool = False) -> AccountSnapshot:
        assert fresh
        self.asked.append("snapshot")
        return self.snapshot

    async def known_symbols(self, symbols: Collection[str]) -> Mapping[str, SymbolLookup]:
        raise AssertionError("a recovery looks up no symbols")

    async def fetch_quotes(self, symbols: Collection[str], pricing: PricingSettings) -> Quotes:
        raise AssertionError("a recovery asks for no quotes")

    async def fetch_clock_offset(self) -> timedelta:
        raise AssertionError("a recovery needs no clock")


@pytest.fixture(name="journal")
def opened(tmp_path: Path) -> Iterator[JournalDb]:
    with open_journal(tmp_path / f"{ACCOUNT}.sqlite3", ACCOUNT) as journal:
        yield journal


def write(journal: JournalDb, events: list[JournalEvent]) -> None:
    for event in events:
        journal.append(event)


def recover(journal: JournalDb, view: ScriptedView) -> Recovery:
    async def pause() -> None:
        view.asked.append("pause")

    moments = Moments(now=lambda: later(60), pause=pause)
    return asyncio.run(recover_runs(view, journal, moments, "IBR"))


def priced() -> AccountSnapshot:
    """The account with the broker's own price for each position."""
    positions = tuple(replace(one, market_price_usd=Decimal(10)) for one in held().positions)
    return replace(held(), positions=positions)


def test_a_run_that_filled_is_closed_with_the_account_afterwards(journal: JournalDb) -> None:
    write(journal, opening(intent(1), sent(1)))
    view = ScriptedView([NOTHING, replace(NOTHING, fills=(fill(1),))], snapshot=priced())
    recovery = recover(journal, view)
    (run,) = recovery.settled
    assert recovery.still_open == ()
    assert run_outcomes(run)[0].status is TicketStatus.FILLED
    assert run.closed is not None
    assert run.closed.exit_code == ExitCode.UNFILLED, "the other tickets were never sent"
    assert run.closed.after is not None
    assert run.closed.after.cash_usd == held().cash_usd
    assert journal.open_runs() == ()


def test_the_broker_is_asked_while_there_is_doubt_with_pauses_and_executions_last(
    journal: JournalDb,
) -> None:
    write(journal, opening(intent(1)))
    view = ScriptedView([NOTHING])
    recover(journal, view)
    once = ["working", "completed", "fills"]
    assert view.asked == [*once, "pause", *once, "pause", *once, "snapshot"]
    view = ScriptedView([replace(NOTHING, fills=(fill(1),))])
    recover(journal, view)
    assert view.asked == [*once, "snapshot"]


def test_without_prices_the_account_afterwards_is_left_out(journal: JournalDb) -> None:
    write(journal, opening(intent(1)))
    recovery = recover(journal, ScriptedView([replace(NOTHING, fills=(fill(1),))]))
    closing = recovery.settled[0].closed
    assert closing is not None
    assert closing.after is None


def test_what_cannot_be_proven_stays_open_and_nothing_is_written_twice(
    journal: JournalDb,
) -> None:
    write(journal, opening(intent(1), sent(1)))
    first = recover(journal, ScriptedView([NOTHING]))
    count = len(journal.events(RUN_ID))
    second = recover(journal, ScriptedView([NOTHING]))
    assert [run.run_id for run in first.still_open] == [RUN_ID]
    assert first.still_open == second.still_open
    assert len(journal.events(RUN_ID)) == count
    assert first.still_open[0].closed is None


def test_a_closed_run_in_doubt_is_looked_at_again_and_closed_again(journal: JournalDb) -> None:
    write(
        journal,
        opening(intent(1), sent(1), ticket_ended(1, TicketStatus.UNRESOLVED, "?"), closed(4)),
    )
    recovery = recover(journal, ScriptedView([replace(NOTHING, completed=(completed(1),))]))
    assert run_outcomes(recovery.settled[0])[0].status is TicketStatus.CANCELLED
    closes = [one for one in journal.events(RUN_ID) if isinstance(one, RunClosed)]
    assert len(closes) == 2
    assert journal.open_runs() == ()


def test_runs_that_sent_nothing_are_closed_without_a_second_question(journal: JournalDb) -> None:
    write(journal, [recorded(), approved()])
    view = ScriptedView([NOTHING])
    recovery = recover(journal, view)
    assert view.asked == ["working", "completed", "fills"]
    closing = recovery.settled[0].closed
    assert closing is not None
    assert closing.exit_code == ExitCode.OK


def test_a_settled_journal_asks_once_for_strangers(journal: JournalDb) -> None:
    write(journal, whole_run())
    stranger = working(2, order_ref="IBR-20250101T000000Z-1-1")
    old = replace(fill(1), order_ref="IBR-20250101T000000Z-1-1")
    shown = BrokerAnswered(working=(working(1), stranger), completed=(), fills=(fill(1), old))
    recovery = recover(journal, ScriptedView([shown]))
    assert recovery.strangers == (old,)
    assert (recovery.settled, recovery.still_open) == ((), ())


def test_a_lost_broker_leaves_the_journal_as_it_was(journal: JournalDb) -> None:
    write(journal, opening(intent(1)))
    with pytest.raises(BrokerLost):
        recover(journal, ScriptedView([NOTHING], is_lost=True))
    assert journal.events(RUN_ID) == tuple(opening(intent(1)))


def test_a_run_taken_over_by_name_blocks_no_longer(journal: JournalDb) -> None:
    write(journal, opening(intent(1), sent(1)))
    recover(journal, ScriptedView([NOTHING]))
    run = accept_run(journal, RUN_ID, later(90))
    assert run.accepted is not None
    assert run.closed is not None
    assert run.closed.exit_code == ExitCode.UNFILLED
    assert run_outcomes(run)[0].status is TicketStatus.UNRESOLVED
    assert journal.open_runs() == ()


def test_accepting_needs_an_open_run_of_that_name(journal: JournalDb) -> None:
    write(journal, whole_run())
    with pytest.raises(InputError, match="settled already"):
        accept_run(journal, RUN_ID, later(90))
    other = "20250131T170009Z"
    write(journal, [recorded(run_id=other)])
    with pytest.raises(InputError, match=f"open runs: {other}"):
        accept_run(journal, "20990101T000000Z", later(90))


def test_what_an_old_embedded_gateway_left_is_closed(journal: JournalDb) -> None:
    write(journal, opening(intent(1), sent(1)))
    close_simulated_runs(journal, later(90))
    assert journal.open_runs() == ()
    assert journal.order_refs() == {ref(1)}


def test_a_journal_that_cannot_be_written_stops_the_recovery(journal: JournalDb) -> None:
    write(journal, opening(intent(1)))
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    long = replace(fill(1, 1), symbol="S" * 100_000)
    with pytest.raises(JournalError, match="full"):
        recover(journal, ScriptedView([replace(NOTHING, fills=(long,))]))
    assert len(PLAN.tickets) == 4


# --- a run that was accepted (F97) ------------------------------------------------------------


def test_what_still_works_is_named_and_unknown_where_nothing_is_listed(journal: JournalDb) -> None:
    write(journal, opening(intent(1), sent(1)))
    shown = replace(NOTHING, working=(working(1), working(2, order_ref="theirs", perm_id=5)))
    assert recover(journal, ScriptedView([shown])).working == {RUN_ID: (working(1),)}
    assert recover(journal, ScriptedView([NOTHING])).working == {RUN_ID: ()}
    blind = BrokerAnswered(working=None, completed=None, fills=())
    assert recover(journal, ScriptedView([blind])).working == {RUN_ID: None}


def test_executions_of_an_accepted_order_join_its_report_and_are_told(journal: JournalDb) -> None:
    write(journal, opening(intent(1), sent(1)))
    recover(journal, ScriptedView([NOTHING]))
    accept_run(journal, RUN_ID, later(90))
    journal.append(ReportWritten(run_id=RUN_ID, at_utc=later(91), file_name="post.csv"))
    assert recover(journal, ScriptedView([NOTHING])).late == ()
    assert journal.unreported_runs() == ()
    found = recover(journal, ScriptedView([replace(NOTHING, fills=(fill(1),))]))
    assert [event.fill for event in found.late] == [fill(1)]
    (text,) = late_texts(found)
    assert text.startswith(f"executed for run {RUN_ID} after you accepted it: SELL 50 AAA; ")
    (run,) = journal.unreported_runs()
    assert run_outcomes(run)[0].status is TicketStatus.FILLED
    assert journal.open_runs() == ()
    assert recover(journal, ScriptedView([replace(NOTHING, fills=(fill(1),))])).late == ()
