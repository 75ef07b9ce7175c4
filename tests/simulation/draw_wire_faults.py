"""Random trouble with connection and gateway: one function per kind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from tests.simulation.trouble import Fault, Trouble

SILENT: Final = (
    "PositionEnd",
    "OpenOrderEnd",
    "ExecDetailsEnd",
    "AccountDownloadEnd",
    "CompletedOrdersEnd",
    "ContractDetailsEnd",
    "CurrentTime",
    "OrderStatus",
    "OpenOrder",
    "ExecDetails",
    "CommissionReport",
    "TickPrice",
    "NextValidId",
)
REPEATED: Final = (
    "OrderStatus",
    "ExecDetails",
    "OpenOrder",
    "CommissionReport",
    "Position",
    "AccountValue",
    "ErrorMessage",
    "PositionEnd",
    "TickPrice",
)
SWAPPED: Final = (
    ("ExecDetails", "OrderStatus"),
    ("OrderStatus", "ExecDetails"),
    ("ExecDetails", "CommissionReport"),
    ("OpenOrder", "OrderStatus"),
    ("ErrorMessage", "OrderStatus"),
    ("PositionEnd", "Position"),
)


def link_lost(trouble: Trouble) -> None:
    """1100 or 2110, and after a while 1101 or 1102, or never."""
    told = trouble.pick("later", "never")
    lost = trouble.chance.choice((1100, 1100, 2110))
    trouble.event(what="link_lost", code=lost, told_after=told)
    away = trouble.chance.choice((0.05, 3, 20, 119, 130, None))
    if away is None:
        return
    event = trouble.events[-1]
    back = replace(
        event,
        what="link_back",
        code=trouble.chance.choice((1101, 1102)),
        after_sec=event.after_sec + away,
    )
    trouble.events.append(back)


def dropped(trouble: Trouble) -> None:
    """The connection breaks at some message."""
    name = trouble.chance.choice(
        (
            "close_before_request",
            "close_after_request",
            "close_before_response",
            "close_after_response",
        )
    )
    is_orders = name.endswith("request") and trouble.chance.random() < 0.7
    last = 8 if is_orders else 60 if name.endswith("request") else 500
    count = trouble.chance.choice((1, 1, 2, 3))
    numbers = tuple(sorted({trouble.chance.randint(1, last) for _ in range(count)}))
    changes: dict[str, Any] = {name: numbers}
    trouble.wire = replace(trouble.wire, only_order_messages=is_orders, **changes)


def stalled(trouble: Trouble) -> None:
    """The socket stays open and says nothing any more."""
    if trouble.chance.random() < 0.5:
        number = trouble.chance.randint(1, 8)
        trouble.wire = replace(trouble.wire, stall_after_request=number, only_order_messages=True)
    else:
        number = trouble.chance.randint(1, 500)
        trouble.wire = replace(trouble.wire, stall_after_response=number)


def damaged(trouble: Trouble) -> None:
    name = trouble.pick("truncate_response", "garbage_response", "bad_length_response")
    changes: dict[str, Any] = {name: trouble.chance.randint(1, 500)}
    trouble.wire = replace(trouble.wire, **changes)


def silent(trouble: Trouble) -> None:
    names = tuple(trouble.chance.sample(SILENT, 1))
    trouble.wire = replace(trouble.wire, silent_messages=names)


def answered_otherwise(trouble: Trouble) -> None:
    """An error of a kind that ends nothing, in place of an answer or of its end."""
    request = trouble.pick(
        "ReqPositions",
        "ReqAccountUpdates",
        "ReqExecutions",
        "ReqAllOpenOrders",
        "ReqCompletedOrders",
        "ReqContractDetails",
        "ReqMktData",
        "ReqCurrentTime",
    )
    code = trouble.chance.choice((321, 399, 2103, 2151, 10167))
    trouble.wire = replace(trouble.wire, answered_with={request: code})


def repeated(trouble: Trouble) -> None:
    names = tuple(trouble.chance.sample(REPEATED, 2))
    trouble.wire = replace(trouble.wire, duplicate_messages=names)


def swapped(trouble: Trouble) -> None:
    pairs = tuple(trouble.chance.sample(SWAPPED, 1))
    trouble.wire = replace(trouble.wire, reorder_messages=pairs)


def late(trouble: Trouble) -> None:
    latency = trouble.chance.choice((0.01, 0.2, 1.5, 9))
    trouble.wire = replace(trouble.wire, latency_sec=latency)


def paced(trouble: Trouble) -> None:
    action = trouble.pick("error", "disconnect", "queue")
    limit = trouble.chance.choice((5, 20, 40))
    trouble.wire = replace(trouble.wire, pacing_limit=limit, pacing_action=action)


def unreachable(trouble: Trouble) -> None:
    only = trouble.pick("tcp", "handshake")
    trouble.wire = replace(trouble.wire, accept_only=only)


def ids_back(trouble: Trouble) -> None:
    trouble.gateway = replace(trouble.gateway, first_order_id=50)
    trouble.event(what="ids_back", value=Decimal(trouble.chance.choice((1, 3, 40))))


def huge_ids(trouble: Trouble) -> None:
    """Another program numbered its orders by the second, or nearly to the end."""
    first = trouble.chance.choice((1_000_000_001, 1_700_000_001, 2**31 - 40, 2**31 - 4))
    trouble.gateway = replace(trouble.gateway, first_order_id=first)


def notice(trouble: Trouble) -> None:
    code, text = trouble.chance.choice(
        (
            (1300, "port reset"),
            (2103, "farm broken"),
            (2104, "farm ok"),
            (2148, "soon"),
            (100, "Max rate of messages per second has been exceeded"),
            (504, "Not connected"),
        )
    )
    trouble.event(what="notice", code=code, text=text)


def read_only_api(trouble: Trouble) -> None:
    trouble.gateway = replace(trouble.gateway, read_only_api=True)


def lagging(trouble: Trouble) -> None:
    """Positions and cash follow the fills late."""
    lag = trouble.chance.choice((0.5, 5, 25, 40))
    trouble.gateway = replace(trouble.gateway, account_lag_sec=lag)


def old_gateway(trouble: Trouble) -> None:
    version = trouble.chance.choice((157, 158, 160, 163, 176, 177, 178))
    trouble.wire = replace(trouble.wire, server_version=version)


WIRE_FAULTS: Final[tuple[Fault, ...]] = (
    link_lost,
    link_lost,
    dropped,
    dropped,
    dropped,
    stalled,
    damaged,
    silent,
    answered_otherwise,
    repeated,
    swapped,
    late,
    paced,
    unreachable,
    ids_back,
    huge_ids,
    notice,
    read_only_api,
    lagging,
    lagging,
    old_gateway,
)
