"""The gateway's link to the broker: while it is lost, clients are not told what happens."""

from __future__ import annotations

from src.simulator.delivery import SYSTEM_ID, Delivery
from src.simulator.messages_responses import ErrorMessage

LINK_TEXTS = {
    1100: "Connectivity between IBKR and Trader Workstation has been lost.",
    1101: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    1102: "Connectivity between IBKR and Trader Workstation has been restored - data maintained.",
    2110: "Connectivity between Trader Workstation and server is broken. It will be restored"
    " automatically.",
}


class Link:
    """Holds back, or loses, what clients would be told while the link is down."""

    def __init__(self) -> None:
        self.is_down = False
        self._keeps = True
        self._held: list[Delivery] = []

    def lose(self, *, keep: bool) -> None:
        """From now on hold messages back; with ``keep`` they are delivered when it is restored."""
        self.is_down, self._keeps = True, keep

    def restore(self) -> list[Delivery]:
        """The link is back: what was held."""
        held, self._held, self.is_down = self._held, [], False
        return held

    def let_through(self, deliveries: list[Delivery]) -> list[Delivery]:
        """What may be told now; system messages always may."""
        if not self.is_down:
            return deliveries
        passing = [item for item in deliveries if _is_system(item)]
        if self._keeps:
            self._held += [item for item in deliveries if not _is_system(item)]
        return passing


def _is_system(item: Delivery) -> bool:
    return isinstance(item.message, ErrorMessage) and item.message.id == SYSTEM_ID
