"""Requests that are known and not served, and what answers them so that no caller waits on.

One with a request id gets error 322 under it: client libraries end the call (321, which TWS uses
for some of them, passes for a warning there). One without gets an empty list where a list is
the answer; a cancel of what was never begun, and news bulletins, of which there are none, get
nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple

from src.simulator.messages.responses import (
    AdvisorData,
    DepthExchanges,
    FamilyCodes,
    NewsProviders,
    Response,
    ScannerParameters,
)

CANNOT_SERVE = 322
NO_HISTORY = 162


class Unserved(NamedTuple):
    """Name of a request, which field is its request id (or 0), and the error's code.

    ``instead`` is answered in place of an error; ``is_silent``: nothing is.
    """

    name: str
    id_index: int = 0
    code: int = CANNOT_SERVE
    instead: Response | None = None
    is_silent: bool = False


def _cancel(name: str) -> Unserved:
    return Unserved(name, is_silent=True)


UNSERVED: Mapping[int, Unserved] = {
    10: Unserved("reqMktDepth", 2),
    11: _cancel("cancelMktDepth"),
    12: Unserved("reqNewsBulletins", is_silent=True),
    13: _cancel("cancelNewsBulletins"),
    18: Unserved("requestFA", instead=AdvisorData()),
    19: Unserved("replaceFA", 4),
    20: Unserved("reqHistoricalData", 1, NO_HISTORY),
    21: Unserved("exerciseOptions", 2),
    22: Unserved("reqScannerSubscription", 1),
    23: _cancel("cancelScannerSubscription"),
    24: Unserved("reqScannerParameters", instead=ScannerParameters()),
    25: _cancel("cancelHistoricalData"),
    50: Unserved("reqRealTimeBars", 2),
    51: _cancel("cancelRealTimeBars"),
    52: Unserved("reqFundamentalData", 2),
    53: _cancel("cancelFundamentalData"),
    54: Unserved("calculateImpliedVolatility", 2),
    55: Unserved("calculateOptionPrice", 2),
    56: _cancel("cancelCalculateImpliedVolatility"),
    57: _cancel("cancelCalculateOptionPrice"),
    65: Unserved("verifyRequest"),
    66: Unserved("verifyMessage"),
    67: Unserved("queryDisplayGroups", 2),
    68: Unserved("subscribeToGroupEvents", 2),
    69: Unserved("updateDisplayGroup", 2),
    70: _cancel("unsubscribeFromGroupEvents"),
    72: Unserved("verifyAndAuthRequest"),
    73: Unserved("verifyAndAuthMessage"),
    78: Unserved("reqSecDefOptParams", 1),
    79: Unserved("reqSoftDollarTiers", 1),
    80: Unserved("reqFamilyCodes", instead=FamilyCodes()),
    82: Unserved("reqMktDepthExchanges", instead=DepthExchanges()),
    83: Unserved("reqSmartComponents", 1),
    84: Unserved("reqNewsArticle", 1),
    85: Unserved("reqNewsProviders", instead=NewsProviders()),
    86: Unserved("reqHistoricalNews", 1),
    87: Unserved("reqHeadTimestamp", 1, NO_HISTORY),
    88: Unserved("reqHistogramData", 1),
    89: _cancel("cancelHistogramData"),
    90: _cancel("cancelHeadTimestamp"),
    92: Unserved("reqPnL", 1),
    93: _cancel("cancelPnL"),
    94: Unserved("reqPnLSingle", 1),
    95: _cancel("cancelPnLSingle"),
    96: Unserved("reqHistoricalTicks", 1),
    97: Unserved("reqTickByTickData", 1),
    98: _cancel("cancelTickByTickData"),
    100: Unserved("reqWshMetaData", 1),
    101: _cancel("cancelWshMetaData"),
    102: Unserved("reqWshEventData", 1),
    103: _cancel("cancelWshEventData"),
    104: Unserved("reqUserInfo", 1),
}
