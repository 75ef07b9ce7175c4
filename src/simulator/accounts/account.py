"""One simulated account: money per currency and holdings, changed by trades and nothing else.

Cash is exact: a trade of ``q`` shares (negative: sold) at ``p`` changes the cash of the contract's
currency by ``-q * p * multiplier - commission``. Average cost includes commissions, as TWS's does;
for an option it is per contract, multiplier included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from src.simulator.market.prices import Market
from src.simulator.scenario.records import AccountSetup, ContractSetup, PositionSetup, Scenario

ZERO = Decimal(0)
_INITIAL_RATE = {"margin": Decimal("0.50"), "cash": Decimal(1)}
_MAINTENANCE_RATE = {"margin": Decimal("0.25"), "cash": Decimal(1)}
_LEVERAGE = {"margin": Decimal(4), "cash": Decimal(1)}


@dataclass(slots=True, kw_only=True)
class Holding:
    """A position; quantity 0 when it was closed today. Money in the contract's currency."""

    contract: ContractSetup
    quantity: Decimal = ZERO
    avg_cost: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    setup: PositionSetup | None = None

    @property
    def cost(self) -> Decimal:
        """What the whole position cost."""
        return self.quantity * self.avg_cost


class Unsettled(NamedTuple):
    """Proceeds that are in the cash and cannot be spent before ``until``."""

    currency: str
    amount: Decimal
    until: datetime


class Figures(NamedTuple):
    """What the account is worth, in its base currency (Reg-T-like margin: 50% and 25%)."""

    net_liquidation: Decimal
    cash: Decimal
    accrued: Decimal
    gross_position_value: Decimal
    equity_with_loan: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    buying_power: Decimal
    unsettled: Decimal = ZERO

    @property
    def available_funds(self) -> Decimal:
        """Equity with loan minus initial margin, less proceeds that have not settled."""
        return self.equity_with_loan - self.initial_margin - self.unsettled

    @property
    def excess_liquidity(self) -> Decimal:
        """Equity with loan minus maintenance margin."""
        return self.equity_with_loan - self.maintenance_margin


class Booking(NamedTuple):
    """What one trade changed; ``cost`` is quantity times average cost. Money in its currency."""

    contract: ContractSetup
    cash: Decimal
    quantity: Decimal
    cost: Decimal
    realized_pnl: Decimal


