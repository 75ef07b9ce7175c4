"""Figures of before the last run are told from true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from src.core.journal.codec import event_from_text, event_to_text
from src.core.journal.events import RunClosed
from src.core.permission import recent_trades
from src.core.permission.recent_trades import Moved, RecentTrades, trades_of, unknown_trades
from src.core.records.account import AccountSnapshot
from src.core.run.fold import fold
from tests.kits.builders import NOON_UTC, con_id, dec, snapshot
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    booked,
    closed,
    fill,
    intent,
    later,
    opening,
    sent,
    whole_run,
)

JUST_AFTER = NOON_UTC + timedelta(seconds=20)


def moved(before: int, after: int, name: str = "AAA") -> Moved:
    return Moved(name=name, before=dec(before), after=dec(after))


def shown_late(
    recent: Sequence[RecentTrades], shown: AccountSnapshot, now_utc: datetime
) -> tuple[str, ...]:
    """With both clocks in agreement."""
    return recent_trades.shown_late(recent, shown, now_utc, timedelta(0))


def run(run_id: str, *shares: Moved, cash: Moved | None = None, minute: int = 0) -> RecentTrades:
    return RecentTrades(
        run_id=run_id,
        executed_utc=NOON_UTC + timedelta(minutes=minute),
        recorded_utc=NOON_UTC + timedelta(minutes=minute),
        shares={con_id(one.name): one for one in shares},
        cash=cash or moved(1000, 1000, "USD cash"),
    )


@pytest.mark.parametrize(("shown", "is_late"), [(100, True), (60, True), (0, False), (140, False)])
def test_shares_that_were_sold(shown: int, is_late: bool) -> None:
    found = shown_late([run("A", moved(100, 0))], snapshot({"AAA": shown}, 1000), JUST_AFTER)
    assert bool(found) is is_late


def test_a_holding_that_is_gone_is_not_late() -> None:
    assert shown_late([run("A", moved(100, 0))], snapshot({}, 1000), JUST_AFTER) == ()


def test_shares_that_were_bought() -> None:
    text = shown_late([run("A", moved(0, 40))], snapshot({}, 1000), JUST_AFTER)
    late = "the account does not show yet what run A traded (AAA 0 shares, 40 expected)"
    assert text == (f"{late}; start again in a minute",)


def test_only_the_newest_trade_of_a_holding_counts() -> None:
    there_and_back = [run("A", moved(100, 0)), run("B", moved(0, 100), minute=1)]
    shown = snapshot({"AAA": 100}, 1000)
    assert shown_late(there_and_back, shown, JUST_AFTER + timedelta(minutes=1)) == ()


@pytest.mark.parametrize(("usd", "is_late"), [("9000", True), ("9004", True), ("512.30", False)])
def test_cash_that_was_spent(usd: str, is_late: bool) -> None:
    spent = run("A", cash=moved(9000, 500, "USD cash"))
    assert bool(shown_late([spent], snapshot({}, usd), JUST_AFTER)) is is_late


@pytest.mark.parametrize(("seconds", "is_late"), [(899, True), (900, False)])
def test_after_a_while_the_account_is_right(seconds: int, *, is_late: bool) -> None:
    now = NOON_UTC + timedelta(seconds=seconds)
    found = shown_late([run("A", moved(100, 0))], snapshot({"AAA": 100}, 1000), now)
    assert bool(found) is is_late


@pytest.mark.parametrize(
    ("after", "shown", "is_late"),
    [
        ("110", "100", False),  # so short a way may be a commission or a dividend
        ("110.01", "100", True),
        ("89.99", "100", True),
        ("101", "100", False),
        ("500", "105", True),
        ("500", "105.01", False),
    ],
)
def test_cash_stands_still_within_five_dollars(after: str, shown: str, *, is_late: bool) -> None:
    cash = Moved(name="USD cash", before=dec(100), after=dec(after))
    assert bool(shown_late([run("A", cash=cash)], snapshot({}, shown), JUST_AFTER)) is is_late


def test_each_late_figure_is_named_with_what_is_expected() -> None:
    traded = run("A", moved(100, 0), moved(0, 40, "BBB"), cash=moved(9000, 500, "USD cash"))
    late = "AAA 60 shares, 0 expected; BBB 10 shares, 40 expected; cash $9000.00, $500.00 expected"
    assert shown_late([traded], snapshot({"AAA": 60, "BBB": 10}, 9000), JUST_AFTER) == (
        f"the account does not show yet what run A traded ({late}); start again in a minute",
    )


def test_a_clock_set_back_does_not_hide_a_trade() -> None:
    assert shown_late(
        [run("A", moved(100, 0))], snapshot({"AAA": 100}, 1000), NOON_UTC - timedelta(hours=2)
    )


def test_what_a_run_moved_comes_from_its_journal() -> None:
    sold = booked(fill(1, 50, price="101", commission="0.35"))
    bought = replace(fill(3, 200, price="19.5", commission="1"), at_utc=later(5))
    state = fold(opening(intent(1), sent(1), sold, intent(3), sent(3), booked(bought)))
    assert trades_of(state) == RecentTrades(
        run_id=RUN_ID,
        executed_utc=later(5),
        recorded_utc=later(4),
        shares={
            con_id("AAA"): moved(100, 50),
            con_id(PLAN.tickets[2].symbol): moved(0, 200, PLAN.tickets[2].symbol),
        },
        cash=Moved(name="USD cash", before=dec(2500), after=dec("3648.65")),
    )


def test_a_run_s_last_trade_is_the_latest_in_whatever_order_they_came() -> None:
    early = fill(1, 20, exec_id="a.01")
    late = replace(fill(1, 30, exec_id="b.01"), at_utc=later(6))
    found = trades_of(fold(opening(intent(1), sent(1), booked(late), booked(early))))
    assert found is not None
    assert found.executed_utc == later(6)
    assert found.shares == {con_id("AAA"): moved(100, 50)}


def test_a_holding_is_found_though_the_broker_renames_it() -> None:
    renamed = replace(fill(1, 50), symbol="AAA.N")
    found = trades_of(fold(opening(intent(1), sent(1), booked(renamed))))
    assert found is not None
    assert found.shares == {con_id("AAA"): moved(100, 50)}


def test_what_was_seen_to_arrive_is_not_late_again() -> None:
    seen = trades_of(fold(whole_run()))
    unseen = trades_of(
        fold(
            [replace(one, after=None) if isinstance(one, RunClosed) else one for one in whole_run()]
        )
    )
    still_open = trades_of(fold(whole_run()[:-1]))
    assert seen is not None
    assert unseen is not None
    assert all(one.has_arrived for one in (*seen.shares.values(), seen.cash))
    assert unseen == still_open
    before = fold(whole_run()).plan.plan.before
    back = snapshot(
        {name: one.qty_shares for name, one in before.holdings.items()}, before.cash_usd
    )
    assert shown_late([seen], back, JUST_AFTER) == ()
    assert len(shown_late([unseen], back, JUST_AFTER)) == 1


def test_only_the_figures_that_arrived_are_let_go() -> None:
    *trades, closing = whole_run()
    assert isinstance(closing, RunClosed)
    before = fold(trades).plan.plan.before
    found = trades_of(fold([*trades, replace(closing, after=before)]))
    assert found is not None
    assert not any(one.has_arrived for one in (*found.shares.values(), found.cash))


@pytest.mark.parametrize(("off_usd", "has_arrived"), [("5", True), ("-5", True), ("5.01", False)])
def test_cash_has_arrived_within_the_settlement_s_tolerance(
    off_usd: str, has_arrived: bool
) -> None:
    traded = opening(intent(1), sent(1), booked(fill(1, 50, price="100", commission="1")))
    shown = replace(PLAN.after, cash_usd=dec(2500 + 5000 - 1) + dec(off_usd))
    found = trades_of(fold([*traded, replace(closed(), after=shown)]))
    assert found is not None
    assert found.cash.has_arrived is has_arrived


def test_a_holding_that_was_sold_out_has_arrived_when_it_is_gone() -> None:
    sold_out = opening(intent(1), sent(1), booked(fill(1, 100)))
    others = {name: one for name, one in PLAN.after.holdings.items() if name != "AAA"}
    shown = replace(PLAN.after, holdings=others)
    found = trades_of(fold([*sold_out, replace(closed(), after=shown)]))
    assert found is not None
    assert found.shares[con_id("AAA")].has_arrived


def test_a_run_that_traded_nothing_moved_nothing() -> None:
    assert trades_of(fold(opening())) is None


# --- two clocks -------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
LATE_AT = (
    # executed, recorded, now (minutes from noon), gateway minus ours, late?
    (0, 0, 14, 0, True),
    (0, 0, 16, 0, False),
    (-60, 0, 14, 0, True),  # the broker's time is read an hour too early
    (-600, 0, 1, 0, True),
    (60, 0, 16, 0, True),  # or too late
    (None, 0, 14, 0, True),  # or in doubt: it was just now when it reached us
    (None, 0, 16, 0, False),
    (0, -60, 14, 0, True),  # our clock was an hour slow when it was recorded
    (0, -1440, 1, 0, True),
    (0, 60, 16, 0, True),  # or fast
    (60, 0, 14, 60, True),  # both are right and differ by an hour
    (60, 0, 16, 60, False),
    (60, 0, 16, 0, True),  # ours was set since
    (0, 0, 75, -60, False),
    (0, 0, 60, -50, True),
)


@pytest.mark.parametrize(("executed", "recorded", "now", "offset", "is_late"), LATE_AT)
def test_either_clock_alone_makes_a_trade_recent(
    executed: int | None, recorded: int, now: int, offset: int, *, is_late: bool
) -> None:
    trades = replace(
        run("A", moved(100, 0)),
        executed_utc=None if executed is None else NOON_UTC + executed * MINUTE,
        recorded_utc=NOON_UTC + recorded * MINUTE,
    )
    stale = snapshot({"AAA": 100}, 1000)
    now_utc = NOON_UTC + now * MINUTE
    found = recent_trades.shown_late([trades], stale, now_utc, offset * MINUTE)
    assert bool(found) is is_late


def test_executions_in_doubt_leave_the_journal_s_clock_alone() -> None:
    doubtful = replace(fill(1, 50), at_utc=None)
    found = trades_of(fold(opening(intent(1), sent(1), booked(doubtful))))
    assert found is not None
    assert (found.executed_utc, found.recorded_utc) == (None, later(4))


def test_a_journal_keeps_the_doubt_about_an_execution_s_time() -> None:
    doubtful = booked(replace(fill(1, 50), at_utc=None))
    assert event_from_text(event_to_text(doubtful)) == doubtful


def test_an_execution_as_version_1_wrote_it_is_read() -> None:
    told = '"at_utc":"2026-11-27T15:30:00+00:00","client_id"'
    text = event_to_text(
        booked(replace(fill(1, 50), at_utc=datetime(2026, 11, 27, 15, 30, tzinfo=timezone.utc)))
    )
    assert told in text
    assert event_to_text(event_from_text(text)) == text


@pytest.mark.parametrize(
    ("at_min", "now", "wait_min"),
    [(0, 0, 15), (0, 14, 1), (0, 15, 0), (None, 1, 74), (None, 74, 1), (None, 75, 0)],
)
def test_trades_of_a_journal_that_is_not_here_are_waited_for(
    at_min: int | None, now: int, wait_min: int
) -> None:
    """In doubt they are as late as their run can have traded: an hour after its start."""
    at_utc = None if at_min is None else NOON_UTC + at_min * MINUTE
    unknown = replace(fill(1, 50), order_ref=f"IBR-{RUN_ID}-1-1", at_utc=at_utc)
    again = replace(unknown, exec_id="other.01", qty_shares=dec("1.5"))
    found = unknown_trades((unknown, again), NOON_UTC + now * MINUTE, timedelta(0))
    text = (
        "this program just traded SELL 50 AAA, SELL 1.5 AAA, which this computer's journal does "
        "not know (another computer did, or the journal was removed); the account may not show it "
        f"yet; start again in {wait_min} min"
    )
    assert found == ((text,) if wait_min else ())


def test_an_unknown_trade_that_names_no_run_is_recent_while_it_is_in_doubt() -> None:
    nameless = replace(fill(1, 50), order_ref="IBR-x", at_utc=None)
    assert unknown_trades((nameless,), NOON_UTC + 6000 * MINUTE, timedelta(0))
    assert not unknown_trades((replace(nameless, qty_shares=dec(0)),), NOON_UTC, timedelta(0))
