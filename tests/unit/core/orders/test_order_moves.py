"""The moves the order machine is made of."""

from __future__ import annotations

from src.core.journal.events import OrderNoticed
from src.core.orders.moves import alarm
from src.core.orders.state import Finish, Phase, RaiseAlarm, WriteJournal
from src.core.records.orders import TicketStatus
from tests.kits.builders import NOON_UTC
from tests.kits.orders_kit import REF, RUN_ID, alive, executed


def noticed(text: str) -> WriteJournal:
    event = OrderNoticed(run_id=RUN_ID, at_utc=NOON_UTC, order_ref=REF, code=0, text=text)
    return WriteJournal(event=event)


def test_an_alarm_is_on_record_before_the_order_is_unresolved_and_the_user_is_told() -> None:
    state, commands = alarm(alive().state, "shown in another account", NOON_UTC)
    assert state.phase is Phase.DONE
    assert state.status is TicketStatus.UNRESOLVED
    assert state.faults == ("shown in another account",)
    assert commands == (
        noticed("shown in another account"),
        Finish(
            status=TicketStatus.UNRESOLVED, error="shown in another account", notes=state.notices
        ),
        RaiseAlarm(text="SPY: shown in another account"),
    )


def test_the_same_alarm_is_raised_once_and_another_one_again() -> None:
    state, _ = alarm(alive().state, "first", NOON_UTC)
    assert alarm(state, "first", NOON_UTC) == (state, ())
    state, commands = alarm(state, "second", NOON_UTC)
    assert commands == (noticed("second"), RaiseAlarm(text="SPY: second"))
    assert state.faults == ("first", "second")


def test_an_alarm_takes_back_filled() -> None:
    player = alive()
    player.feed(executed(10))
    state, commands = alarm(player.state, "one share too many", NOON_UTC)
    assert state.status is TicketStatus.UNRESOLVED
    assert Finish(status=TicketStatus.UNRESOLVED, error="one share too many", notes=()) in commands
