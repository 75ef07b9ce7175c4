"""``python -m tests.order_diagram``: what may happen to an order and what follows, as it really is.

The order machine is asked for every kind of evidence in every state that it can come to, as far as
the walk below tells states apart. ``tests/data/order_table.txt`` gets every cell of (phase, claim)
by evidence with all its outcomes; SRS.md gets the diagram of the phases. A test fails when one of
them is stale, so that every change of a rule is seen in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from src.core.orders.machine import next_step
from src.core.orders.state import (
    AnswerMissing,
    Begin,
    BrokerAnswered,
    CancelWanted,
    Claim,
    GaveUp,
    LinkRestored,
    OrderEvent,
    OrderState,
    Phase,
    PlaceRefused,
    PlaceReturned,
    PlaceUncertain,
    TimerFired,
    TimerKind,
    WriteJournal,
)
from tests.kits.builders import NOON_UTC
from tests.kits.orders_kit import (
    code,
    commission,
    ended,
    executed,
    nothing_found,
    planned,
    status,
    still_open,
)

ROOT: Final = Path(__file__).resolve().parents[1]
SRS: Final = ROOT / "SRS.md"
TABLE: Final = ROOT / "tests/data/order_table.txt"
_BLOCK: Final = re.compile(r"(<!-- orders:begin .*? -->\n).*?(<!-- orders:end -->)", re.DOTALL)
_DEPTH: Final = 5
"""Steps from the planned order; more of them show no further cell and no further arrow."""

EVIDENCE: Final[Mapping[str, OrderEvent]] = {
    "its turn": Begin(),
    "bytes left": PlaceReturned(),
    "not sent": PlaceRefused(reason="no"),
    "send broke": PlaceUncertain(reason="no"),
    "word of life": status("Submitted"),
    "Inactive": status("Inactive"),
    "Cancelled": status("Cancelled"),
    "Cancelled after 3": status("Cancelled", 3),
    "Filled": status("Filled", 10),
    "3 executed": executed(3, "a.01"),
    "7 executed": executed(7, "b.01"),
    "too much executed": executed(11, "c.01"),
    "commission": commission("a.01", 1),
    "refusal code": code(201),
    "cancel code": code(202),
    "unclear code": code(10147),
    "notice": code(399),
    "pacing code": code(100),
    "no first answer": TimerFired(kind=TimerKind.ANSWER),
    "time limit": TimerFired(kind=TimerKind.ORDER),
    "cancel not confirmed": TimerFired(kind=TimerKind.CANCEL),
    "next look": TimerFired(kind=TimerKind.PROOF),
    "end of all waiting": TimerFired(kind=TimerKind.LAST),
    "end wanted": CancelWanted(reason="Ctrl+C"),
    "connection back": LinkRestored(),
    "listed at work": still_open("Submitted"),
    "listed as Inactive": still_open("Inactive"),
    "listed as completed": ended("Cancelled", 0),
    "listed nowhere": nothing_found(),
    "nothing is listed": BrokerAnswered(working=None, completed=None, fills=()),
    "no answer": AnswerMissing(reason="no"),
    "given up": GaveUp(reason="no"),
}

Place = tuple[Phase, Claim]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Outcome:
    """Where a piece of evidence leads, and what is then done, records left out."""

    phase: str
    claim: str
    status: str
    commands: tuple[str, ...]

    def __str__(self) -> str:
        words = (self.phase, f"({self.claim})" if self.claim else "", self.status)
        where = " ".join(word for word in words if word)
        return f"{where}: {', '.join(self.commands)}" if self.commands else where


@dataclass(slots=True)
class Walk:
    """Every cell that was reached, with its outcomes."""

    cells: dict[tuple[Place, str], set[Outcome]] = field(default_factory=dict)
    moves: dict[tuple[Phase, Phase], set[str]] = field(default_factory=dict)

    def take(self, state: OrderState, name: str) -> OrderState:
        """Try one piece of evidence on one state."""
        after, commands = next_step(state, EVIDENCE[name], NOON_UTC)
        done = tuple(type(one).__name__ for one in commands if not isinstance(one, WriteJournal))
        outcome = Outcome(
            phase=after.phase.value,
            claim=after.claim.value,
            status=after.status.value if after.status else "",
            commands=done,
        )
        self.cells.setdefault(((state.phase, state.claim), name), set()).add(outcome)
        if after.phase is not state.phase:
            self.moves.setdefault((state.phase, after.phase), set()).add(name)
        return after


@cache
def walk() -> Walk:
    """All states that a few steps lead to, each asked for every kind of evidence."""
    walked = Walk()
    seen = {_kind(planned()): planned()}
    newest = list(seen.values())
    for _ in range(_DEPTH):
        found: list[OrderState] = []
        for state in newest:
            for name in EVIDENCE:
                after = walked.take(state, name)
                if _kind(after) not in seen:
                    seen[_kind(after)] = after
                    found.append(after)
        newest = found
    return walked


def _kind(state: OrderState) -> tuple[object, ...]:
    """What the rules look at, in few enough values for a walk to end."""
    return (
        *(state.phase, state.claim, state.status, state.rounds, bool(state.faults)),
        *(bool(state.end_wish), state.is_cancel_asked, state.is_given_up),
        *(state.filled_shares, state.closing_filled, bool(state.error_code)),
    )


def table() -> str:
    """Every cell on lines of its own: what it does, or that it changes nothing."""
    lines = [f"# {(__doc__ or '').partition(chr(10))[0]}"]
    cells = walk().cells
    for place in sorted({place for place, _ in cells}, key=_in_order):
        phase, claim = place
        lines += ["", f"[{phase.value}{f' ({claim.value})' if claim.value else ''}]"]
        for name in EVIDENCE:
            outcomes = sorted(cells[place, name])
            first, *others = [str(one) for one in outcomes if not _is_nothing(one, place)] or ["-"]
            lines.append(f"{name:<22}{first}")
            lines += [f"{'':<22}{one}" for one in others]
    return "\n".join(lines) + "\n"


def _is_nothing(outcome: Outcome, place: Place) -> bool:
    stays = (outcome.phase, outcome.claim) == (place[0].value, place[1].value)
    return stays and not outcome.commands


def _in_order(place: Place) -> tuple[int, int]:
    return list(Phase).index(place[0]), list(Claim).index(place[1])


def diagram() -> str:
    """The phases, and what leads from one to the other, in the form that GitHub draws."""
    return "\n".join(["```mermaid", "stateDiagram-v2", *_arrows(), "```", ""])


def _arrows() -> Iterator[str]:
    yield "    [*] --> planned"
    moves = walk().moves
    for before in Phase:
        for after in Phase:
            names = moves.get((before, after), set())
            if names:
                listed = ", ".join(name for name in EVIDENCE if name in names)
                yield f"    {before.value} --> {after.value}: {listed}"


def with_diagram(srs: str) -> str:
    """SRS.md with the diagram as it is now."""
    return _BLOCK.sub(lambda found: found[1] + diagram() + found[2], srs)


def main() -> None:
    """Write both anew."""
    TABLE.write_text(table(), encoding="utf-8", newline="\n")
    srs = SRS.read_text(encoding="utf-8")
    SRS.write_text(with_diagram(srs), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
