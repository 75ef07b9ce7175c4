"""Whether the account already shows what an earlier run has just traded.

Positions and cash follow the executions late, at times by a minute. A plan made from figures of
before would trade the same shares again: sell what is sold, buy what is bought. The journal knows
what the last runs traded, so figures that still stand where they stood before are told from true
ones. A figure that was seen to arrive at the run's end is never late again: if it is back where it
was, somebody traded. After ``SETTLED_AFTER`` whatever the account shows is taken as it is.

When that was is asked of two clocks: the broker's executions by the gateway's clock, and our own
record of them by this computer's. Either alone makes a run recent, so neither a time that is
misread or in doubt nor a clock that was moved lets figures of before pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from src.base.money import ZERO, exact_arithmetic, shares_text, usd_text
from src.base.text import printable
from src.core.cash_effects import CASH_TOLERANCE_USD, cash_effect, cash_tolerance
from src.core.orders.ref import parse_order_ref, run_started
from src.core.records.account import AccountSnapshot
from src.core.records.orders import Fill
from src.core.records.plan import Valuation

if TYPE_CHECKING:  # a plan asks about earlier runs even where there are none
    from src.core.orders.tickets import TicketState
    from src.core.run.state import RunState

SETTLED_AFTER: Final = timedelta(minutes=15)
_LONGEST_RUN: Final = timedelta(hours=1)


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
    """What one run executed: shares by con id, USD cash, and when the last of it was (UTC).

    ``executed_utc`` is the broker's time of it (None: in doubt), ``recorded_utc`` when our journal
    took it in, by this computer's clock.
    """

    run_id: str
    executed_utc: datetime | None
    recorded_utc: datetime
    shares: Mapping[int, Moved]
    cash: Moved

    def is_recent(self, now_utc: datetime, clock_offset: timedelta) -> bool:
        """True while the account need not show it, by either clock."""
        by_ours = now_utc - self.recorded_utc
        if self.executed_utc is None:
            return by_ours < SETTLED_AFTER
        by_brokers = now_utc + clock_offset - self.executed_utc
        return min(by_ours, by_brokers) < SETTLED_AFTER


@exact_arithmetic()
def trades_of(state: RunState) -> RecentTrades | None:
    """What a run moved, from its journal; None when it executed nothing."""
    fills = [fill for one in state.tickets for fill in one.fills if fill.qty_shares]
    if not fills or state.recorded_utc is None:
        return None
    return RecentTrades(
        run_id=state.run_id,
        executed_utc=max((fill.at_utc for fill in fills if fill.at_utc is not None), default=None),
        recorded_utc=state.recorded_utc,
        shares={
            one.ticket.con_id: _moved(state, one) for one in state.tickets if one.filled_shares
        },
        cash=_moved_cash(state, fills),
    )


def shown_late(
    recent: Sequence[RecentTrades],
    shown: AccountSnapshot,
    now_utc: datetime,
    clock_offset: timedelta,
) -> tuple[str, ...]:
    """One sentence per run whose executions the account does not show yet.

    ``recent`` is in order, the newest last; of each holding only its newest trade counts.
    ``now_utc`` is this computer's time, ``clock_offset`` gateway time minus it.
    """
    held = shown.held_shares
    newest = {con_id: one for one in recent for con_id in one.shares}
    texts: list[str] = []
    for run in [one for one in recent if one.is_recent(now_utc, clock_offset)]:
        late = [
            _difference(moved, held.get(con_id, ZERO))
            for con_id, moved in sorted(run.shares.items())
            if newest[con_id] is run and moved.is_under_way(held.get(con_id, ZERO))
        ]
        if run is recent[-1] and run.cash.stands_still(shown.cash_usd, CASH_TOLERANCE_USD):
            moved = run.cash
            late.append(f"cash ${usd_text(shown.cash_usd)}, ${usd_text(moved.after)} expected")
        if late:
            texts.append(
                f"the account does not show yet what run {run.run_id} traded "
                f"({'; '.join(late)}); start again in a minute"
            )
    return tuple(texts)


def unknown_trades(
    fills: Iterable[Fill], now_utc: datetime, clock_offset: timedelta
) -> tuple[str, ...]:
    """One sentence about recent executions of this program that this computer's journal lacks.

    There is nothing to hold the account's figures against, so only waiting helps.
    """
    ages = {
        fill: now_utc + clock_offset - _latest(fill, now_utc) for fill in fills if fill.qty_shares
    }
    recent = {fill: age for fill, age in ages.items() if age < SETTLED_AFTER}
    if not recent:
        return ()
    wait_min = -((min(recent.values()) - SETTLED_AFTER) // timedelta(minutes=1))
    text = (
        f"this program just traded {', '.join(map(_traded, recent))}, which this computer's "
        "journal does not know (another computer did, or the journal was removed); the account "
        f"may not show it yet; start again in {wait_min} min"
    )
    return (text,)


def _traded(fill: Fill) -> str:
    return f"{fill.side.value} {shares_text(fill.qty_shares)} {printable(fill.symbol)}"


def _latest(fill: Fill, now_utc: datetime) -> datetime:
    """When it was executed; in doubt now, or as late as its run can have traded."""
    if fill.at_utc is not None:
        return fill.at_utc
    ref = parse_order_ref(fill.order_ref)
    started = run_started(ref.run_id) if ref is not None else None
    return started + _LONGEST_RUN if started is not None else now_utc


def _moved(state: RunState, line: TicketState) -> Moved:
    symbol, filled = line.ticket.symbol, line.filled_shares
    before = _held(state.plan.plan.before, symbol)
    after = before + line.ticket.side.signed(filled)
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
