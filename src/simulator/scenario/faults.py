"""Scenario records for trouble that is not about one order: the wire, the link, timed events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from src.simulator.scenario.calendar import check_zone
from src.simulator.scenario.contracts import REFUSAL_CODES

_MASTER_ID = re.compile(r"D[FI][0-9]{4,9}A?")
_OF_A_CONTRACT = ("price", "halt", "data_refused", "data_back", "position", "order")


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFaults:
    """Faults of connection and bytes; counts are per server, messages are counted from 1.

    ``latency_sec`` delays every response, order kept. ``close_before_request`` drops the connection
    on receiving that request, unhandled; ``close_after_request`` handles it and sends nothing back.
    ``stall_after_*`` keeps the socket open and says nothing any more. ``silent_messages`` names
    responses never sent. ``accept_only``: ``tcp`` never answers the handshake, ``handshake``
    answers it and then nothing. ``*_response`` numbers are cut, garbled, or given a false length.
    ``answered_with`` maps a request's name to the code of an error that answers it in place of the
    answer. ``only_order_messages``: the request counters count placeOrder and cancelOrder only.
    """

    latency_sec: float = 0
    close_before_request: tuple[int, ...] = ()
    close_after_request: tuple[int, ...] = ()
    close_before_response: tuple[int, ...] = ()
    close_after_response: tuple[int, ...] = ()
    stall_after_request: int | None = None
    stall_after_response: int | None = None
    silent_messages: tuple[str, ...] = ()
    answered_with: Mapping[str, int] = field(default_factory=dict)
    accept_only: Literal["tcp", "handshake"] | None = None
    truncate_response: int | None = None
    garbage_response: int | None = None
    bad_length_response: int | None = None
    duplicate_messages: tuple[str, ...] = ()
    reorder_messages: tuple[tuple[str, str], ...] = ()
    server_version: int = 178
    only_order_messages: bool = False
    pacing_limit: int = 50
    pacing_action: Literal["error", "disconnect", "queue"] = "error"

    def __post_init__(self) -> None:
        if self.latency_sec < 0:
            raise ValueError(f"latency_sec must not be negative; found {self.latency_sec}")
        if self.pacing_limit < 1 or self.server_version < 1:
            raise ValueError("pacing_limit and server_version must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledEvent:
    """Something that happens once: ``after_sec`` from the start, or after ``after_orders`` orders.

    With both, the seconds count from that order. What happens:
    ``notice`` the system message ``code``/``text`` to every client (1300, 2103, ...).
    ``link_lost`` 1100 (or ``code`` 2110): what happens meanwhile is told later, or never, by
    ``told_after``; ``link_back`` 1102, or with ``code`` 1101 market data must be asked for again.
    ``price`` the price of ``symbol``; ``halt`` its halt tick (``value`` 0, 1, 2). ``data_refused``
    ends its market data lines with ``code`` and refuses new ones, until ``data_back``.
    ``position`` sets the holding of ``symbol``, ``cash`` the balance of ``currency``, of
    ``account_id`` (default: the first). ``order`` places a manual order of ``value`` shares
    (negative: a sale). ``ids_back`` the next valid order ids go back by ``value``. ``restart`` the
    gateway drops every connection and lets nobody in for ``value`` seconds; orders work on.
    """

    what: Literal[
        "notice",
        "link_lost",
        "link_back",
        "price",
        "halt",
        "data_refused",
        "data_back",
        "position",
        "cash",
        "order",
        "ids_back",
        "restart",
    ]
    after_sec: float = 0
    after_orders: int | None = None
    code: int | None = None
    text: str = ""
    told_after: Literal["later", "never"] = "later"
    account_id: str = ""
    symbol: str = ""
    con_id: int = 0
    currency: str = "USD"
    value: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if self.after_sec < 0:
            raise ValueError(f"after_sec must not be negative; found {self.after_sec}")
        if self.what == "notice" and self.code is None:
            raise ValueError("a notice needs its code")
        if self.what in _OF_A_CONTRACT and not (self.symbol or self.con_id):
            raise ValueError(f"{self.what} needs a symbol or con_id")
        if self.what == "data_refused" and self.code not in REFUSAL_CODES:
            raise ValueError(f"code must be one of {REFUSAL_CODES}; found {self.code}")
        if self.what == "restart" and self.value < 0:
            raise ValueError(f"a restart cannot take {self.value} seconds")
        if self.what == "price" and self.value <= 0:
            raise ValueError(f"a price must be above 0; found {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What a person sets in TWS or the Gateway, and limits of the login.

    ``advisor_master`` stands first among the managed accounts and is none to trade.
    ``ledger_prefix`` writes per-currency account keys as ``$LEDGER-CashBalance``.
    ``master_client_id`` also receives the order events of all clients.
    ``tif_preset_notice`` answers an empty TIF with 10349. ``account_lag_sec`` is how late positions
    and cash follow a fill, ``account_push_sec`` how long changes of account values are gathered
    before followers are told. ``repeated_subscription`` is what a client gets that subscribes again
    to the account that it follows. ``followed_elsewhere`` is an account that another program
    follows: account updates of any other are refused with 2101. ``multi_leaves_out`` are keys that
    multi updates do not bring. ``next_valid_ids`` per client id.

    ``time_form`` of executions and ended orders: ``instrument`` (``20261127 10:30:00 US/Eastern``,
    the contract's zone), ``operator`` (the gateway's own ``time_zone``), ``bare`` (that without
    its name) or ``utc`` (``20261127-15:30:00``). The handshake tells ``time_zone`` too.
    ``time_zone_name`` is what the gateway calls it: two words, a name nobody knows, or nothing.
    """

    advisor_master: str = ""
    followed_elsewhere: str = ""
    multi_leaves_out: tuple[str, ...] = ()
    read_only_api: bool = False
    fractional_orders: bool = False
    ledger_prefix: bool = False
    master_client_id: int | None = None
    tif_preset_notice: bool = True
    account_lag_sec: float = 0
    account_push_sec: float = 0.05
    account_refresh_sec: float = 180
    repeated_subscription: Literal["nothing", "everything"] = "nothing"
    market_data_lines: int = 100
    working_orders_per_contract: int = 15
    short_sales: bool = False
    first_order_id: int = 1
    time_form: Literal["instrument", "operator", "bare", "utc"] = "instrument"
    time_zone: str = "UTC"
    time_zone_name: str | None = None
    next_valid_ids: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.account_lag_sec, self.account_push_sec) < 0 or self.account_refresh_sec <= 0:
            raise ValueError("delays must not be negative, account_refresh_sec must be above 0")
        if self.advisor_master and not _MASTER_ID.fullmatch(self.advisor_master):
            raise ValueError(f"advisor_master {self.advisor_master!r} is not DF or DI and digits")
        if self.first_order_id < 1 or any(number < 1 for number in self.next_valid_ids.values()):
            raise ValueError("order ids start at 1")
        if not all(client.isdecimal() for client in self.next_valid_ids):
            raise ValueError("next_valid_ids maps client ids to order ids")
        check_zone(self.time_zone)
