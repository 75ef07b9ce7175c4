"""Guards about what the broker itself says of a plan: refusals, and too little excess liquidity.

Source: SRS R-421 and R-422. Every guard has the signature ``Guard`` and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from src.base.money import dollars
from src.base.settings import Settings
from src.core.permission.market_state import MarketState, Obstacle, obstacles
from src.core.records.orders import Side
from src.core.records.plan import TradePlan


def refused_by_broker(
    plan: TradePlan, state: MarketState, _settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """What the broker would not take forbids trading; of buys only where nothing is sold before.

    It checks each order against the account as it is now, where the money of the sells is missing.
    """
    return tuple(_refusals(plan, state))


def _refusals(plan: TradePlan, state: MarketState) -> Iterator[Obstacle]:
    if state.costs is None:
        return
    sells = any(one.side is Side.SELL for one in plan.tickets)
    for one in state.costs.tickets:
        if not one.refusal:
            continue
        text = f"the broker would refuse the {one.side.value} of {one.symbol}: {one.refusal}"
        if one.side is Side.BUY and sells:
            yield Obstacle(text=f"{text} (checked before the sells)", is_warning=True)
        else:
            yield Obstacle(text=f"{text}; add --skip {one.symbol} to leave it out")


def excess_liquidity(
    plan: TradePlan, state: MarketState, settings: Settings, _now: datetime
) -> tuple[Obstacle, ...]:
    """As much excess liquidity as the settings ask for is left; unknown counts as too little."""
    least_usd = settings.rebalance.min_excess_liquidity_usd
    if not (least_usd and plan.tickets):
        return ()
    rule = f"min_excess_liquidity_usd = {dollars(least_usd)}"
    if state.costs is None:
        text = f"{rule} is not checked here: --what-if asks the broker, --confirm always does"
        return (Obstacle(text=text, is_warning=True),)
    after_usd = state.costs.after.excess
    if after_usd is None:
        unknown = "the excess liquidity after the plan is unknown"
        return obstacles(f"{rule}, and {unknown}: run again in a minute, or set it to 0")
    if after_usd < least_usd:
        left = dollars(after_usd)
        return obstacles(
            f"excess liquidity would fall to {left}, below {rule}: trade less, or lower it"
        )
    return ()
