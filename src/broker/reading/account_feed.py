"""Reading the account: by its download where that ends, else by positions and a multi request.

A gateway may never end the download of an account (a linked one of the same login), or refuse it
because another program follows a different account (2101). The download goes first, since it alone
brings the account's own prices. After a share of the time, or at once where the gateway says why,
the figures are asked beside it by reqAccountUpdatesMulti, and what ends first counts. From then on
this connection asks that way only.

Source: SRS F-109, F-110.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from src.base.errors import BrokerLost
from src.broker.client.account_book import AccountBook, FigureRow
from src.broker.client.account_listener import ACCOUNT_VALUES, POSITIONS
from src.broker.client.notices import Topic
from src.broker.client.replies import AnswerRefused
from src.core.orders.codes import FEED_TAKEN_ADVICE

if TYPE_CHECKING:
    from src.broker.reading.ib_link import Link

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_PATIENCE: Final = 0.3
_PATIENCE_AMONG_SEVERAL: Final = 0.1
"""The share of the time that a download has for itself; less in a login of several accounts."""

_KIND: Final = "TradingType-S"
_FUNDS: Final = "AvailableFunds"
_KIND_TAGS: Final = "AccountType,TradingType-S,AvailableFunds,BuyingPower"


class AccountFeed:
    """Reads the account over one link, and remembers which way that works."""

    def __init__(self, link: Link, account_id: str, *, by_multi: bool = False) -> None:
        self._link = link
        self._account_id = account_id
        self._uses_multi = by_multi
        self._multi_id = 0
        self._kind_rows: list[FigureRow] | None = None

    async def read_afresh(self) -> None:
        """Ask for positions and figures from scratch; rows of before are forgotten.

        Raises: BrokerLost.
        """
        listener = self._link.listener
        await self._link.wait_upstream()
        listener.book = AccountBook(self._account_id)
        positions = _begin(self._ask("positions", POSITIONS, self._link.client.reqPositions))
        figures = _begin(self.read_figures())
        try:
            await asyncio.gather(positions, figures)
        finally:
            await _end(positions, figures)

    @property
    def uses_multi(self) -> bool:
        """True where no account download is asked for: it would disturb another program's."""
        return self._uses_multi

    async def help_opening(self) -> None:
        """Beside the library's own start-up: see to it that a download without end is replaced."""
        if self._uses_multi:
            return
        await self._link.client.logged_in.wait()
        download = _begin(self._link.listener.download_ended.wait())
        try:
            await self._first_to_end(download)
        except BrokerLost as error:
            log.info("account figures by multi not available reason=%s", error)
        finally:
            await _end(download)

    async def read_figures(self) -> None:
        """Ask for the figures alone. Raises: BrokerLost."""
        if self._uses_multi:
            self._take(await self._multi_rows())
            return
        download = _begin(self._ask("account values", ACCOUNT_VALUES, self._subscribe_again))
        try:
            await self._first_to_end(download)
        finally:
            await _end(download)

    async def _first_to_end(self, download: asyncio.Task[Any]) -> None:
        """The download, or after a while the multi request, whichever is complete first.

        Raises: BrokerLost when neither comes.
        """
        if await self._ends_by_itself(download):
            download.result()
            return
        multi = _begin(self._multi_rows())
        try:
            await asyncio.wait({download, multi}, return_when=asyncio.FIRST_COMPLETED)
            if not download.done() and multi.exception() is not None:
                await asyncio.wait({download})
            if not download.done() or download.exception() is not None:
                self._take(await multi)
        finally:
            await _end(multi)

    async def _ends_by_itself(self, download: asyncio.Task[Any]) -> bool:
        several = len(self._link.accounts) > 1
        share = _PATIENCE_AMONG_SEVERAL if several else _PATIENCE
        taken = _begin(self._link.listener.feed_taken.wait())
        try:
            await asyncio.wait(
                {download, taken},
                timeout=share * self._link.timeout_sec,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            await _end(taken)
        return download.done()

    async def _multi_rows(self) -> list[FigureRow]:
        """All figures by a request of its own, which replaces the one before it."""
        client = self._link.client
        before, request_id = self._multi_id, self._link.new_request_id()
        self._multi_id = request_id

        def send() -> None:
            if before:
                client.cancelAccountUpdatesMulti(before)
            client.reqAccountUpdatesMulti(
                request_id, self._account_id, "", False  # noqa: FBT003 - the library's
            )

        rows: list[FigureRow] = await self._ask("account values", request_id, send)
        told = {row.key for row in rows}
        if not {_KIND, _FUNDS} <= told:
            asked = await self._asked_kind(are_funds_told=_FUNDS in told)
            rows += [row for row in asked if row.key not in told]
        return rows

    async def _asked_kind(self, *, are_funds_told: bool) -> list[FigureRow]:
        """What kind of account it is and what it can spend, which the other rows may not say.

        The kind stays, so it is asked once a connection; funds change, so they are asked each time,
        unless the first question brought nothing.
        """
        book, known = self._link.listener.book, self._kind_rows
        if are_funds_told and any(key == _KIND for key, _ in book.values):
            return []
        if known is None or (known and not are_funds_told):
            without_funds = [row for row in known or () if row.key != _FUNDS]
            known = self._kind_rows = await self._summary_rows() or without_funds
        return known

    async def _summary_rows(self) -> list[FigureRow]:
        client, request_id = self._link.client, self._link.new_request_id()

        def send() -> None:
            client.reqAccountSummary(request_id, "All", _KIND_TAGS)

        try:
            rows: list[FigureRow] = await self._ask("the kind of account", request_id, send)
        except BrokerLost as error:
            log.info("kind of account not told reason=%s", error)
            return []
        finally:
            if client.isConnected():
                client.cancelAccountSummary(request_id)
        return rows

    def _take(self, rows: Iterable[FigureRow]) -> None:
        """Make these the book's figures; what an unfinished download brought is completed by them.

        Its portfolio rows are dropped: nobody knows how many are missing.
        """
        listener, book = self._link.listener, self._link.listener.book
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
        link.client.reqAccountUpdates(False, self._account_id)  # noqa: FBT003 - the library's
        link.client.reqAccountUpdates(True, self._account_id)  # noqa: FBT003 - likewise

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
