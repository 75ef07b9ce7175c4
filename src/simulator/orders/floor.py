"""What the parts of the exchange share: market, accounts, orders, subscriptions, what is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from src.simulator.accounts.account import Account, Unsettled
from src.simulator.accounts.account_feeds import AccountDesk
from src.simulator.accounts.position_feeds import PositionDesk
from src.simulator.market.contracts import ContractDesk
from src.simulator.market.prices import Market
from src.simulator.orders.setups import add_orders
from src.simulator.orders.state import OrderBook
from src.simulator.outbox.agenda import Agenda
from src.simulator.outbox.delivery import SYSTEM_ID, Delivery, complain
from src.simulator.outbox.link import Farms, Link
from src.simulator.quotes.lines import MarketDataDesk
from src.simulator.scenario.records import ContractSetup, Scenario


class Floor:
    """The state of one simulated login, built from its scenario."""

    def __init__(self, scenario: Scenario, start: datetime) -> None:
        gateway = scenario.gateway
        self.scenario = scenario
        self.agenda = Agenda()
        self.link = Link()
        self.farms = Farms()
        self.clients: set[int] = set()
        self.away_until: datetime | None = None
        self._unpushed: set[str] = set()
        self.market = Market(scenario, start)
        self.accounts = {
            setup.account_id: Account(setup, scenario, self.market) for setup in scenario.accounts
        }
        self.contracts = ContractDesk(scenario, self.market)
        self.market_data = MarketDataDesk(
            self.contracts, self.market, self.agenda, gateway.market_data_lines
        )
        self.account_desk = AccountDesk(self.accounts, gateway)
        self.positions = PositionDesk(self.accounts)
        self.book = OrderBook(gateway)
        add_orders(scenario, self.book, start)
        for setup in scenario.accounts:
            for one in setup.unsettled:
                until = start + timedelta(seconds=one.after_sec)
                self.settle_later(
                    self.accounts[setup.account_id],
                    Unsettled(currency=one.currency, amount=one.amount, until=until),
                    start,
                )

    def settle_later(self, account: Account, proceeds: Unsettled, now: datetime) -> None:
        """Proceeds of a sale that the account can spend when they have settled."""
        account.unsettled.append(proceeds)

        def settle(at: datetime) -> list[Delivery]:
            account.settle(at)
            self.money_changed(account, at)
            return []

        self.agenda.add(now, (proceeds.until - now).total_seconds(), settle)

    def broadcast(self, code: int, text: str) -> list[Delivery]:
        """A system message for every connected client."""
        return [
            part
            for client in sorted(self.clients)
            for part in complain(client, SYSTEM_ID, code, text)
        ]

    def holding_changed(
        self, account: Account, contract: ContractSetup, now: datetime
    ) -> list[Delivery]:
        """Tell position followers of a changed holding at once, account followers soon."""
        self.money_changed(account, now)
        return self.positions.position_changed(account, contract.con_id)

    def money_changed(self, account: Account, now: datetime) -> None:
        """Have the followers of an account told soon; changes until then go out together."""
        if account.account_id in self._unpushed:
            return
        self._unpushed.add(account.account_id)

        def push(at: datetime) -> list[Delivery]:
            self._unpushed.discard(account.account_id)
            return self.account_desk.account_changed(account, at)

        self.agenda.add(now, self.scenario.gateway.account_push_sec, push)
