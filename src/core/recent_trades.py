"""Whether the account already shows what an earlier run has just traded.

Positions and cash follow the executions late, at times by a minute. A plan made from figures of
before would trade the same shares again: sell what is sold, buy what is bought. The journal knows
what the last runs traded, so figures that still stand where they stood before are told from true
ones. A figure that was seen to arrive at the run's end is never late again: if it is back where it
was, somebody traded. After ``SETTLED_AFTER`` whatever the account shows is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from src.core.batches import cash_effect
from src.core.money import ZERO, exact_arithmetic, shares_text, usd_text
from src.core.records import AccountSnapshot, Fill, Side, Valuation
from src.core.run_state import PlanLine, RunState
from src.core.settlement import CASH_TOLERANCE_USD, cash_tolerance

SETTLED_AFTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a run's executions turned one figure of the account into.

    ``has_arrived``: the account showed the new value when the run was closed.
    """

    name: str
    before: Decimal
    after: Decimal
    has_arrived: bool = False

    def is_under_way(self, shown: Decimal) -> bool:
        """True when the figure has left for its new value and not arrived, or not left at all."""
        low, high = min(self.before, self.after), max(self.before, self.after)
        return not self.has_arrived and shown != self.after and low <= shown <= high

    def stands_still(self, shown: Decimal, tolerance: Decimal) -> bool:
        """True when the figure is where it was; its new value is not known to the cent."""
        has_far_to_go = abs(self.after - self.before) > 2 * tolerance
        return not self.has_arrived and has_far_to_go and abs(shown - self.before) <= tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentTrades:
    """What one run executed last: shares by con id, USD cash, and when (UTC, the broker's time)."""

    run_id: str
    last_utc: datetime
    shares: Mapping[int, Moved]
    cash: Moved


@exact_arithmetic()
def trades_of(state: RunState) -> RecentTrades | None:
    """What a run moved, from its journal; None when it executed nothing."""
    fills = [fill for line in state.lines for fill in line.fills if fill.qty_shares]
    if not fills:
        return None
    return RecentTrades(
        run_id=state.run_id,
        last_utc=max(fill.at_utc for fill in fills),
        shares={
            line.ticket.con_id: _moved(state, line) for line in state.lines if line.filled_shares
        },
        cash=_moved_cash(state, fills),
    )


def shown_late(
    recent: Iterable[RecentTrades], shown: AccountSnapshot, now_utc: datetime
) -> tuple[str, ...]:
    """One sentence per run whose executions the account does not show yet.

    ``recent`` is in order, the newest last; of each holding only its newest trade counts.
    ``now_utc`` is the broker's time.
    """
    held = {one.con_id: one.qty_shares for one in shown.positions}
    newest = {con_id: one for one in recent for con_id in one.shares}
    texts: list[str] = []
    for run in [one for one in recent if now_utc - one.last_utc < SETTLED_AFTER]:
        late = [
            _difference(moved, held.get(con_id, ZERO))
            for con_id, moved in sorted(run.shares.items())
            if newest[con_id] is run and moved.is_under_way(held.get(con_id, ZERO))
        ]
        is_newest = all(run.last_utc >= one.last_utc for one in recent)
        if is_newest and run.cash.stands_still(shown.cash_usd, CASH_TOLERANCE_USD):
            moved = run.cash
            late.append(f"cash ${usd_text(shown.cash_usd)}, ${usd_text(moved.after)} expected")
        if late:
            texts.append(
                f"the account does not show yet what run {run.run_id} traded "
                f"({'; '.join(late)}); start again in a minute"
            )
    return tuple(texts)


def _moved(state: RunState, line: PlanLine) -> Moved:
    symbol, filled = line.ticket.symbol, line.filled_shares
    before = _held(state.plan.plan.before, symbol)
    after = before + (filled if line.ticket.side is Side.BUY else -filled)
    closing = _closing(state)
    has_arrived = closing is not None and _held(closing, symbol) == after
    return Moved(name=symbol, before=before, after=after, has_arrived=has_arrived)


def _moved_cash(state: RunState, fills: Sequence[Fill]) -> Moved:
    before = state.plan.plan.before.cash_usd
    after = before + cash_effect(fills)
    closing = _closing(state)
    has_arrived = closing is not None and abs(closing.cash_usd - after) <= cash_tolerance(fills)
    return Moved(name="USD cash", before=before, after=after, has_arrived=has_arrived)


def _closing(state: RunState) -> Valuation | None:
    """The account as the broker showed it when the run was closed."""
    return state.closed.after if state.closed is not None else None


def _held(account: Valuation, symbol: str) -> Decimal:
    holding = account.holdings.get(symbol)
    return holding.qty_shares if holding is not None else ZERO


def _difference(moved: Moved, shown: Decimal) -> str:
    return f"{moved.name} {shares_text(shown)} shares, {shares_text(moved.after)} expected"
