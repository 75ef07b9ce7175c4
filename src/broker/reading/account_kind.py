"""What kind an account is and what it can spend, asked by summary where nothing else told it.

The kind stays, so it is asked once a connection; funds change, so they are asked each time, unless
the first question brought nothing. One question serves all accounts.

Source: SRS F-110, R-210.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from src.base.errors import BrokerLost
from src.broker.client.account_book import FigureRow
from src.broker.client.notices import Topic
from src.broker.client.replies import AnswerRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from src.broker.reading.ib_link import Link

log = logging.getLogger(__name__)

_KIND: Final = "TradingType-S"
_FUNDS: Final = "AvailableFunds"
_TAGS: Final = "AccountType,TradingType-S,AvailableFunds,BuyingPower"


class AccountKind:
    """Asks over one link, and remembers what stays."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: list[FigureRow] | None = None
        self._asking: asyncio.Task[list[FigureRow]] | None = None

    async def missing_from(self, account: str, told: Collection[str]) -> list[FigureRow]:
        """What the figures of these keys do not say; nothing where they say all."""
        is_known = any(key == _KIND for key, _ in self._link.listener.books[account].values)
        if _FUNDS in told and (_KIND in told or is_known):
            return []
        rows = await self._rows(are_funds_told=_FUNDS in told)
        return [row for row in rows if row.key not in told]

    async def _rows(self, *, are_funds_told: bool) -> list[FigureRow]:
        known = self._known
        if known is None or (known and not are_funds_told):
            without_funds = [row for row in known or () if row.key != _FUNDS]
            known = self._known = await self._shared_answer() or without_funds
        return known

    async def _shared_answer(self) -> list[FigureRow]:
        """Who asks while the question is under way waits for the same answer."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._ask())
            self._asking.add_done_callback(self._forget)
        return await asyncio.shield(self._asking)

    def _forget(self, _done: asyncio.Task[list[FigureRow]]) -> None:
        self._asking = None

    async def _ask(self) -> list[FigureRow]:
        client, request_id = self._link.client, self._link.new_request_id()

        def send() -> None:
            client.reqAccountSummary(request_id, "All", _TAGS)

        try:
            return await self._link.ask("the kind of account", request_id, send, Topic.ACCOUNT)
        except (AnswerRefused, BrokerLost) as error:
            log.info("kind of account not told reason=%s", error)
            return []
        finally:
            if client.isConnected():
                client.cancelAccountSummary(request_id)
