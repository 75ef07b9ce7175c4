"""After a gap in the connection: nothing leaves until the account was read and is understood.

The account is read again, with working orders and executions, until it is what the run's own
executions explain. Where it stays different somebody else was there: nothing more is sent. Cash
that stays lower is what the buys have to make do with.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Final

from src.base.money import ZERO, dollars
from src.broker.sending.inquiry import Answer
from src.broker.sending.order_reactor import OrderReactor
from src.broker.wire.clock import Clock
from src.core.orders.state import BrokerAnswered
from src.core.permission.after_gap import GapFinding, look_after_gap
from src.core.records.account import AccountSnapshot
from src.core.records.plan import TradePlan

_CASH_LIMIT_SEC: Final = 15.0
_FIRST_PAUSE_SEC: Final = 0.25
_LONGEST_PAUSE_SEC: Final = 3.0

log = logging.getLogger(__name__)


class GapWatch:
    """One run's view of the gaps in its connection.

    ``count`` is how many there were, ``cash_short_usd`` how much less cash the last reading showed
    than the executions explain. ``has_fitted`` is set once buys were cut to the cash of before.
    """

    def __init__(
        self,
        reactor: OrderReactor,
        clock: Clock,
        before: tuple[TradePlan, AccountSnapshot],
        limit_sec: float,
    ) -> None:
        self.count = 0
        self.cash_short_usd = ZERO
        self.has_fitted = False
        self.is_open = False
        self._reactor = reactor
        self._clock = clock
        self._plan, self._before = before
        self._limit_sec = limit_sec
        self._began_at = 0.0
        self._pause_sec = _FIRST_PAUSE_SEC
        self._look_at: float | None = None

    def begin(self) -> None:
        """The connection is there again: read everything before the next order."""
        self.count += 1
        self.is_open = not (self._reactor.halt_reason or self._reactor.is_over)
        self._began_at, self._pause_sec = self._clock.monotonic(), _FIRST_PAUSE_SEC
        self._look_at = None
        if self.is_open:
            self._reactor.inquiry.ask_about_account()

    def moment(self) -> float | None:
        """When to look again."""
        return self._look_at if self.is_open else None

    def look_when_due(self) -> None:
        """Ask once more, when the pause after the last look is over."""
        moment = self.moment()
        if moment is not None and self._clock.monotonic() >= moment:
            self._look_at = None
            self._reactor.inquiry.ask_about_account()

    def take(self, answer: Answer) -> None:
        """Judge what was read, after the orders have had their evidence."""
        if not self.is_open or not answer.includes_account:
            return
        spent = self._clock.monotonic() - self._began_at
        evidence = answer.evidence
        if answer.account is None or not isinstance(evidence, BrokerAnswered):
            self._wait_or_stop(spent, "the account could not be read again after a gap")
            return
        tickets = self._reactor.books.tickets.values()
        finding = look_after_gap(
            self._plan, self._before, answer.account, evidence.working or (), tickets
        )
        self._judge(finding, spent)

    def _judge(self, finding: GapFinding, spent_sec: float) -> None:
        if finding.orders:
            listed = "; ".join(finding.orders)
            self._stop(f"another order works in a planned symbol after a gap: {listed}")
        elif finding.differences:
            changed = "; ".join(finding.differences)
            self._wait_or_stop(spent_sec, f"the account changed during a gap: {changed}")
        elif finding.cash_short_usd and spent_sec < min(_CASH_LIMIT_SEC, self._limit_sec):
            self._wait()
        elif finding.cash_short_usd and self.has_fitted:
            short = dollars(finding.cash_short_usd)
            self._stop(f"USD cash is {short} less than executions explain after a gap")
        else:
            self._close(finding.cash_short_usd)

    def _wait_or_stop(self, spent_sec: float, reason: str) -> None:
        if spent_sec + self._pause_sec > self._limit_sec:
            self._stop(reason)
        else:
            self._wait()

    def _wait(self) -> None:
        self._look_at = self._clock.monotonic() + self._pause_sec
        self._pause_sec = min(_LONGEST_PAUSE_SEC, self._pause_sec * 2)

    def _stop(self, reason: str) -> None:
        self.is_open = False
        self._reactor.halt(f"the connection had a gap; {reason}")

    def _close(self, cash_short_usd: Decimal) -> None:
        self.is_open = False
        self.cash_short_usd = cash_short_usd
        log.info("account understood after a gap cash_short_usd=%s", cash_short_usd)
