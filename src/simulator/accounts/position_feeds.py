"""Positions of all accounts as a stream: reqPositions and reqPositionsMulti.

A holding closed today is still listed, with quantity 0. What a scenario gives as ``reported_``
is sent in place of the truth.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from struct import Struct
from typing import Final

from src.simulator.accounts.account import Account, Holding
from src.simulator.market.contracts import contract_key
from src.simulator.messages.account import (
    PortfolioValue,
    Position,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
)
from src.simulator.messages.requests import (
    CancelPositions,
    CancelPositionsMulti,
    ReqPositions,
    ReqPositionsMulti,
    Request,
)
from src.simulator.outbox.delivery import Delivery, complain, deliver, invalid

_SINGLE: Final = Struct("f")
_PRICE_DECIMALS: Final = 7
_ABSURD: Final = 20  # digits before the point
_COST_DECIMALS: Final = 8  # as many as recorded positions show


class PositionDesk:
    """Answers questions about positions and keeps the subscriptions."""

    def __init__(self, accounts: dict[str, Account]) -> None:
        self._accounts = accounts
        self._clients: dict[int, None] = {}
        self._multi: dict[tuple[int, int], tuple[Account, str]] = {}

    def handle(self, client_id: int, request: Request, _now: datetime) -> list[Delivery]:
        """Answer a request about positions; nothing for any other request."""
        match request:
            case ReqPositions():
                self._clients[client_id] = None
                rows = [row for a in self._accounts.values() for row in _position_rows(a)]
                return deliver(client_id, *rows, PositionEnd())
            case CancelPositions():
                self._clients.pop(client_id, None)
            case ReqPositionsMulti():
                return self._start_multi(client_id, request)
            case CancelPositionsMulti():
                self._multi.pop((client_id, request.req_id), None)
        return []

    def disconnect(self, client_id: int) -> None:
        """Forget what this client follows."""
        self._clients.pop(client_id, None)
        self._multi = {key: item for key, item in self._multi.items() if key[0] != client_id}

    def position_changed(self, account: Account, con_id: int) -> list[Delivery]:
        """Tell all followers of this position its new quantity and cost."""
        row = _position_row(account, account.holdings[con_id])
        deliveries = [part for client in self._clients for part in deliver(client, row)]
        for (client_id, req_id), (followed, model_code) in self._multi.items():
            if followed is account:
                deliveries += deliver(client_id, _as_multi(row, req_id, model_code))
        return deliveries

    def _start_multi(self, client_id: int, request: ReqPositionsMulti) -> list[Delivery]:
        account = self._accounts.get(request.account or next(iter(self._accounts)))
        if account is None:
            return invalid(client_id, request.req_id, f"Invalid account '{request.account}'")
        if (client_id, request.req_id) in self._multi:
            text = "Error processing request.-'bN' : cause - Duplicate ticker id"
            return complain(client_id, request.req_id, 322, text)
        self._multi[client_id, request.req_id] = (account, request.model_code)
        rows = (_as_multi(r, request.req_id, request.model_code) for r in _position_rows(account))
        return deliver(client_id, *rows, PositionMultiEnd(req_id=request.req_id))


def portfolio_rows(account: Account) -> list[PortfolioValue]:
    """The portfolio lines of an account at current prices."""
    return [_portfolio_row(account, holding) for holding in account.holdings.values()]


def _portfolio_row(account: Account, holding: Holding) -> PortfolioValue:
    setup = holding.setup
    quantity, price = holding.quantity, account.price(holding)
    cost = round(holding.avg_cost, _COST_DECIMALS)
    if setup is not None:
        quantity = quantity if setup.reported_quantity is None else setup.reported_quantity
        cost = cost if setup.reported_avg_cost is None else setup.reported_avg_cost
        price = price if setup.reported_price is None else setup.reported_price
    value = quantity * price * holding.contract.units_per_contract
    key = contract_key(holding.contract, holding.contract.primary_exchange)
    return PortfolioValue(
        contract=key._replace(right=key.right or "0"),
        position=quantity,
        market_price=_single(price) if price == account.price(holding) else price,
        market_value=_cents(value),
        average_cost=cost,
        unrealized_pnl=_cents(value - quantity * cost),
        realized_pnl=_cents(holding.realized_pnl),
        account=_shown_account(account, holding),
    )


def _single(price: Decimal) -> Decimal:
    """The price as it comes, with single precision: 380.30 as 380.2999878."""
    (near,) = _SINGLE.unpack(_SINGLE.pack(price))
    return round(Decimal(near), _PRICE_DECIMALS)


def _cents(amount: Decimal) -> Decimal:
    """Two decimals; an amount that a scenario made absurd stays as it is."""
    return round(amount, 2) if amount.is_finite() and amount.adjusted() < _ABSURD else amount


def _shown_account(account: Account, holding: Holding) -> str:
    shown = holding.setup.reported_account if holding.setup else None
    return account.account_id if shown is None else shown


def _position_rows(account: Account) -> list[Position]:
    rows: list[Position] = []
    for holding in account.holdings.values():
        times = holding.setup.reported_times if holding.setup else 1
        rows += [_position_row(account, holding)] * times
    return rows


def _position_row(account: Account, holding: Holding) -> Position:
    shown = _portfolio_row(account, holding)
    return Position(
        account=shown.account,
        contract=contract_key(holding.contract, holding.contract.primary_exchange),
        position=shown.position,
        avg_cost=shown.average_cost,
    )


def _as_multi(row: Position, req_id: int, model_code: str) -> PositionMulti:
    return PositionMulti(
        req_id=req_id,
        account=row.account,
        contract=row.contract,
        position=row.position,
        avg_cost=row.avg_cost,
        model_code=model_code,
    )
