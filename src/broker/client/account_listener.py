"""What the broker says about the account: positions, portfolio rows, figures.

The figures come as the download of one account, as the rows of a reqAccountUpdatesMulti, or as a
summary. The rows of the first go into the book at once, those of the others to who asked.
"""

# ruff: noqa: N802, N803, D102, PLR0913, PLR0917, ARG002 - names and arguments of the library

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ib_async.wrapper import Wrapper

from src.broker.client import convert
from src.broker.client.account_book import AccountBook, FigureRow, PositionRow
from src.broker.client.replies import Replies

if TYPE_CHECKING:
    from ib_async.contract import Contract
    from ib_async.ib import IB

POSITIONS: Final = "positions"
ACCOUNT_VALUES: Final = "accountValues"


class AccountListener(Wrapper):
    """Receives the messages about accounts; each row goes into the book of its own account.

    ``positions_ended`` and ``download_ended`` are set by the End of the list of all positions and
    of an account's download, ``feed_taken`` once the gateway says that another program holds the
    subscription of a different account (2101).
    """

    def __init__(self, ib: IB, accounts: Iterable[str]) -> None:
        super().__init__(ib)
        self.replies = Replies()
        self.books = {account: AccountBook(account) for account in accounts}
        self.positions_ended = asyncio.Event()
        self.download_ended = asyncio.Event()
        self.feed_taken = asyncio.Event()

    def position(self, account: str, contract: Contract, posSize: float, avgCost: float) -> None:
        row = convert.held_row(contract, posSize, avg_cost=convert.known(avgCost))
        if account in self.books:
            self.books[account].add_position(account, row)

    def positionEnd(self) -> None:
        for book in self.books.values():
            book.has_positions = True
        self.positions_ended.set()
        self.end_startup_positions()
        self.replies.finish(POSITIONS)

    def end_startup_positions(self) -> None:
        """Let the library's own connecting go on, which waits for the list of all positions."""
        self._endReq(POSITIONS)

    def positionMulti(
        self,
        reqId: int,
        account: str,
        modelCode: str,
        contract: Contract,
        pos: float,
        avgCost: float,
    ) -> None:
        row = convert.held_row(contract, pos, avg_cost=convert.known(avgCost))
        self.replies.add(reqId, PositionRow(account, row))

    def positionMultiEnd(self, reqId: int) -> None:
        self.replies.finish(reqId)

    def updateAccountValue(self, tag: str, val: str, currency: str, account: str) -> None:
        if account in self.books:
            self.books[account].add_value(account, tag, currency, val)

    def updatePortfolio(
        self,
        contract: Contract,
        posSize: float,
        marketPrice: float,
        marketValue: float,
        averageCost: float,
        unrealizedPNL: float,
        realizedPNL: float,
        account: str,
    ) -> None:
        row = convert.held_row(
            contract,
            posSize,
            avg_cost=convert.known(averageCost),
            price=convert.exact(marketPrice),
            value=convert.known(marketValue),
        )
        if account in self.books:
            self.books[account].add_portfolio(account, row)

    def accountDownloadEnd(self, _account: str) -> None:
        for book in self.books.values():  # only one is ever downloaded
            book.has_values = True
        self.download_ended.set()
        self.end_startup_download()
        self.replies.finish(ACCOUNT_VALUES)

    def end_startup_download(self) -> None:
        """Let the library's own connecting go on, which waits for the download."""
        self._endReq(ACCOUNT_VALUES)

    def accountUpdateMulti(
        self, reqId: int, account: str, _modelCode: str, tag: str, val: str, currency: str
    ) -> None:
        self.replies.add(reqId, FigureRow(account, tag, currency, val))

    def accountUpdateMultiEnd(self, reqId: int) -> None:
        self.replies.finish(reqId)

    def accountSummary(self, reqId: int, account: str, tag: str, value: str, currency: str) -> None:
        self.replies.add(reqId, FigureRow(account, tag, currency, value))

    def accountSummaryEnd(self, reqId: int) -> None:
        self.replies.finish(reqId)
