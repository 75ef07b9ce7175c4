from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from src.base.money import shares_text
from src.base.settings import AlgoPreference, ExecutionSettings
from src.core.batches import budget_for_buys, first_states, lines_of
from src.core.cash_effects import cash_effect
from src.core.orders.matching import owner_of, stranger
from src.core.orders.state import CancelWanted, GaveUp, OrderState, Phase
from src.core.orders.styles import choose_style
from src.core.orders.tickets import (
    TicketProgress,
    TicketState,
    exceeds_limit,
    is_plain_refused,
    is_settled,
    unsettled_refs,
    wants_fallback,
    with_order,
)
from src.core.records.market import Session
from src.core.records.orders import OrderStyle, Side, TicketStatus
from src.core.run.ticket_outcome import progress_of, ticket_outcome
from tests.kits.builders import ACCOUNT, NOON_UTC, listing, ticket
from tests.kits.execution_kit import Stage, buy, sell
from tests.kits.orders_kit import (
    CLIENT_ID,
    ORDER_ID,
    PERM_ID,
    REF,
    Player,
    alive,
    code,
    commission,
    executed,
    fill,
    nothing_found,
    opened,
    sent,
    status,
    with_commission,
)

FALLBACK = ExecutionSettings()


def on_ticket(*players: Player, limit: int = 10) -> TicketState:
    state = TicketState(line=1, ticket=ticket("SPY", Side.SELL, 10), limit_shares=Decimal(limit))
    for number, player in enumerate(players, start=1):
        state = with_order(state, replace(player.state, attempt=number))
    return state


def refused(number: int = 442) -> Player:
    player = sent()
    player.feed(code(number, "algo"), nothing_found())
    return player


def cancelling() -> Player:
    player = alive()
    player.feed(CancelWanted(reason="interrupted"))
    return player


# --- how it is sent --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algo", "style"),
    [
        ("adaptive", OrderStyle.ADAPTIVE),
        ("midprice", OrderStyle.MIDPRICE),
        ("none", OrderStyle.PLAIN),
    ],
)
def test_the_preferred_algo_in_regular_hours(algo: AlgoPreference, style: OrderStyle) -> None:
    settings = ExecutionSettings(algo_preference=algo)
    assert choose_style(settings, "rth", listing("SPY"), NOON_UTC) == (style, False)


def test_extended_hours_take_the_algo_only_while_the_regular_session_is_open() -> None:
    session = Session(opens_utc=NOON_UTC, closes_utc=NOON_UTC + timedelta(hours=1))
    known = replace(listing("SPY"), regular_sessions=(session,))
    settings, late = ExecutionSettings(algo_preference="adaptive"), NOON_UTC + timedelta(hours=1)
    assert choose_style(settings, "eth", known, NOON_UTC) == (OrderStyle.ADAPTIVE, True)
    assert choose_style(settings, "eth", known, late) == (OrderStyle.PLAIN, True)


# --- fallback --------------------------------------------------------------------------------


def test_a_proven_refusal_of_the_algo_wants_the_fallback() -> None:
    assert wants_fallback(on_ticket(refused()), FALLBACK)


def test_no_fallback_without_proof_or_for_another_reason_or_twice() -> None:
    unproven = sent()
    unproven.feed(code(442))
    assert not wants_fallback(on_ticket(unproven), FALLBACK)
    unproven.feed(GaveUp(reason="no connection"))
    assert unproven.is_in(Phase.DONE)
    assert not wants_fallback(on_ticket(unproven), FALLBACK)
    assert not wants_fallback(on_ticket(refused(), refused()), FALLBACK)
    switched_off = ExecutionSettings(fallback_plain_market=False)
    assert not wants_fallback(on_ticket(refused()), switched_off)


def as_plain(player: Player) -> Player:
    request = replace(player.state.request, style=OrderStyle.PLAIN)
    return Player(state=replace(player.state, request=request))


def test_no_fallback_for_a_plain_order() -> None:
    for number in (442, 201):
        assert not wants_fallback(on_ticket(as_plain(refused(number))), FALLBACK)


def test_a_refusal_that_tells_no_reason_wants_it_until_a_plain_order_got_it_too() -> None:
    ticket, plain = on_ticket(refused(201)), as_plain(refused(201)).state
    assert not is_plain_refused([refused(201).state, as_plain(refused(442)).state])
    assert wants_fallback(ticket, FALLBACK)
    assert is_plain_refused([refused(201).state, plain])
    assert not wants_fallback(ticket, FALLBACK, is_plain_refused=True)
    assert wants_fallback(on_ticket(refused(442)), FALLBACK, is_plain_refused=True)


