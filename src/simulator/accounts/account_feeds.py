"""Account values as streams: account updates (one account per client), multi updates, summaries.

Account updates send every value (6), then the portfolio (7), the time (8) and the end (54); later
only what changed, after a trade at once and otherwise every few minutes. A second subscription of a
client that is subscribed to the account is answered by nothing, or by scenario with everything
again; the end of one is answered by 2100. A linked account has neither portfolio nor end. A summary
is refreshed only on that slow beat, so it is stale right after a fill, as TWS's is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from src.simulator.accounts.account import Account
from src.simulator.accounts.account_values import BASE, LEDGER_PREFIX, ValueRow, account_rows
from src.simulator.accounts.position_feeds import portfolio_rows
from src.simulator.messages.account import (
    AccountDownloadEnd,
    AccountSummary,
    AccountSummaryEnd,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AccountUpdateTime,
    AccountValue,
    PortfolioValue,
)
from src.simulator.messages.requests import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    ReqAccountSummary,
    ReqAccountUpdates,
    ReqAccountUpdatesMulti,
    Request,
)
from src.simulator.outbox.delivery import Delivery, complain, deliver, invalid
from src.simulator.scenario.records import GatewaySettings

_MOST_SUMMARIES = 2
_SWITCHED = "API client has been unsubscribed from account data."
_TAKEN = (
    "Unable to subscribe to account as the following clients are subscribed to a different account."
)
_LEDGER_TAG = "$LEDGER"


@dataclass(slots=True, kw_only=True)
class _Updates:
    """What one client has been told of the account it follows."""

    account: Account
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    portfolio: dict[int, PortfolioValue] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Multi:
    account: Account
    model_code: str
    ledger_and_nlv: bool
    values: dict[tuple[str, str], str] = field(default_factory=dict)


class AccountDesk:
    """Answers questions about account values and keeps the subscriptions."""

    def __init__(self, accounts: dict[str, Account], gateway: GatewaySettings) -> None:
        self._accounts = accounts
        self._prefix = LEDGER_PREFIX if gateway.ledger_prefix else ""
        self._followed_elsewhere = gateway.followed_elsewhere
        self._multi_leaves_out = gateway.multi_leaves_out
        self._repeats_in_full = gateway.repeated_subscription == "everything"
        self._updates: dict[int, _Updates] = {}
        self._multi: dict[tuple[int, int], _Multi] = {}
        self._summaries: dict[tuple[int, int], tuple[str, ...]] = {}

    def handle(self, client_id: int, request: Request, now: datetime) -> list[Delivery]:
        """Answer a request about account values; nothing for any other request."""
        match request:
            case ReqAccountUpdates():
                return self._switch_updates(client_id, request, now)
            case ReqAccountUpdatesMulti():
                return self._start_multi(client_id, request)
            case CancelAccountUpdatesMulti():
                self._multi.pop((client_id, request.req_id), None)
            case ReqAccountSummary():
                return self._start_summary(client_id, request)
            case CancelAccountSummary():
                self._summaries.pop((client_id, request.req_id), None)
        return []

    def disconnect(self, client_id: int) -> None:
        """Forget what this client follows."""
        self._updates.pop(client_id, None)
        self._multi = {key: item for key, item in self._multi.items() if key[0] != client_id}
        self._summaries = {k: tags for k, tags in self._summaries.items() if k[0] != client_id}

    def account_changed(self, account: Account, now: datetime) -> list[Delivery]:
        """Tell the followers of ``account`` what is different since they were last told."""
        deliveries: list[Delivery] = []
        for client_id, updates in self._updates.items():
            if updates.account is account:
                changes = self._changes(updates)
                stamp = [AccountUpdateTime(time=f"{now:%H:%M}")] if changes else []
                deliveries += deliver(client_id, *changes, *stamp)
        for (client_id, req_id), multi in self._multi.items():
            if multi.account is account:
                deliveries += deliver(client_id, *self._multi_changes(req_id, multi))
        return deliveries

    def refresh(self, now: datetime) -> list[Delivery]:
        """The slow beat: changed values, and summaries in full."""
        deliveries: list[Delivery] = []
        for account in self._accounts.values():
            deliveries += self.account_changed(account, now)
        for (client_id, req_id), tags in self._summaries.items():
            deliveries += deliver(client_id, *self._summary(req_id, tags))
        return deliveries

    def is_followed(self) -> bool:
        """True while any client has a subscription that the slow beat serves."""
        return bool(self._updates or self._multi or self._summaries)

    def _switch_updates(
        self, client_id: int, request: ReqAccountUpdates, now: datetime
    ) -> list[Delivery]:
        account = self._account(request.account)
        if account is None:
            return invalid(client_id, -1, f"Invalid account code '{request.account}'")
        if request.subscribe and self._followed_elsewhere not in ("", account.account_id):
            return complain(client_id, -1, 2101, _TAKEN)
        before = self._updates.get(client_id)
        is_repeated = before is not None and before.account is account
        if request.subscribe and is_repeated and not self._repeats_in_full:
            return []
        self._updates.pop(client_id, None)
        if not request.subscribe:
            return complain(client_id, -1, 2100, _SWITCHED) if before else []
        notice: list[Delivery] = []
        if before is not None and not is_repeated:
            notice = complain(client_id, -1, 2100, _SWITCHED)
        updates = self._updates[client_id] = _Updates(account=account)
        end = [] if account.setup.is_linked else [AccountDownloadEnd(account=account.account_id)]
        stamp = AccountUpdateTime(time=f"{now:%H:%M}")
        return [*notice, *deliver(client_id, *self._changes(updates), stamp, *end)]

    def _changes(self, updates: _Updates) -> list[AccountValue | PortfolioValue]:
        account = updates.account
        found: list[AccountValue | PortfolioValue] = [
            AccountValue(
                key=self._key(row),
                value=row.value,
                currency=row.currency,
                account=account.account_id,
            )
            for row in _news(account, updates.values)
        ]
        for portfolio in () if account.setup.is_linked else portfolio_rows(account):
            if updates.portfolio.get(portfolio.contract.con_id) != portfolio:
                updates.portfolio[portfolio.contract.con_id] = portfolio
                found += [portfolio] * _times_reported(account, portfolio.contract.con_id)
        return found

    def _start_multi(self, client_id: int, request: ReqAccountUpdatesMulti) -> list[Delivery]:
        account = self._account(request.account)
        if account is None:
            return invalid(client_id, request.req_id, f"Invalid account '{request.account}'")
        if (client_id, request.req_id) in self._multi:
            return _duplicate(client_id, request.req_id)
        multi = self._multi[client_id, request.req_id] = _Multi(
            account=account, model_code=request.model_code, ledger_and_nlv=request.ledger_and_nlv
        )
        rows = self._multi_changes(request.req_id, multi)
        return deliver(client_id, *rows, AccountUpdateMultiEnd(req_id=request.req_id))

    def _multi_changes(self, req_id: int, multi: _Multi) -> list[AccountUpdateMulti]:
        return [
            AccountUpdateMulti(
                req_id=req_id,
                account=multi.account.account_id,
                model_code=multi.model_code,
                key=self._key(row),
                value=row.value,
                currency=row.currency,
            )
            for row in _news(multi.account, multi.values)
            if row.is_ledger or row.key == "NetLiquidation" or not multi.ledger_and_nlv
            if row.key not in self._multi_leaves_out
        ]

    def _start_summary(self, client_id: int, request: ReqAccountSummary) -> list[Delivery]:
        req_id = request.req_id
        if (client_id, req_id) in self._summaries:
            return _duplicate(client_id, req_id)
        if sum(client == client_id for client, _ in self._summaries) >= _MOST_SUMMARIES:
            cause = "Maximum number of account summary requests exceeded"
            return complain(
                client_id, req_id, 322, f"Error processing request.-'bN' : cause - {cause}"
            )
        if request.group != "All":
            return invalid(client_id, req_id, f"Invalid group name '{request.group}'")
        tags = tuple(tag.strip() for tag in request.tags.split(",") if tag.strip())
        if not tags:
            return invalid(client_id, req_id, "No account tags")
        self._summaries[client_id, req_id] = tags
        return deliver(client_id, *self._summary(req_id, tags), AccountSummaryEnd(req_id=req_id))

    def _summary(self, req_id: int, tags: tuple[str, ...]) -> list[AccountSummary]:
        return [
            AccountSummary(
                req_id=req_id,
                account=account.account_id,
                tag=row.key,
                value=row.value,
                currency=row.currency,
            )
            for account in self._accounts.values()
            for row in account_rows(account)
            if _is_wanted(row, tags)
        ]

    def _account(self, account_id: str) -> Account | None:
        if account_id:
            return self._accounts.get(account_id)
        return next(iter(self._accounts.values()))

    def _key(self, row: ValueRow) -> str:
        return self._prefix + row.key if row.is_ledger else row.key


def _news(account: Account, told: dict[tuple[str, str], str]) -> list[ValueRow]:
    """The rows that differ from what was ``told``, which is brought up to date."""
    news: list[ValueRow] = []
    for row in account_rows(account):
        name = (f"{row.is_ledger}{row.key}", row.currency)
        if told.get(name) != row.value:
            told[name] = row.value
            news.append(row)
    return news


def _is_wanted(row: ValueRow, tags: tuple[str, ...]) -> bool:
    if not row.is_ledger:
        return row.key in tags
    wanted = {tag.partition(":")[2] or BASE for tag in tags if tag.startswith(_LEDGER_TAG)}
    return row.currency in wanted or "ALL" in wanted


def _times_reported(account: Account, con_id: int) -> int:
    setup = account.holdings[con_id].setup
    return setup.reported_times if setup else 1


def _duplicate(client_id: int, req_id: int) -> list[Delivery]:
    text = "Error processing request.-'bN' : cause - Duplicate ticker id"
    return complain(client_id, req_id, 322, text)
