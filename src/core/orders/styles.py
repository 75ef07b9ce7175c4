"""How an order is sent: the settings' algo while regular trading hours last, else plain market."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from src.base.settings import AlgoPreference, ExecutionSettings, TradingHours
from src.core.calendar.sessions import is_open
from src.core.records.market import Listing
from src.core.records.orders import OrderStyle

_STYLES: Final[dict[AlgoPreference, OrderStyle]] = {
    "adaptive": OrderStyle.ADAPTIVE,
    "midprice": OrderStyle.MIDPRICE,
    "none": OrderStyle.PLAIN,
}


def choose_style(
    execution: ExecutionSettings, hours: TradingHours, listing: Listing | None, at_utc: datetime
) -> tuple[OrderStyle, bool]:
    """How to send an order now, by the gateway's clock, and whether outside regular hours too.

    Outside regular hours algos do not work, so the order goes as plain market.
    """
    outside_rth = hours == "eth"
    preferred = _STYLES[execution.algo_preference]
    if not outside_rth or listing is None:
        return preferred, outside_rth
    is_regular = is_open(listing.regular_sessions, at_utc)
    return (preferred if is_regular else OrderStyle.PLAIN), outside_rth
