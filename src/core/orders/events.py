"""What the broker (or the clock, or the user) tells us about orders: evidence, never inference.

Each record repeats one raw message of the broker. A library's local conclusions (such as "any
error on an order means cancelled") are not events. ``order_id`` lives for one API session and is
only unique together with ``client_id``; ``perm_id`` is the broker's lasting number (0: not known
yet); ``order_ref`` is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Union

from src.core.records.orders import Fill, ForeignAmount, WorkingOrder

RECOVERY_SEC: Final = 120
"""How long a lost connection, of either kind, is waited for while orders work: a gateway that
restarts in the night is away for 33 to 80 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrderSeen:
    """An openOrder message, pushed or asked for."""

    order: WorkingOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSeen:
    """An orderStatus message. It carries no orderRef."""

    order_id: int
    client_id: int
    perm_id: int
    status: str
    filled_shares: Decimal
    why_held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSeen:
    """An execDetails message; the same ``exec_id`` may come again."""

    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionSeen:
    """A commissionReport message, in USD or in another currency; neither: without an amount."""

    exec_id: str
    commission_usd: Decimal | None
    foreign_commission: ForeignAmount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderErrorSeen:
    """An error or notice message that names one of our order ids."""

    order_id: int
    code: int
    text: str


class LinkState(str, Enum):
    """The path to the broker: our socket to the gateway, and the gateway's line to IBKR."""

    UPSTREAM_LOST = "upstream lost"
    UPSTREAM_BACK = "upstream back"
    SOCKET_LOST = "socket lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSeen:
    """1100 / 1101 / 1102 or a closed socket.

    ``generation`` counts connections: what is said of an earlier one says nothing of the next.
    """

    state: LinkState
    code: int = 0
    text: str = ""
    generation: int = 0


BrokerEvent = Union[  # noqa: UP007 - a runtime alias that 3.10 can evaluate
    OpenOrderSeen, StatusSeen, FillSeen, CommissionSeen, OrderErrorSeen, LinkSeen
]
