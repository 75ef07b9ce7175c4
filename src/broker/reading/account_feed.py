"""Reading accounts: one by its download where that ends, else by positions and multi requests.

A gateway may never end the download of an account (a linked one of the same login), or refuse it
because another program follows a different account (2101). The download goes first, since it alone
brings the account's own prices. After a share of the time, or at once where the gateway says why,
the figures are asked beside it by reqAccountUpdatesMulti, and what ends first counts. From then on
this connection asks that way only; for several accounts it does so from the start, as only one can
be downloaded at a time. The list of all positions is replaced in the same way, by a request for
each account, in a login of several.

Source: SRS F-109, F-110, R-210.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from src.base.errors import BrokerLost
from src.broker.client.account_book import AccountBook, FigureRow, PositionRow
from src.broker.client.account_listener import ACCOUNT_VALUES, POSITIONS
from src.broker.client.notices import Topic
from src.broker.client.replies import AnswerRefused
from src.broker.reading.account_kind import AccountKind
from src.core.orders.codes import FEED_TAKEN_ADVICE

if TYPE_CHECKING:
    from src.broker.reading.ib_link import Link

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PATIENCE: Final = 0.3
_PATIENCE_AMONG_SEVERAL: Final = 0.1
"""The share of the time that a download has for itself; less in a login of several accounts."""

_MOST_IN_ONE_LIST: Final = 50
"""In a login of more accounts the broker does not list the positions of all at once."""


class AccountFeed:
    """Reads accounts over one link, and remembers which way that works.

    ``downloaded`` is the account whose download the library's own connecting asks for; empty when
    there are several, or with ``by_multi``: a download would disturb another program's.
    """

    def __init__(self, link: Link, accounts: Sequence[str], *, by_multi: bool = False) -> None:
        self._link = link
        self._accounts = tuple(accounts)
        self._uses_multi = by_multi or len(accounts) > 1
        self._asks_apart = False
        self._multi_ids: dict[str, int] = {}
        self._kind = AccountKind(link)

    @property
    def downloaded(self) -> str:
        """See the class."""
        return "" if self._uses_multi else self._accounts[0]

    async def read_afresh(self, accounts: Sequence[str]) -> None:
        """Ask for positions and figures from scratch; rows of before are forgotten.

        Why the figures of an account could not be read stands in its book.
        Raises: BrokerLost for what concerns them all.
        """
        await self._link.wait_upstream()
        for account in accounts:
            self._link.listener.books[account] = AccountBook(account)
        positions = _begin(self._positions(accounts))
        figures = _begin(self._figures_of_all(accounts))
        try:
            await asyncio.gather(positions, figures)
        finally:
            await _end(positions, figures)

    async def help_opening(self) -> None:
        """Beside the library's own start-up: ask what it does not ask, replace what has no end."""
        listener = self._link.listener
        await self._link.client.logged_in.wait()
        listed = _begin(listener.positions_ended.wait())
        positions = _begin(self._first_list(listed, self._readable()))
        try:
            if self._uses_multi:
                await self._figures_of_all(self._readable())
            else:
                await self._help_download()
            await positions
        finally:
            await _end(positions, listed)

    async def _help_download(self) -> None:
        download = _begin(self._link.listener.download_ended.wait())
        try:
            await self._first_download(download)
        except BrokerLost as error:
            log.info("account figures by multi not available reason=%s", error)
        finally:
            await _end(download)

    async def opened(self, helping: Awaitable[None]) -> None:
        """Wait for what the library did not ask; what became of it stands in the books.

        Raises: BrokerLost when the connection is gone.
        """
        if self._uses_multi:
            await helping

    def _readable(self) -> list[str]:
        return [one for one in self._accounts if one not in self._link.client.unusable]

    # --- positions --------------------------------------------------------------------------

    async def _positions(self, accounts: Sequence[str]) -> None:
        listed = _begin(self._ask("positions", POSITIONS, self._link.client.reqPositions))
        try:
            await self._first_list(listed, accounts)
        finally:
            await _end(listed)

    async def _first_list(self, listed: asyncio.Task[Any], accounts: Sequence[str]) -> None:
        """The list of all positions, or in a login of several those of each account.

        Raises: BrokerLost when neither comes.
        """
        among = len(self._link.accounts)
        if among == 1:
            await listed
            return
        self._asks_apart = self._asks_apart or among > _MOST_IN_ONE_LIST
        if not self._asks_apart:
            await asyncio.wait({listed}, timeout=self._patience_sec)
            if listed.done() and not listed.exception():
                return
        apart = _begin(self._positions_apart(accounts))
        try:
            await asyncio.wait({listed, apart}, return_when=asyncio.FIRST_COMPLETED)
            if not listed.done() or listed.exception() is not None:
                await apart
                self._asks_apart = True
                self._link.listener.end_startup_positions()
        finally:
            await _end(apart)

    async def _positions_apart(self, accounts: Sequence[str]) -> None:
        found = await asyncio.gather(*(self._positions_of(one) for one in accounts))
        for account, rows in zip(accounts, found, strict=True):
            self._link.listener.books[account].use_positions(rows)

    async def _positions_of(self, account: str) -> list[PositionRow]:
        client, request_id = self._link.client, self._link.new_request_id()
        try:
            return await self._ask(
                "positions", request_id, lambda: client.reqPositionsMulti(request_id, account, "")
            )
        finally:
            if client.isConnected():
                client.cancelPositionsMulti(request_id)

    # --- figures ----------------------------------------------------------------------------

    async def _figures_of_all(self, accounts: Sequence[str]) -> None:
        await asyncio.gather(*(self._figures_or_why_not(one) for one in accounts))

    async def _figures_or_why_not(self, account: str) -> None:
        try:
            await self._figures(account)
        except BrokerLost as error:
            if self._link.listener.closed.is_set():
                raise
            self._link.listener.books[account].failure = error

    async def _figures(self, account: str) -> None:
        if self._uses_multi:
            self._take(account, await self._multi_rows(account))
            return
        download = _begin(self._ask("account values", ACCOUNT_VALUES, self._subscribe_again))
        try:
            await self._first_download(download)
        finally:
            await _end(download)

    async def _first_download(self, download: asyncio.Task[Any]) -> None:
        """The download, or after a while the multi request, whichever is complete first.

        Raises: BrokerLost when neither comes.
        """
        if await self._ends_by_itself(download):
            download.result()
            return
        account = self._accounts[0]
        multi = _begin(self._multi_rows(account))
        try:
            await asyncio.wait({download, multi}, return_when=asyncio.FIRST_COMPLETED)
            if not download.done() and multi.exception() is not None:
                await asyncio.wait({download})
            if not download.done() or download.exception() is not None:
                self._take(account, await multi)
        finally:
            await _end(multi)

    @property
    def _patience_sec(self) -> float:
        several = len(self._link.accounts) > 1
        share = _PATIENCE_AMONG_SEVERAL if several else _PATIENCE
        return share * self._link.timeout_sec

    async def _ends_by_itself(self, asked: asyncio.Task[Any]) -> bool:
        taken = _begin(self._link.listener.feed_taken.wait())
        try:
            await asyncio.wait(
                {asked, taken},
                timeout=self._patience_sec,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            await _end(taken)
        return asked.done()

    async def _multi_rows(self, account: str) -> list[FigureRow]:
        """All figures by a request of its own, which replaces the one before it."""
        client = self._link.client
        before, request_id = self._multi_ids.get(account, 0), self._link.new_request_id()
        self._multi_ids[account] = request_id

        def send() -> None:
            if before:
                client.cancelAccountUpdatesMulti(before)
            client.reqAccountUpdatesMulti(
                request_id, account, "", False  # noqa: FBT003 - the library's
            )

        rows: list[FigureRow] = await self._ask("account values", request_id, send)
        return rows + await self._kind.missing_from(account, {row.key for row in rows})

    def _take(self, account: str, rows: Iterable[FigureRow]) -> None:
        """Make these the book's figures; what an unfinished download brought is completed by them.

        Its portfolio rows are dropped: nobody knows how many are missing.
        """
        listener, book = self._link.listener, self._link.listener.books[account]
        if not self._uses_multi:
            log.info("account download without end, figures are asked by reqAccountUpdatesMulti")
        self._uses_multi = True
        book.use_multi(rows)
        if listener.feed_taken.is_set():
            book.warnings.append(f"{FEED_TAKEN_ADVICE}: the account's own prices are not known")
        listener.end_startup_download()

    def _subscribe_again(self) -> None:
        """End our account subscription and begin another.

        Some gateways answer a second one beside the first with nothing at all, others in full.
        """
        link = self._link
        link.listener.notices.unsubscribed()
        link.client.reqAccountUpdates(False, self._accounts[0])  # noqa: FBT003 - the library's
        link.client.reqAccountUpdates(True, self._accounts[0])  # noqa: FBT003 - likewise

    async def _ask(
        self, what: str, key: int | str, send: Any  # noqa: ANN401 - a method of the library
    ) -> list[Any]:
        try:
            return await self._link.ask(what, key, send, Topic.ACCOUNT)
        except AnswerRefused as refusal:
            raise BrokerLost(
                f"the broker declined to send {what}: {refusal}; run again"
            ) from refusal


def _begin(work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
    """Work beside other work; a failure that nobody waits for any more is no bug."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda one: one.cancelled() or one.exception())
    return task


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Leave nothing running."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
