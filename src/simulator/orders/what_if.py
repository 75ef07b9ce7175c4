"""Answers to what-if orders: margin and commission of an order that is only looked at.

As recorded: an openOrder with the figures, sometimes a first one without; least and most commission
in place of one where the market is closed; a refusal as an error that follows the figures. Each
order is checked against the account as it is. Nothing comes into being.
"""

from __future__ import annotations

from datetime import datetime

from src.simulator.messages.orders import OrderState
from src.simulator.orders.fill_conditions import is_closed_for
from src.simulator.orders.floor import Floor
from src.simulator.orders.flow import OrderFlow
from src.simulator.orders.margin import preview_margin
from src.simulator.orders.messages import open_order
from src.simulator.orders.state import PRE_SUBMITTED, LiveOrder
from src.simulator.outbox.delivery import Delivery, complain, deliver
from src.simulator.scenario.records import Rejection

TRANSMIT_OFF = "What-If order should have transmit flag set to TRUE"
_DEAREST = 2
"""The most commission, as a multiple of the least, where only a range is told."""


class WhatIfAnswers:
    """Looks at one order for a client; ``live`` is never put into the book."""

    def __init__(self, floor: Floor, flow: OrderFlow) -> None:
        self._floor = floor
        self._flow = flow

    def answer(self, live: LiveOrder, refusal: Rejection | None, now: datetime) -> list[Delivery]:
        """What is said at once; the rest comes from the agenda."""
        setup = live.behaviour.what_if
        live.status = PRE_SUBMITTED
        said: list[Delivery] = []
        if setup.answer == "twice":
            said += deliver(live.client_id, open_order(live))
        told = [] if setup.answer == "never" else self._figures(live, now)
        if refusal is not None:
            told += complain(live.client_id, live.order_id, refusal.code, refusal.text)
        if setup.after_sec or setup.answer == "twice":
            self._floor.agenda.add(now, setup.after_sec, lambda _: told)
        else:
            said += told
        if setup.refusal is not None:
            error = complain(live.client_id, live.order_id, setup.refusal.code, setup.refusal.text)
            after_sec = setup.after_sec + setup.refusal.after_sec
            self._floor.agenda.add(now, after_sec, lambda _: error)
        return said

    def _figures(self, live: LiveOrder, now: datetime) -> list[Delivery]:
        setup = live.behaviour.what_if
        state = OrderState(status=PRE_SUBMITTED, warning_text=setup.warning)
        if setup.answer != "unset":
            state = self._state(live, now, state)
        return deliver(live.client_id, open_order(live)._replace(state=state))

    def _state(self, live: LiveOrder, now: datetime, state: OrderState) -> OrderState:
        value = live.quantity * self._flow.fills.price(live) * live.contract.units_per_contract
        commission = live.behaviour.commission.charged(live.quantity, value)
        account = self._floor.accounts[live.order.account]
        figures = preview_margin(account, self._floor.market, live, commission)
        state = state._replace(
            init_margin_before=figures.initial_before,
            maint_margin_before=figures.maintenance_before,
            equity_with_loan_before=figures.equity_before,
            init_margin_change=figures.initial_change,
            maint_margin_change=figures.maintenance_change,
            equity_with_loan_change=figures.equity_change,
            init_margin_after=figures.initial_before + figures.initial_change,
            maint_margin_after=figures.maintenance_before + figures.maintenance_change,
            equity_with_loan_after=figures.equity_before + figures.equity_change,
            commission_currency=live.commission_currency,
        )
        is_range = live.behaviour.what_if.answer == "range"
        if is_range or is_closed_for(self._floor.market, live, now):
            dearest = _DEAREST * commission
            return state._replace(min_commission=commission, max_commission=dearest)
        return state._replace(commission=commission)