class Account:
    """The current state of one account."""

    def __init__(self, setup: AccountSetup, scenario: Scenario, market: Market) -> None:
        self.setup = setup
        self.account_id = setup.account_id
        self.base = setup.base_currency
        self.cash: dict[str, Decimal] = dict(setup.cash)
        self.cash.setdefault(self.base, ZERO)
        self.unsettled: list[Unsettled] = []
        self.holdings: dict[int, Holding] = {}
        self._scenario = scenario
        self._market = market
        for position in setup.positions:
            contract = scenario.contract(position.symbol, position.con_id)
            self.holdings[contract.con_id] = Holding(
                contract=contract,
                quantity=position.quantity,
                avg_cost=position.avg_cost,
                realized_pnl=position.realized_pnl,
                setup=position,
            )

    def rate(self, currency: str) -> Decimal:
        """Value of one unit of ``currency`` in the base currency."""
        return self._scenario.rate(currency, self.base)

    def quantity(self, contract: ContractSetup) -> Decimal:
        """Shares held; negative when short."""
        holding = self.holdings.get(contract.con_id)
        return holding.quantity if holding else ZERO

    def value(self, holding: Holding) -> Decimal:
        """Market value in the contract's currency."""
        units = holding.contract.units_per_contract
        return holding.quantity * self._market.price(holding.contract) * units

    def price(self, holding: Holding) -> Decimal:
        """Market price per share in the contract's currency."""
        return self._market.price(holding.contract)

    def gain(
        self, contract: ContractSetup, quantity: Decimal, price: Decimal, commission: Decimal
    ) -> Decimal | None:
        """Profit that such a trade realizes, commission deducted; None if it opens or adds."""
        holding = self.holdings.get(contract.con_id)
        if holding is None or holding.quantity * quantity >= 0:
            return None
        closed = min(abs(holding.quantity), abs(quantity))
        unit_gain = price * contract.units_per_contract - holding.avg_cost
        return closed * unit_gain * (1 if holding.quantity > 0 else -1) - commission

    def trade(
        self, contract: ContractSetup, quantity: Decimal, price: Decimal, commission: Decimal
    ) -> Booking:
        """Book an execution; negative quantity: sold."""
        gain = self.gain(contract, quantity, price, commission)
        unit_price = price * contract.units_per_contract
        holding = self.holdings.setdefault(contract.con_id, Holding(contract=contract))
        before, cost_before = holding.quantity, holding.cost
        holding.quantity = before + quantity
        if gain is None:
            cost = cost_before + quantity * unit_price + commission
            holding.avg_cost = cost / holding.quantity if holding.quantity else ZERO
        elif abs(quantity) > abs(before):
            holding.avg_cost = unit_price
        holding.realized_pnl += gain or ZERO
        booking = Booking(
            contract=contract,
            cash=-quantity * unit_price - commission,
            quantity=quantity,
            cost=holding.cost - cost_before,
            realized_pnl=gain or ZERO,
        )
        self.charge(contract.currency, -booking.cash)
        return booking

    def undo(self, booking: Booking) -> None:
        """Take a trade back as if it had never been booked: no gain, no cost comes of that."""
        holding = self.holdings[booking.contract.con_id]
        cost = holding.cost - booking.cost
        holding.quantity -= booking.quantity
        holding.avg_cost = cost / holding.quantity if holding.quantity else holding.avg_cost
        holding.realized_pnl -= booking.realized_pnl
        self.charge(booking.contract.currency, booking.cash)

    def settle(self, now: datetime) -> None:
        """What has settled by now can be spent."""
        self.unsettled = [one for one in self.unsettled if one.until > now]

    def settled_cash(self) -> Decimal:
        """Cash of all currencies without proceeds that have not settled, in the base currency."""
        figures = self.measure()
        return figures.cash - figures.unsettled

    def charge(self, currency: str, amount: Decimal) -> None:
        """Take money out of the cash in this currency, which may fall below zero."""
        self.cash[currency] = self.cash.get(currency, ZERO) - amount

    def set_position(self, contract: ContractSetup, quantity: Decimal) -> None:
        """Change a holding without any money moving (a transfer, or a change made elsewhere)."""
        holding = self.holdings.setdefault(contract.con_id, Holding(contract=contract))
        holding.avg_cost = holding.avg_cost or self._market.price(contract)
        holding.quantity = quantity

    def measure(self) -> Figures:
        """Value the account at current prices."""
        cash = sum((amount * self.rate(code) for code, amount in self.cash.items()), ZERO)
        accrued = sum(
            (amount * self.rate(code) for code, amount in self.setup.accrued_cash.items()), ZERO
        )
        dividend = self.setup.accrued_dividend
        stocks, options = self._value_of("STK"), self._value_of("OPT")
        gross = stocks.gross + options.gross
        equity = cash + stocks.net
        initial = stocks.gross * _INITIAL_RATE[self.setup.type]
        unsettled = sum((one.amount * self.rate(one.currency) for one in self.unsettled), ZERO)
        return Figures(
            net_liquidation=cash + accrued + dividend + stocks.net + options.net,
            cash=cash,
            accrued=accrued,
            gross_position_value=gross,
            equity_with_loan=equity,
            initial_margin=initial,
            maintenance_margin=stocks.gross * _MAINTENANCE_RATE[self.setup.type],
            buying_power=max(equity - initial - unsettled, ZERO) * _LEVERAGE[self.setup.type],
            unsettled=unsettled,
        )

    def initial_rate(self) -> Decimal:
        """Share of a stock position's value that must be the account's own money."""
        return _INITIAL_RATE[self.setup.type]

    def _value_of(self, sec_type: str) -> _Worth:
        values = [
            self.value(holding) * self.rate(holding.contract.currency)
            for holding in self.holdings.values()
            if (holding.contract.sec_type == "OPT") == (sec_type == "OPT")
        ]
        return _Worth(net=sum(values, ZERO), gross=sum(map(abs, values), ZERO))


class _Worth(NamedTuple):
    net: Decimal
    gross: Decimal
