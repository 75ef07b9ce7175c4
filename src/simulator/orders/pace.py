"""How long an order takes to fill: a market order soonest, a MIDPRICE order perhaps not in time.

Source: IBKR's pages on the Adaptive algo (the patient one waits longest) and on MIDPRICE (fills
only where somebody meets it in the middle).
"""

from __future__ import annotations

from src.simulator.market.chance import draw
from src.simulator.orders.state import LiveOrder
from src.simulator.scenario.records import Scenario

_ADAPTIVE_SPREADS = {"Urgent": 0.5, "Normal": 1, "Patient": 2}
_FOR_DELAY, _FOR_MEETING = 1, 2


def usual_delay_sec(scenario: Scenario, live: LiveOrder) -> float:
    """The time to the next fill, where neither a rule nor a step of it says another.

    Without ``fill_spread_sec`` it is the same for all. A MIDPRICE order waits for a partner: half
    of them up to six spreads, one in fifty more than a hundred and fifty.
    """
    if not scenario.fill_spread_sec:
        return scenario.fill_delay_sec
    names = (scenario.seed, live.perm_id, live.next_step)
    spreads = draw(*names, _FOR_DELAY)
    if live.order.order_type == "MIDPRICE":
        spreads += 3 / max(draw(*names, _FOR_MEETING), 0.001)
    else:
        spreads += sum(_ADAPTIVE_SPREADS.get(param.value, 0) for param in live.order.algo_params)
    return scenario.fill_delay_sec + scenario.fill_spread_sec * spreads
