"""Laws of looking back: the quick reading never differs from the folded one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from src.base.errors import JournalError
from src.core.history.fold import past_run
from src.core.history.quick import quick_run
from src.core.history.runs import PastRun
from src.core.journal.codec import event_to_text
from src.core.journal.events import (
    CommissionRecorded,
    FillRecorded,
    IntentRecorded,
    JournalEvent,
    RunAccepted,
)
from src.core.records.orders import ForeignAmount, Side
from src.core.records.wishes import Wishes
from tests.kits.journal_kit import (
    PLAN,
    RUN_ID,
    approved,
    closed,
    filled_line,
    later,
    recorded,
    whole_run,
)
from tests.laws.test_journal_laws import stories

LINES = range(1, len(PLAN.tickets) + 1)


def folded(events: Sequence[JournalEvent]) -> PastRun | None:
    """The figures by the one rule, without what only the look at one run needs."""
    try:
        run = past_run([event_to_text(one) for one in events])
    except JournalError:
        return None
    return run._replace(tickets=tuple(one._replace(error="", notes=()) for one in run.tickets))


def check_agreement(events: Sequence[JournalEvent]) -> bool:
    """True when the quick reading told the run; it has to be what folding tells."""
    quick = quick_run(RUN_ID, [event_to_text(one) for one in events])
    assert quick is None or quick == folded(events)
    return quick is not None


def test_a_plainly_closed_run_is_read_quickly() -> None:
    assert check_agreement(whole_run())


def test_a_run_cut_short_anywhere_is_never_told_otherwise() -> None:
    events = whole_run()
    assert [n for n in range(len(events)) if check_agreement(events[:n])] == []


@given(st.data())
def test_whatever_befalls_the_orders_both_readings_agree(data: st.DataObject) -> None:
    told = [event for line in LINES for event in data.draw(stories(line))]
    ends = data.draw(st.sampled_from([[], [closed(0)], [closed(4)], [closed(4), closed(0)]]))
    check_agreement([recorded(), approved(), *told, *ends])


@given(st.data())
def test_quotes_are_read_the_same_way(data: st.DataObject) -> None:
    quotes = st.none() | st.decimals(1, 200, places=2)
    told = [event for line in LINES for event in data.draw(stories(line))]
    priced = [
        replace(one, quote_usd=data.draw(quotes)) if isinstance(one, IntentRecorded) else one
        for one in told
    ]
    check_agreement([recorded(), approved(), *priced, closed(0)])


def strange(event: JournalEvent, how: str) -> list[JournalEvent]:
    """What may stand in the place of an execution or a commission, likely or not."""
    if isinstance(event, CommissionRecorded):
        euros = ForeignAmount(amount=Decimal(2), currency="EUR")
        told: dict[str, list[JournalEvent]] = {
            "twice": [event, replace(event, commission_usd=Decimal(9))],
            "foreign": [replace(event, commission_usd=None, foreign_commission=euros)],
            "unknown": [replace(event, exec_id="never seen")],
        }
        return told.get(how, [])
    if not isinstance(event, FillRecorded):
        return [event]
    fill, corrected = event.fill, event.fill.exec_id[:-1] + "9"
    other = Side.BUY if fill.side is Side.SELL else Side.SELL
    changes: dict[str, list[dict[str, object]]] = {
        "twice": [{}, {}],
        "corrected": [{}, {"exec_id": corrected, "price_usd": fill.price_usd + 1}],
        "foreign": [{"account_id": "DU7654321"}],
        "unknown": [{"order_ref": ""}],
        "other side": [{"side": other}],
        "other contract": [{"con_id": 1}],
        "negative": [{"qty_shares": -fill.qty_shares}],
        "too many": [{"qty_shares": fill.qty_shares + 1}],
    }
    return [
        replace(event, fill=replace(fill, **one))  # type: ignore[arg-type]
        for one in changes.get(how, [])
    ]


HOWS = (
    *("twice", "corrected", "foreign", "unknown", "other side", "other contract"),
    *("negative", "too many", "lost"),
)


@given(st.integers(0, len(whole_run()) - 1), st.sampled_from(HOWS))
def test_strange_executions_and_commissions_are_left_to_the_fold(at: int, how: str) -> None:
    events = whole_run()
    check_agreement([*events[:at], *strange(events[at], how), *events[at + 1 :]])


@given(
    st.builds(
        Wishes,
        no_sell=st.booleans(),
        skip=st.lists(st.sampled_from(["AAA", "BBB"])).map(tuple),
        only=st.lists(st.sampled_from(["CCC"])).map(tuple),
    )
)
def test_wishes_are_read_the_same_way(wishes: Wishes) -> None:
    made = replace(PLAN, wishes=wishes)
    assert check_agreement([recorded(made), *whole_run()[1:]])


def test_a_run_on_the_users_word_is_folded() -> None:
    lines = [event for line in LINES[1:] for event in filled_line(line)]
    accepted = RunAccepted(run_id=RUN_ID, at_utc=later(99))
    assert not check_agreement([recorded(), approved(), *lines, closed(4), accepted])
