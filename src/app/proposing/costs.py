"""Ask the broker what a plan will cost, and watch that no question becomes an order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from src.base.money import ONE
from src.core.costs.what_if import READ_ONLY, PlanCosts
from src.core.costs.what_if_permit import permit_what_ifs
from src.core.permission.permit import trading_obstacles

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from decimal import Decimal

    from src.app.proposing.planning import LiveProposal
    from src.base.settings import Settings
    from src.broker.ibkr_client import IbkrSession
    from src.core.permission.market_state import MarketState


@dataclass(slots=True, kw_only=True)
class CostAsker:
    """Asks for each plan of one account; ``at_least`` is the lowest order id that may be used."""

    session: IbkrSession
    settings: Settings
    at_least: int = 1
    _refuse_strays: Callable[[], Awaitable[None]] | None = field(default=None, init=False)

    async def asked(self, proposal: LiveProposal, now_utc: datetime) -> LiveProposal:
        """The proposal with what the broker says of it, judged again.

        Raises: Refused, BrokerLost, StrayOrder.
        """
        costs = PlanCosts(usd_per_base=_usd_per_base(proposal.state))
        if proposal.state.working_orders is None:  # nobody could see that one became an order
            costs = replace(costs, problem=READ_ONLY)
        elif proposal.plan.tickets:
            desk = self.session.open_what_if_desk(permit_what_ifs(proposal.plan))
            self._refuse_strays = desk.refuse_strays
            costs = replace(costs, tickets=await desk.ask(self.at_least))
        return self._judged(proposal, replace(proposal.state, costs=costs), now_utc)

    async def check(self) -> None:
        """Raises: StrayOrder when a question has become an order since."""
        if self._refuse_strays is not None:
            await self._refuse_strays()

    def _judged(
        self, proposal: LiveProposal, state: MarketState, now_utc: datetime
    ) -> LiveProposal:
        """What the guards say with the costs in place of what they said without."""
        plan, settings = proposal.plan, self.settings
        before = {one.text for one in trading_obstacles(plan, proposal.state, settings, now_utc)}
        found = trading_obstacles(plan, state, settings, now_utc)
        warnings = [one for one in proposal.warnings if one not in before]
        warnings += [one.text for one in found if one.is_warning]
        obstacles = [one.text for one in found if not one.is_warning]
        return replace(
            proposal,
            state=state,
            costs=state.costs,
            warnings=tuple(dict.fromkeys(warnings)),
            obstacles=tuple(dict.fromkeys(obstacles)),
        )


def _usd_per_base(state: MarketState) -> Decimal | None:
    base = state.snapshot.terms.base_currency
    return ONE if base == "USD" else state.snapshot.usd_per_unit.get(base)
