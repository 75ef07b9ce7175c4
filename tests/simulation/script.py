"""What one seed plays: account, models, settings, faults, and who does what when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

from src.base.settings import Settings
from src.core.records.portfolios import ModelPortfolios
from src.core.records.wishes import NO_WISHES, Wishes
from src.simulator.scenario.records import Scenario


class Task(str, Enum):
    """What the user starts."""

    DRY_RUN = "dry run"
    READ_ONLY = "confirm, read-only"
    CONFIRM = "confirm"
    RECOVER = "recover"
    ACCEPT = "recover and accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """``kill -9`` around the n-th commit of the journal or the n-th write to the socket.

    ``is_torn``: half of the bytes of that write are on their way already.
    """

    at: Literal["commit", "write"]
    number: int
    is_after: bool = False
    is_torn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One start of the program. Seconds count from that start.

    ``pause_sec`` goes by before it. ``answer`` is what the user types after ``answer_sec``, None
    ends the input. ``interrupts`` are presses of Ctrl+C. ``outage`` closes the gateway at its
    first number and starts it again after the second. ``journal_full_at`` is the first commit
    that finds no room. ``clock_jump`` moves this machine's clock by so many seconds after so many.
    """

    task: Task
    pause_sec: float = 1.0
    answer: str | None = "y"
    answer_sec: float = 2.0
    kill: Kill | None = None
    interrupts: tuple[float, ...] = ()
    outage: tuple[float, float] | None = None
    journal_full_at: int | None = None
    clock_jump: tuple[float, float] | None = None
    is_healed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything a seed decides; nothing else is random.

    ``host_zone`` is the time zone of the computer. ``faults`` names what was put in; ``is_calm``:
    nothing, in a market without costs.
    ``is_believable``: the broker never contradicts itself, so what the program concludes must be
    the truth. ``is_undisturbed``: nobody else trades, moves money or prices. ``wishes`` are those
    of every plan.
    """

    seed: int
    start_utc: datetime
    scenario: Scenario
    portfolios: ModelPortfolios
    settings: Settings
    invocations: tuple[Invocation, ...]
    net_delay_sec: float = 0.0
    clock_offset_sec: float = 0.0
    host_zone: str = "UTC"
    faults: tuple[str, ...] = ()
    is_calm: bool = False
    is_believable: bool = True
    is_undisturbed: bool = True
    wishes: Wishes = NO_WISHES

    @property
    def cash_usd(self) -> Decimal:
        """USD at the start."""
        return self.scenario.accounts[0].cash.get("USD", Decimal(0))
