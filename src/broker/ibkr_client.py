"""One session with TWS or IB Gateway: connect, read, and with a permit open the order desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from src.base.errors import Refused
from src.base.settings import ContractChoices, IbkrSettings
from src.base.waits import Waits
from src.broker.reading.connection import BrokerConnection
from src.broker.reading.market_reader import MarketReader

if TYPE_CHECKING:
    from src.broker.ports import HeadStart
    from src.broker.sending.cancel_desk import CancelDesk
    from src.broker.sending.order_desk import IbkrOrderDesk
    from src.broker.sending.what_if_desk import WhatIfDesk
    from src.core.costs.what_if_permit import WhatIfPermit
    from src.core.permission.cancel_permit import CancelPermit
    from src.core.permission.permit import TradePermit


class IbkrSession(MarketReader):
    """The read side of a connected session, and the only door to an order desk."""

    def __init__(
        self,
        connection: BrokerConnection,
        *,
        trading: bool,
        settings: IbkrSettings | None = None,
    ) -> None:
        super().__init__(connection, (settings.account_id,) if settings else ())
        self._trading = trading
        self.settings = settings or connection.settings
        """The connection settings in force (with the simulated gateway: its own)."""

    def of(self, ibkr: IbkrSettings) -> IbkrSession:
        """This session for one account alone, with what its settings allow."""
        own = self.settings._replace(
            account_id=ibkr.account_id, read_only=ibkr.read_only, allow_live=ibkr.allow_live
        )
        return IbkrSession(self._connection, trading=self._trading, settings=own)

    @property
    def waits(self) -> Waits:
        """What is waited for just now."""
        return self._connection.waits

    def open_order_desk(self, permit: TradePermit) -> IbkrOrderDesk:
        """The write side, for exactly the plan of the permit.

        Raises: Refused when this session is read-only, was not opened for trading, or when the
        permit names another account.
        """
        from src.broker.sending.order_desk import IbkrOrderDesk
        from src.core.permission.permit import TradePermit

        self._check_permit(permit.account_id)
        if not isinstance(permit, TradePermit):
            raise Refused("what was given is no permit to trade: no order desk")
        if self._connection.desk_account:
            raise Refused("an order desk is open already: one approval, one desk")
        return IbkrOrderDesk(self._connection, permit)

    def open_what_if_desk(self, permit: WhatIfPermit) -> WhatIfDesk:
        """The way to ask what the orders of the permit would cost, in any session; none is placed.

        Raises: Refused when an order desk is open, or the permit names another account.
        """
        from src.broker.sending.what_if_desk import WhatIfDesk

        self._check_account(permit.account_id)
        if self._connection.desk_account:
            raise Refused("an order desk is open: what orders cost is asked before it")
        return WhatIfDesk(self._connection, permit)

    def open_cancel_desk(self, permit: CancelPermit) -> CancelDesk:
        """The way to end exactly the orders of the permit; nothing can be placed through it.

        Raises: Refused as ``open_order_desk``, and when another client placed the orders.
        """
        from src.broker.sending.cancel_desk import CancelDesk

        self._check_permit(permit.account_id)
        if permit.client_id != self.settings.client_id:
            raise Refused(f"client {permit.client_id} placed the orders, and it alone cancels them")
        if self._connection.desk_account or self._connection.may_cancel:
            raise Refused("a desk is open already: one approval, one desk")
        return CancelDesk(self._connection, permit)

    def _check_permit(self, account_id: str) -> None:
        if not self._trading or self.settings.read_only:
            raise Refused("this session is for reading only: no order desk")
        self._check_account(account_id)

    def _check_account(self, account_id: str) -> None:
        if self.accounts != (account_id,):
            raise Refused(f"the approval is for account {account_id}, which is not this session's")


@asynccontextmanager
async def connect(
    settings: IbkrSettings,
    *accounts: str,
    contracts: ContractChoices = MappingProxyType({}),
    trading: bool = False,
    head_start: HeadStart | None = None,
    waits: Waits | None = None,
) -> AsyncIterator[IbkrSession]:
    """A connected session with the account downloaded; closed at the end in every case.

    With several ``accounts`` it reads them all; ``of`` gives the session of each. ``contracts``
    says which instrument a ticker means; ``head_start`` is done while the gateway answers;
    ``waits`` is told what is waited for.
    Raises: BrokerLost with what to check; Refused when no account is in the login.
    """
    connection = BrokerConnection(settings, contracts, waits, accounts=accounts)
    async with _opened(connection, head_start):
        yield IbkrSession(connection, trading=trading)


@asynccontextmanager
async def connect_to_look(
    settings: IbkrSettings,
    *accounts: str,
    contracts: ContractChoices = MappingProxyType({}),
    waits: Waits | None = None,
) -> AsyncIterator[MarketReader]:
    """Like ``connect``, but what is yielded has no door to an order desk at all.

    The accounts are read in the way that disturbs no run beside this one.
    Raises: as ``connect``.
    """
    connection = BrokerConnection(settings, contracts, waits, accounts=accounts, by_multi=True)
    async with _opened(connection, None):
        yield MarketReader(connection)


@asynccontextmanager
async def _opened(
    connection: BrokerConnection, head_start: HeadStart | None
) -> AsyncIterator[None]:
    try:
        if head_start is None:
            await connection.open()
        else:
            imports = asyncio.to_thread(head_start.imports)
            await asyncio.gather(connection.open(head_start.symbols), imports)
        yield
    finally:
        connection.close()
