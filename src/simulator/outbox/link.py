"""The gateway's link to the broker and its data farms.

While the link is lost, clients are not told what happens. The state of each farm greets a client.
"""

from __future__ import annotations

from src.simulator.messages.responses import ErrorMessage
from src.simulator.outbox.delivery import SYSTEM_ID, Delivery

LINK_TEXTS = {
    1100: "Connectivity between IBKR and Trader Workstation has been lost.",
    1101: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    1102: "Connectivity between IBKR and Trader Workstation has been restored - data maintained.",
    2110: "Connectivity between Trader Workstation and server is broken. It will be restored"
    " automatically.",
}


_FARM_TEXTS = {
    2104: "Market data farm connection is OK:usfarm",
    2106: "HMDS data farm connection is OK:ushmds",
    2158: "Sec-def data farm connection is OK:secdefil",
}
_FARM_OF = {2103: 2104, 2108: 2104, 2119: 2104, 2105: 2106, 2107: 2106, 2157: 2158}


class Farms:
    """What was last said about each data farm."""

    def __init__(self) -> None:
        self._words = {code: (code, text) for code, text in _FARM_TEXTS.items()}

    def hear(self, code: int, text: str) -> None:
        """A message that may be about a farm."""
        farm = _FARM_OF.get(code, code)
        if farm in self._words:
            self._words[farm] = code, text

    def greeting(self) -> list[tuple[int, str]]:
        """Code and text about each farm, for a client that has just connected."""
        return list(self._words.values())


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