def test_the_notes_of_a_refusal_that_tells_no_reason_say_that_it_was_tried_anew() -> None:
    outcome = ticket_outcome(on_ticket(refused(201), as_plain(alive())))
    assert outcome.notes[:1] == ("algo adaptive refused (201: algo)",)
    assert ticket_outcome(on_ticket(refused(201))).notes == ("algo adaptive",)


def test_no_fallback_while_executions_and_total_disagree() -> None:
    player = refused()
    player.state = replace(player.state, closing_filled=Decimal(3))
    assert not wants_fallback(on_ticket(player), FALLBACK)


# --- what became of it -----------------------------------------------------------------------


def test_fills_of_both_attempts_make_a_filled_ticket() -> None:
    first, second = sent(), alive(6)
    first.feed(executed(4), code(442, "no algo"), nothing_found())
    second.feed(executed(6, "b.01"))
    outcome = ticket_outcome(on_ticket(first, second))
    assert outcome.status is TicketStatus.FILLED
    assert outcome.error == ""
    assert outcome.notes[0] == "algo adaptive refused (442: no algo)"
    assert outcome.notes[1].startswith("fallback: ")


def test_an_unproven_attempt_makes_the_ticket_unresolved() -> None:
    outcome = ticket_outcome(on_ticket(refused(), alive()))
    assert outcome.status is TicketStatus.UNRESOLVED


def test_all_filled_is_unresolved_while_another_attempt_has_no_proof() -> None:
    late, given_up = refused(), alive()
    late.feed(executed(10))
    given_up.feed(GaveUp(reason="no connection"))
    for second in (alive(), given_up):
        outcome = ticket_outcome(on_ticket(late, second))
        assert outcome.status is TicketStatus.UNRESOLVED
        assert "were to be traded" not in outcome.error


def test_both_refusals_are_told() -> None:
    second = sent()
    second.feed(code(201, "no margin"), nothing_found())
    outcome = ticket_outcome(on_ticket(refused(), second))
    assert outcome.error == "442: algo; 201: no margin"


def test_more_than_the_limit_is_unresolved_and_says_so() -> None:
    first, second = alive(), alive()
    first.feed(executed(10))
    second.feed(executed(10, "b.01"))
    outcome = ticket_outcome(on_ticket(first, second))
    assert outcome.status is TicketStatus.UNRESOLVED
    assert outcome.error == "20 shares executed, 10 were to be traded"


def test_a_refitted_ticket_filled_in_full_is_filled_with_a_note() -> None:
    player = alive(7)
    player.feed(executed(7))
    outcome = ticket_outcome(on_ticket(player, limit=7))
    assert outcome.status is TicketStatus.FILLED
    assert "refitted from 10" in outcome.notes


def test_a_skipped_ticket_says_why() -> None:
    state = replace(on_ticket(), skip_reason="no cash is left for it")
    assert is_settled(state)
    assert ticket_outcome(state).status is TicketStatus.SKIPPED
    assert ticket_outcome(state).error == "no cash is left for it"


def test_a_ticket_refitted_to_nothing_needs_no_notes() -> None:
    state = replace(on_ticket(limit=0), skip_reason="no cash is left for it")
    assert ticket_outcome(state).notes == ()


def test_the_notes_say_why_the_rest_is_not_sent() -> None:
    state = replace(on_ticket(refused()), skip_reason="interrupted")
    assert ticket_outcome(state).notes == ("algo adaptive refused (442: algo)", "interrupted")


@pytest.mark.parametrize(
    ("player", "style", "note"),
    [
        (alive(), OrderStyle.ADAPTIVE, "algo adaptive"),
        (alive(), OrderStyle.MIDPRICE, "algo midprice"),
        (alive(), OrderStyle.PLAIN, "plain market"),
        (refused(442), OrderStyle.MIDPRICE, "algo midprice refused (442: algo)"),
        (refused(202), OrderStyle.MIDPRICE, "algo midprice"),
    ],
)
def test_the_first_note_is_how_it_was_sent(player: Player, style: OrderStyle, note: str) -> None:
    request = replace(player.state.request, style=style)
    sent_so = Player(state=replace(player.state, request=request))
    assert ticket_outcome(on_ticket(sent_so)).notes == (note,)


