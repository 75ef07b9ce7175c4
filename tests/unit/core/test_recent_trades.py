"""Figures of before the last run are told from true ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from src.core.journal import RunClosed
from src.core.journal_fold import fold
from src.core.recent_trades import SETTLED_AFTER, Moved, RecentTrades, shown_late, trades_of
from tests.builders import NOON_UTC, con_id, dec, snapshot
from tests.journal_kit import RUN_ID, opening, whole_run

JUST_AFTER = NOON_UTC + timedelta(seconds=20)


def moved(before: int, after: int, name: str = "AAA") -> Moved:
    return Moved(name=name, before=dec(before), after=dec(after))


def run(run_id: str, *shares: Moved, cash: Moved | None = None, minute: int = 0) -> RecentTrades:
    return RecentTrades(
        run_id=run_id,
        last_utc=NOON_UTC + timedelta(minutes=minute),
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


def test_after_a_while_the_account_is_right() -> None:
    old = run("A", moved(100, 0))
    assert shown_late([old], snapshot({"AAA": 100}, 1000), NOON_UTC + SETTLED_AFTER) == ()


def test_a_clock_set_back_does_not_hide_a_trade() -> None:
    assert shown_late(
        [run("A", moved(100, 0))], snapshot({"AAA": 100}, 1000), NOON_UTC - timedelta(hours=2)
    )


def test_what_a_run_moved_comes_from_its_journal() -> None:
    state = fold(whole_run())
    found = trades_of(state)
    assert found is not None
    assert found.run_id == RUN_ID
    for line in state.lines:
        move = found.shares[line.ticket.con_id]
        assert abs(move.after - move.before) == line.filled_shares
    assert found.cash.before == state.plan.plan.before.cash_usd
    assert found.cash.after != found.cash.before


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


def test_a_run_that_traded_nothing_moved_nothing() -> None:
    assert trades_of(fold(opening())) is None
