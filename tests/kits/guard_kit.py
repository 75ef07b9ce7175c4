"""A market in which nothing stands in the way, for tests of the guards to spoil one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from src.base.settings import ExecutionSettings, IbkrSettings, Settings
from src.core.orders.ref import PREFIX
from src.core.permission.market_state import MarketState
from src.core.records.account import AccountSnapshot
from src.core.records.market import Listing, Session
from src.core.records.orders import WorkingOrder
from tests.kits.builders import ACCOUNT, NOON_UTC, con_id, listing, price_book, snapshot
from tests.kits.journal_kit import PLAN, PRICES

REGULAR = Session(opens_utc=NOON_UTC - timedelta(hours=2), closes_utc=NOON_UTC + timedelta(hours=4))
EXTENDED = Session(
    opens_utc=NOON_UTC - timedelta(hours=8), closes_utc=NOON_UTC + timedelta(hours=8)
)
NEXT_DAY = Session(
    opens_utc=NOON_UTC + timedelta(hours=22), closes_utc=NOON_UTC + timedelta(hours=28)
)


def settings(
    *, allow_live: bool = False, account_id: str = ACCOUNT, **execution: object
) -> Settings:
    return Settings(
        ibkr=IbkrSettings(account_id=account_id, read_only=False, allow_live=allow_live),
        models={"ONE": Decimal(1)},
        execution=ExecutionSettings(**execution),  # type: ignore[arg-type]
    )


def open_listing(symbol: str) -> Listing:
    return replace(
        listing(symbol),
        regular_sessions=(REGULAR, NEXT_DAY),
        extended_sessions=(EXTENDED,),
    )


def held() -> AccountSnapshot:
    """The account that ``PLAN`` was made for, with a net liq of the broker's that agrees."""
    made = snapshot({"AAA": 100, "BBB": 150}, 2500)
    return replace(made, broker_net_liq_usd=PLAN.before.net_liq_usd)


def state(**changes: object) -> MarketState:
    calm = MarketState(
        managed_accounts=(ACCOUNT,),
        snapshot=held(),
        listings={symbol: open_listing(symbol) for symbol in PRICES},
        prices=price_book(PRICES),
        previous_closes={symbol: Decimal(price) for symbol, price in PRICES.items()},
        working_orders=(),
        plan_age_sec=Decimal(5),
        order_prefix=PREFIX,
    )
    return replace(calm, **changes)  # type: ignore[arg-type]


def order_of_others(symbol: str = "AAA", **changes: object) -> WorkingOrder:
    made = WorkingOrder(
        account_id=ACCOUNT,
        order_id=0,
        client_id=0,
        perm_id=77,
        order_ref="",
        con_id=con_id(symbol),
        symbol=symbol,
        side="SELL",
        qty_shares=Decimal(5),
        status="Submitted",
    )
    return replace(made, **changes)  # type: ignore[arg-type]
