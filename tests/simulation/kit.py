"""A plain script around the market of the fault tests: sell AAA and BBB, buy CCC and DDD."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

from src.base.settings import ExecutionSettings, IbkrSettings, RebalanceSettings, Settings
from src.core.records.portfolios import ModelPortfolios
from src.simulator.scenario.records import Scenario
from tests.faults.market import ACCOUNT, CLIENT_ID
from tests.simulation.script import Invocation, Script

WEDNESDAY = datetime(2025, 7, 2, 14, 0, tzinfo=timezone.utc)
"""The day before Independence Day is short, the Friday is a holiday, then comes a weekend."""

_WEIGHTS = {"AAA": "0.25", "BBB": "0.10", "CCC": "0.30", "DDD": "0.30", "CASH": "0.05"}


def script(
    scenario: Scenario, *invocations: Invocation, execution: ExecutionSettings | None = None
) -> Script:
    column = {symbol: Decimal(weight) for symbol, weight in _WEIGHTS.items()}
    return Script(
        seed=1,
        start_utc=WEDNESDAY,
        scenario=scenario,
        portfolios=ModelPortfolios(
            models={"ONE": column}, symbols=("AAA", "BBB", "CCC", "DDD"), lines={}
        ),
        settings=Settings(
            ibkr=IbkrSettings(account_id=ACCOUNT, client_id=CLIENT_ID, read_only=False),
            models={"ONE": Decimal(1)},
            rebalance=RebalanceSettings(min_order_usd=Decimal(100)),
            execution=execution or ExecutionSettings(algo_preference="none"),
        ),
        invocations=invocations,
    )