def test_the_fallback_is_noted_with_its_quantity() -> None:
    second = alive(6)
    second.state = replace(
        second.state, request=replace(second.state.request, style=OrderStyle.PLAIN)
    )
    assert ticket_outcome(on_ticket(refused(), second)).notes[1] == (
        "fallback: plain market for 6 shares"
    )


def test_warnings_of_the_broker_become_notes() -> None:
    player = alive()
    player.feed(code(399, "held until the open"), executed(10))
    assert "399: held until the open" in ticket_outcome(on_ticket(player)).notes


def test_open_orders_count_in_full_against_the_limit() -> None:
    assert not exceeds_limit(on_ticket(refused(), alive()))
    late = refused()
    late.feed(executed(1))
    assert exceeds_limit(on_ticket(late, alive()))


def test_progress_in_a_word() -> None:
    assert progress_of(on_ticket()).doing == "waiting"
    assert progress_of(on_ticket(alive())).doing == "PreSubmitted"
    assert progress_of(on_ticket(refused())).doing == "Rejected"
    assert progress_of(on_ticket(cancelling())).doing == "cancelling"


def test_progress_of_a_line() -> None:
    player = alive()
    player.feed(executed(4))
    assert progress_of(on_ticket(player, limit=9)) == TicketProgress(
        line=1,
        symbol="SPY",
        side=Side.SELL,
        limit_shares=Decimal(9),
        filled_shares=Decimal(4),
        doing="PreSubmitted",
        attempt=1,
        is_open=True,
    )
    assert not progress_of(on_ticket(refused())).is_open
    assert shares_text(progress_of(on_ticket()).filled_shares) == "0"


def test_unsettled_are_the_orders_without_proof() -> None:
    given_up = alive()
    given_up.feed(GaveUp(reason="no connection"))
    for unproven in (alive(), given_up):
        assert unsettled_refs([on_ticket(), on_ticket(unproven)]) == (REF,)
    assert unsettled_refs([on_ticket(refused())]) == ()


# --- money for the buys ----------------------------------------------------------------------


def test_the_budget_is_cash_and_proceeds_less_commissions_and_floor() -> None:
    paid = with_commission(fill(10), "1.5")
    assert budget_for_buys(Decimal(500), Decimal(200), [paid]) == Decimal("1298.5")


def test_an_unknown_commission_is_reserved_at_a_tenth_of_a_percent_or_a_dollar() -> None:
    assert cash_effect([fill(1)]) == Decimal(99)
    assert cash_effect([fill(100)]) == Decimal(9990)
    assert cash_effect([fill(0)]) == Decimal(0)


def test_lines_count_from_one_and_sells_are_apart() -> None:
    states = first_states(Stage(tickets=(sell("AAA"), buy("BBB"), buy("CCC"))).plan())
    assert lines_of(states, Side.SELL) == (1,)
    assert lines_of(states, Side.BUY) == (2, 3)


# --- whose evidence it is --------------------------------------------------------------------


def orders() -> list[OrderState]:
    return [alive().state]


def test_evidence_finds_its_order() -> None:
    player = alive()
    player.feed(executed(4))
    known = [player.state]
    events = (status("Submitted"), opened(), executed(1), code(399), commission("0001.02", 1))
    assert all(owner_of(event, known) is player.state for event in events)


def test_evidence_about_others_finds_none() -> None:
    mine = orders()
    assert owner_of(replace(status("Filled"), client_id=7), mine) is None
    assert owner_of(replace(status("Filled"), perm_id=PERM_ID + 1), mine) is None
    assert owner_of(replace(code(201), order_id=ORDER_ID + 1), mine) is None
    assert owner_of(commission("other.01", 1), mine) is None
    foreign = replace(fill(1), order_ref="IBR-x")
    assert owner_of(replace(executed(1), fill=foreign), mine) is None


def test_an_altered_reference_under_our_id_still_finds_the_order() -> None:
    altered = replace(opened().order, order_ref="")
    assert owner_of(replace(opened(), order=altered), orders()) is not None
    assert REF


def test_a_stranger_is_an_execution_of_our_client_in_this_run() -> None:
    unknown = replace(fill(1), order_ref="IBR-other")
    assert "unknown order reference" in stranger(unknown, ACCOUNT, CLIENT_ID, NOON_UTC)
    assert stranger(unknown, ACCOUNT, 7, NOON_UTC) == ""
    assert stranger(unknown, ACCOUNT, CLIENT_ID, NOON_UTC + timedelta(seconds=1)) == ""
    elsewhere = replace(unknown, account_id="DU9")
    assert "another account" in stranger(elsewhere, ACCOUNT, CLIENT_ID, NOON_UTC)
