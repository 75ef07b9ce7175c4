"""A real paper account behind TWS or IB Gateway: read it, and trade one share.

Run by hand, while the market is open, with config/settings.local.ini naming the paper account:
``pytest -q -m integration``. The second test buys one share of a cheap gold ETF.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from src.app.proposing.inputs import Books, Inputs
from src.app.proposing.market_reading import manage, price, read_market
from src.app.proposing.planning import market_state
from src.app.proposing.session import open_session
from src.base.accounts import is_paper_account
from src.base.settings import Settings
from src.broker.execution import ExecutionRun, execute
from src.broker.ibkr_client import IbkrSession
from src.broker.ports import OrderDesk
from src.core.drift import measure_drift
from src.core.orders.ref import make_run_id, order_prefix
from src.core.permission.permit import Answer, TradePermit, grant_permit
from src.core.plan_hash import hash_plan
from src.core.records.orders import Side, TicketStatus
from src.core.records.plan import OrderTicket, Targets, TradePlan, Valuation
from src.core.records.portfolios import CASH, ModelPortfolios
from src.core.running.parts import Run, Terms
from src.core.valuation import trade_on_paper, value_account
from src.io.config_loader import load_settings
from src.io.journal.db import open_journal

pytestmark = pytest.mark.integration

SETTINGS = Path("config/settings.local.ini")
SAFE_ETF = "IAU"
ONE = Decimal(1)


@asynccontextmanager
async def paper_session(*, trading: bool) -> AsyncIterator[tuple[IbkrSession, Settings]]:
    settings = load_settings(SETTINGS)
    assert is_paper_account(settings.ibkr.account_id), "integration tests trade on paper only"
    settings = settings._replace(ibkr=settings.ibkr._replace(read_only=not trading))
    async with open_session(settings, trading=trading) as session:
        yield session, settings


def test_positions_and_cash_can_be_read() -> None:
    async def read() -> None:
        async with paper_session(trading=False) as (session, settings):
            snapshot = await session.fetch_snapshot()
            assert snapshot.account_id == settings.ibkr.account_id
            assert all(one.qty_shares > 0 and one.con_id > 0 for one in snapshot.positions)
            assert await session.known_symbols([SAFE_ETF])

    asyncio.run(read())


def test_one_share_is_bought_and_followed_to_its_end(tmp_path: Path) -> None:
    result = asyncio.run(_buy_one_share(tmp_path))
    (outcome,) = result.outcomes
    assert outcome.status is TicketStatus.FILLED, outcome.error
    assert sum(fill.qty_shares for fill in outcome.fills) == ONE
    assert result.orders_sent == 1


async def _buy_one_share(tmp_path: Path) -> Run:
    now = datetime.now(timezone.utc)
    async with paper_session(trading=True) as (session, settings):
        inputs = _inputs(settings)
        held = manage(await session.fetch_snapshot(), inputs)
        (reading,) = await read_market(session, [held])
        prices = price(reading, inputs, now)
        state = market_state(
            session, reading, prices, Books(order_prefix=order_prefix(is_simulated=False))
        )
        con_ids = {symbol: one.con_id for symbol, one in reading.listings.items()}
        account = value_account(reading.snapshot, prices, con_ids)
        plan = _one_share_plan(account=account, con_id=con_ids[SAFE_ETF], targets=inputs.targets)
        answer = Answer(text="y", run_id=make_run_id(now, "it"), plan_hash=plan.plan_hash)
        permit = grant_permit(answer, plan, state, settings, now)
        assert isinstance(permit, TradePermit)
        with open_journal(tmp_path / "journal.sqlite3", account.account_id) as journal:
            desk = session.open_order_desk(permit)

            async def reconnect() -> OrderDesk:
                await desk.reconnect()
                return desk

            terms = Terms(
                plan=plan,
                permit=permit,
                settings=settings,
                before=reading.snapshot,
                listings=reading.listings,
                client_id=desk.client_id,
            )
            run = ExecutionRun(terms=terms, journal=journal, reconnect=reconnect)
            return await execute(run, desk)


def _inputs(settings: Settings) -> Inputs:
    """A model of the one ETF, so that it is looked up and priced; nothing is planned from it."""
    weights = {SAFE_ETF: ONE, CASH: Decimal(0)}
    return Inputs(
        settings=settings,
        portfolios=ModelPortfolios(models={"TEST": weights}, symbols=(SAFE_ETF,), lines={}),
        targets=Targets(weights=weights),
    )


def _one_share_plan(*, account: Valuation, con_id: int, targets: Targets) -> TradePlan:
    price_usd = account.holdings[SAFE_ETF].price_usd
    ticket = OrderTicket(
        con_id=con_id,
        symbol=SAFE_ETF,
        side=Side.BUY,
        qty_shares=ONE,
        est_price_usd=price_usd,
        est_value_usd=price_usd,
    )
    after = trade_on_paper(account, {SAFE_ETF: ONE})
    return TradePlan(
        account_id=account.account_id,
        tickets=(ticket,),
        skipped=(),
        before=account,
        after=after,
        drift_before=measure_drift(account, targets),
        drift_after=measure_drift(after, targets),
        cash_floor_usd=Decimal(0),
        plan_hash=hash_plan(account, (ticket,), Decimal(0)),
    )
