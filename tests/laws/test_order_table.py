"""The table of the order machine: every cell of (phase, claim, evidence) is filled or refused."""

from __future__ import annotations

import itertools

import pytest

from src.core.orders.state import LEGAL_MOVES, Claim, Phase
from tests.order_diagram import EVIDENCE, SRS, TABLE, table, walk, with_diagram

BEFORE_DOUBT = (Phase.PLANNED, Phase.SENDING, Phase.WORKING)


@pytest.mark.parametrize(("phase", "claim"), list(itertools.product(Phase, Claim)))
def test_every_cell_is_filled_or_cannot_be(phase: Phase, claim: Claim) -> None:
    """An order is doubted exactly while it is closing; how it ended may have had any reason."""
    is_possible = phase is Phase.DONE or (phase in BEFORE_DOUBT) is (claim is Claim.NONE)
    for name in EVIDENCE:
        assert (((phase, claim), name) in walk().cells) is is_possible


@pytest.mark.parametrize("phase", Phase)
def test_evidence_leads_nowhere_but_where_the_phases_allow(phase: Phase) -> None:
    in_one_step = {after for before, after in walk().moves if before is phase}
    in_two = {last for next_one in LEGAL_MOVES[phase] for last in LEGAL_MOVES[next_one]}
    assert in_one_step <= LEGAL_MOVES[phase] | in_two


def test_only_an_order_that_is_being_sent_can_turn_out_not_to_have_been() -> None:
    for (place, name), outcomes in walk().cells.items():
        if name == "not sent" and place[0] is not Phase.SENDING:
            assert all((one.phase, one.commands) == (place[0].value, ()) for one in outcomes)


def test_an_order_is_placed_from_the_plan_and_never_again() -> None:
    for (place, name), outcomes in walk().cells.items():
        is_turn = place[0] is Phase.PLANNED and name == "its turn"
        assert all(("Place" in one.commands) is is_turn for one in outcomes)


def test_the_table_and_the_diagram_are_those_of_the_machine() -> None:
    refresh = "run `python -m tests.order_diagram`"
    assert TABLE.read_text(encoding="utf-8") == table(), refresh
    srs = SRS.read_text(encoding="utf-8")
    assert srs == with_diagram(srs), refresh
    assert "stateDiagram" in srs
