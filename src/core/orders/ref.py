"""Names of runs and orders: what ties a broker's order to our journal across restarts.

An order ref is ``<prefix>-<run id>-<line>-<attempt>``: printable ASCII, at most 40 characters,
computed from the journalled plan alone. The broker echoes it but does not enforce uniqueness, so
it is a search key; sending twice is prevented by the journal. A run id is the UTC second the run
started, with a short suffix where that second is taken. Source: SRS, order identity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

PREFIX: Final = "IBR"
SIMULATED_PREFIX: Final = "IBRSIM"

_RUN_ID = r"\d{8}T\d{6}Z[a-z0-9]{0,8}"
_RUN_ID_PATTERN: Final = re.compile(_RUN_ID, re.ASCII)
_REF_PATTERN: Final = re.compile(
    rf"({PREFIX}|{SIMULATED_PREFIX})-({_RUN_ID})-([1-9]\d{{0,3}})-([1-9]\d?)", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRef:
    """The parts of an order ref; ``line`` and ``attempt`` count from 1."""

    prefix: str
    run_id: str
    line: int
    attempt: int


def order_prefix(*, is_simulated: bool) -> str:
    """The prefix of every order ref of a run; simulated runs keep their own."""
    return SIMULATED_PREFIX if is_simulated else PREFIX


def make_run_id(started_utc: datetime, suffix: str = "") -> str:
    """``20250131T143000Z`` plus up to eight lower-case letters or digits.

    Raises: ValueError when the time is naive or the suffix does not fit.
    """
    if started_utc.tzinfo is None:
        raise ValueError("a run id needs an aware time")
    run_id = started_utc.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ") + suffix
    if not is_run_id(run_id):
        raise ValueError(f"not a run id suffix: {suffix!r}")
    return run_id


def run_started(run_id: str) -> datetime | None:
    """The second a run began, by the clock of its computer; None for an impossible one."""
    stamp = run_id[: len("yyyymmddThhmmssZ")]
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def is_run_id(text: str) -> bool:
    """True for text that ``make_run_id`` could have made."""
    return _RUN_ID_PATTERN.fullmatch(text) is not None


def make_order_ref(prefix: str, run_id: str, line: int, attempt: int) -> str:
    """The ref of one attempt at one plan line (both from 1).

    Raises: ValueError when a part does not fit the pattern.
    """
    order_ref = f"{prefix}-{run_id}-{line}-{attempt}"
    if parse_order_ref(order_ref) is None:
        raise ValueError(f"not an order ref: {order_ref!r}")
    return order_ref


def parse_order_ref(text: str) -> OrderRef | None:
    """The parts of one of our refs, or None for any other text."""
    match = _REF_PATTERN.fullmatch(text)
    if match is None:
        return None
    return OrderRef(prefix=match[1], run_id=match[2], line=int(match[3]), attempt=int(match[4]))


def has_prefix(text: str, prefix: str) -> bool:
    """True when an order carries our prefix, also where the rest was altered on the way."""
    return text.startswith(f"{prefix}-")
