"""The account that goes on from one gateway to the next: what ``--keep`` writes to its file.

The file is a scenario file, so that it is checked as one, and a person can read and change it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from src.simulator.accounts.account import Account
from src.simulator.exchange import Exchange
from src.simulator.orders.state import CANCELLED, FILLED, INACTIVE, PRE_SUBMITTED
from src.simulator.scenario.records import (
    AccountSetup,
    ExecutionSetup,
    OrderSetup,
    PositionSetup,
    Scenario,
    Status,
    UnsettledSetup,
)

if TYPE_CHECKING:
    from src.simulator.orders.floor import Floor
    from src.simulator.orders.state import Execution, LiveOrder

_LATEST_ORDERS = 300
_STATUSES: dict[str, Status] = {
    PRE_SUBMITTED: "PreSubmitted",
    FILLED: "Filled",
    CANCELLED: "Cancelled",
    INACTIVE: "Inactive",
}
"""What an order is found as later; whatever else it was, it works."""


def begin(scenario: Scenario, now_utc: datetime) -> Exchange:
    """An exchange that begins now, or where the scenario was left; time went on meanwhile."""
    left = scenario.kept_at
    if left is None or left > now_utc:
        return Exchange(scenario, now_utc)
    if scenario.clock is not None:
        scenario = replace(scenario, clock=scenario.clock - (now_utc - left))
    return Exchange(scenario, left)


def kept_scenario(floor: Floor, now: datetime, at_utc: datetime) -> Scenario:
    """The floor as a scenario that begins at ``at_utc``; ``now`` is the exchange's own time."""
    setting, orders = floor.scenario, [one for one in floor.book.orders if one.is_transmitted]
    told = [one for one in orders if one.is_done][-_LATEST_ORDERS:]
    told += [one for one in orders if not one.is_done]
    executions: dict[int, list[Execution]] = {}
    for execution in floor.book.executions.values():
        executions.setdefault(id(execution.live), []).append(execution)
    return Scenario(
        description="An account kept by --keep, as the simulated gateway left it.",
        kept_at=at_utc,
        accounts=tuple(_account(account, now) for account in floor.accounts.values()),
        usd_rates=setting.usd_rates,
        contracts=tuple(replace(one, price=floor.market.price(one)) for one in setting.contracts),
        orders=tuple(_order(live, executions.get(id(live), []), now) for live in told),
    )


def save_scenario(scenario: Scenario, file: Path) -> None:
    """Write a scenario file whole or not at all. Raises: OSError."""
    text = json.dumps(_as_json(scenario), indent=1)
    temp = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        temp.write_text(f"{text}\n", encoding="utf-8", newline="\n")
        temp.replace(file)
    finally:
        temp.unlink(missing_ok=True)


def _account(account: Account, now: datetime) -> AccountSetup:
    return replace(
        account.setup,
        cash=dict(account.cash),
        unsettled=tuple(
            UnsettledSetup(
                currency=one.currency,
                amount=one.amount,
                after_sec=(one.until - now).total_seconds(),
            )
            for one in account.unsettled
        ),
        positions=tuple(
            replace(
                holding.setup or PositionSetup(con_id=con_id, quantity=holding.quantity),
                symbol="",
                con_id=con_id,
                quantity=holding.quantity,
                avg_cost=holding.avg_cost,
                realized_pnl=holding.realized_pnl,
            )
            for con_id, holding in account.holdings.items()
        ),
    )


def _order(live: LiveOrder, executions: list[Execution], now: datetime) -> OrderSetup:
    order = live.order
    return OrderSetup(
        quantity=live.quantity,
        side="BUY" if live.is_buy else "SELL",
        con_id=live.contract.con_id,
        account_id=order.account,
        client_id=live.client_id,
        order_id=live.order_id,
        perm_id=live.perm_id,
        order_ref=order.order_ref,
        order_type=order.order_type,
        limit_price=order.lmt_price,
        tif=order.tif,
        status=_STATUSES.get(live.status, "Submitted"),
        filled=live.filled,
        minutes_ago=_minutes(live.finished_at or live.placed_at, now),
        executions=tuple(
            ExecutionSetup(
                number=one.number,
                shares=one.shares,
                price=one.price,
                commission=one.commission,
                minutes_ago=_minutes(one.at, now),
                revision=one.revision,
            )
            for one in executions
        ),
        adaptive_priority=next((param.value for param in order.algo_params), ""),
        outside_rth=order.outside_rth,
        goes_on=not live.is_done and not live.behaviour.never_fills,
    )


def _minutes(since: datetime, now: datetime) -> float:
    return max((now - since).total_seconds() / 60, 0)


def _as_json(value: object) -> object:
    """A record as JSON that reads back as the same: what has its default is left out."""
    if is_dataclass(value):
        shown = {field.name: getattr(value, field.name) for field in fields(value)}
        return {
            field.name: _as_json(shown[field.name])
            for field in fields(value)
            if shown[field.name] != field.default
            and (field.default_factory is MISSING or shown[field.name])
        }
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value
