"""One execution: what it costs, whom it is booked to, and what the client hears of it.

The recorded order of a fill is: execution, openOrder and orderStatus with the new state, then
openOrder with the commission and the commission report. A behaviour can disturb that order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from src.simulator.accounts.account import ZERO, Account, Booking, Unsettled
from src.simulator.messages.responses import Response
from src.simulator.orders.floor import Floor
from src.simulator.orders.messages import (
    commission_report,
    exec_details,
    open_order,
    order_status,
)
from src.simulator.orders.state import FILLED, PENDING_CANCEL, SUBMITTED, Execution, LiveOrder
from src.simulator.outbox.delivery import Delivery
from src.simulator.scenario.records import Correction, FillStep

Teller: TypeAlias = Callable[..., list[Delivery]]
_UNKNOWN_OPENING = timedelta(days=30)
_MID_STEP = Decimal("0.005")


class FillDesk:
    """Books executions and reports them."""

    def __init__(self, floor: Floor, tell: Teller) -> None:
        self._floor = floor
        self._tell = tell
        self._correctable: dict[int, Booking] = {}

    def execute(self, live: LiveOrder, step: FillStep, now: datetime) -> list[Delivery]:
        """Fill the order by one step; a step larger than the rest is cut unless it is ``extra``."""
        shares = live.remaining if step.quantity is None else step.quantity
        if not step.extra:
            shares = min(shares, live.remaining)
        if shares <= 0:
            return []
        execution = self._record(live, step, shares, now)
        is_complete = live.filled >= live.quantity
        was_done = live.is_done
        if is_complete:
            live.status, live.is_done, live.finished_at = FILLED, True, now
        elif not was_done and live.status != PENDING_CANCEL:
            live.status = SUBMITTED
        deliveries = self._tell(live, *self._messages(live, execution, is_late=was_done))
        self._plan_commission(live, execution, now)
        self._book(live, execution, now, is_correctable=step.correction is not None)
        if step.correction is not None:
            self._plan_correction(live, execution, step.correction, now)
        return deliveries

    def price(self, live: LiveOrder) -> Decimal:
        """What the order would pay or get now: the ask, the bid, or the middle."""
        quote = self._floor.market.quote(live.contract)
        if live.order.order_type == "MIDPRICE":
            return ((quote.bid + quote.ask) / 2 / _MID_STEP).to_integral_value() * _MID_STEP
        return quote.ask if live.is_buy else quote.bid

    def _record(self, live: LiveOrder, step: FillStep, shares: Decimal, now: datetime) -> Execution:
        price = self.price(live) if step.price is None else step.price
        live.filled += shares
        live.value += shares * price
        commission = _charged(live) - live.commission
        live.commission += commission
        live.last_price = price
        contract = live.contract
        if step.report_con_id is not None:
            contract = self._floor.scenario.contract("", step.report_con_id)
        account = self._floor.accounts[live.order.account]
        signed = shares if live.is_buy else -shares
        execution = Execution(
            number=self._floor.book.new_exec_number(),
            live=live,
            at=now,
            shares=shares,
            price=price,
            side=step.report_side or ("BOT" if live.is_buy else "SLD"),
            account=step.report_account or live.order.account,
            contract=contract,
            order_ref=(
                live.order.order_ref if step.report_order_ref is None else step.report_order_ref
            ),
            cum_qty=live.filled,
            avg_price=live.avg_price,
            commission=commission,
            realized_pnl=account.gain(live.contract, signed, price, commission),
        )
        self._floor.book.executions[execution.number] = execution
        return execution

    def _messages(self, live: LiveOrder, execution: Execution, *, is_late: bool) -> list[Response]:
        details: Response = exec_details(execution, self._floor.book.times)
        state: list[Response] = [open_order(live), order_status(live)]
        events = live.behaviour.events
        if events == "no_status" or is_late:
            return [details]
        if events == "status_first":
            return [*state, details]
        return [*reversed(state), details] if events == "reversed" else [details, *state]

    def _plan_commission(self, live: LiveOrder, execution: Execution, now: datetime) -> None:
        setup = live.behaviour.commission
        if setup.reported != "never":
            report = self._report_commission
            self._floor.agenda.add(now, setup.delay_sec, lambda _: report(live, execution))

    def _report_commission(self, live: LiveOrder, execution: Execution) -> list[Delivery]:
        is_unset = live.behaviour.commission.reported == "unset"
        if not is_unset:
            self._floor.book.told_commissions.add(execution.exec_id)
        state: list[Response] = []
        if live.status == FILLED and live.behaviour.events not in ("no_status", "reversed"):
            state = [open_order(live, with_commission=not is_unset)]
        return self._tell(live, *state, commission_report(execution, is_unset=is_unset))

    def _book(
        self, live: LiveOrder, execution: Execution, now: datetime, *, is_correctable: bool = False
    ) -> None:
        """Change the account, now or after the gateway's lag, and tell those who follow it."""
        account = self._floor.accounts[live.order.account]
        is_apart = live.commission_currency != live.contract.currency

        def book(at: datetime) -> list[Delivery]:
            booking = account.trade(
                live.contract,
                execution.shares if live.is_buy else -execution.shares,
                execution.price,
                ZERO if is_apart else execution.commission,
            )
            if is_correctable:
                self._correctable[execution.number] = booking
            self._book_aside(account, execution, 1, at)
            return self._floor.holding_changed(account, live.contract, at)

        self._floor.agenda.add(now, self._floor.scenario.gateway.account_lag_sec, book)

    def _unbook(self, live: LiveOrder, wrong: Execution, now: datetime) -> None:
        """Take an execution's booking back, as late as bookings come."""
        account = self._floor.accounts[live.order.account]

        def undo(at: datetime) -> list[Delivery]:
            account.undo(self._correctable.pop(wrong.number))
            self._book_aside(account, wrong, -1, at)
            return self._floor.holding_changed(account, live.contract, at)

        self._floor.agenda.add(now, self._floor.scenario.gateway.account_lag_sec, undo)

    def _book_aside(self, account: Account, execution: Execution, sign: int, at: datetime) -> None:
        """What is not in the trade's own booking: a commission in other money, settlement."""
        live = execution.live
        if live.commission_currency != live.contract.currency:
            account.charge(live.commission_currency, execution.commission * sign)
        if not live.is_buy and account.setup.settles_later:
            self._settle_later(account, live, execution.shares * execution.price * sign, at)

    def _settle_later(
        self, account: Account, live: LiveOrder, proceeds: Decimal, now: datetime
    ) -> None:
        """The proceeds of a sale can be spent from the next trading day on."""
        calendar, currency = self._floor.market.calendar, live.contract.currency
        opens = calendar.next_regular_open(live.contract.time_zone, now) or now + _UNKNOWN_OPENING
        later = Unsettled(currency=currency, amount=proceeds, until=opens)
        self._floor.settle_later(account, later, now)

    def _plan_correction(
        self, live: LiveOrder, execution: Execution, correction: Correction, now: datetime
    ) -> None:
        self._floor.agenda.add(
            now, correction.after_sec, lambda at: self._correct(live, execution, correction, at)
        )

    def _correct(
        self, live: LiveOrder, wrong: Execution, correction: Correction, now: datetime
    ) -> list[Delivery]:
        """Replace an execution: the old booking is undone, the revised one made."""
        shares = wrong.shares if correction.quantity is None else correction.quantity
        price = wrong.price if correction.price is None else correction.price
        commission = wrong.commission if shares else ZERO
        live.filled += shares - wrong.shares
        live.value += shares * price - wrong.shares * wrong.price
        live.commission += commission - wrong.commission
        right = wrong._replace(
            shares=shares,
            price=price,
            cum_qty=live.filled,
            avg_price=live.avg_price,
            commission=commission,
            realized_pnl=_corrected_gain(wrong, shares, price, commission),
            revision=wrong.revision + 1,
        )
        self._floor.book.executions[wrong.number] = right
        self._unbook(live, wrong, now)
        if shares:
            self._book(live, right, now)
        self._plan_commission(live, right, now)
        return self._tell(live, exec_details(right, self._floor.book.times))


def _charged(live: LiveOrder) -> Decimal:
    """The commission of all that the order has filled."""
    value = live.value * live.contract.units_per_contract
    return live.behaviour.commission.charged(live.filled, value)


def _corrected_gain(
    wrong: Execution, shares: Decimal, price: Decimal, commission: Decimal
) -> Decimal | None:
    """What the revised execution realizes of what it closes; a busted one realizes nothing."""
    if wrong.realized_pnl is None or not shares:
        return None
    per_share = (wrong.realized_pnl + wrong.commission) / wrong.shares
    moved = (price - wrong.price) * wrong.contract.units_per_contract
    return shares * (per_share + (-moved if wrong.live.is_buy else moved)) - commission
