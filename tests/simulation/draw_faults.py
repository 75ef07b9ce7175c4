"""Random trouble: one function per kind, each changes the script and says whether it lies.

A fault *lies* when the broker contradicts itself for good, so that nobody could know the truth:
more shares than were ordered, a refused order that fills, an execution in another name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any, Final

from src.simulator.scenario import (
    CancelSetup,
    CommissionSetup,
    Correction,
    FillStep,
    GatewaySettings,
    Hold,
    MarketDataSetup,
    Notice,
    OrderBehaviour,
    OrderRule,
    OrderSetup,
    Rejection,
    ScheduledEvent,
    WireFaults,
)

REFUSALS: Final = (
    (201, "Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. \x1b[31mIN ORDER TO OBTAIN\nMARGIN"),
    (203, "The security AAA is not available or allowed for this account"),
    (110, "The price does not conform to the minimum price variation for this contract."),
    (460, "No trading permissions."),
    (10243, "Fractional-sized order cannot be placed via API."),
    (10311, "This order exceeds the size limit of the precautionary settings."),
    (442, "Unsupported algo"),
)
NOTICES: Final = (
    (399, "Order Message:\nBUY 10 AAA\nWarning: your order will not be placed at the exchange"),
    (10349, "Order TIF was set to DAY based on order preset."),
    (404, "Order held while securities are located"),
    (2109, "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored"),
    (2161, "Order Event Notice \u202e reversed"),
    (9999, "Something new from the broker"),
)
SILENT: Final = ("PositionEnd", "OpenOrderEnd", "ExecDetailsEnd", "AccountDownloadEnd",
                 "CompletedOrdersEnd", "ContractDetailsEnd", "CurrentTime", "OrderStatus",
                 "OpenOrder", "ExecDetails", "CommissionReport", "TickPrice", "NextValidId")
REPEATED: Final = ("OrderStatus", "ExecDetails", "OpenOrder", "CommissionReport", "Position",
                   "AccountValue", "ErrorMessage", "PositionEnd", "TickPrice")
SWAPPED: Final = (("ExecDetails", "OrderStatus"), ("OrderStatus", "ExecDetails"),
                  ("ExecDetails", "CommissionReport"), ("OpenOrder", "OrderStatus"),
                  ("ErrorMessage", "OrderStatus"), ("PositionEnd", "Position"))


@dataclass(slots=True)
class Trouble:
    """The faults drawn so far, on their way into the scenario."""

    chance: Random
    symbols: tuple[str, ...]
    rules: list[OrderRule] = field(default_factory=list)
    events: list[ScheduledEvent] = field(default_factory=list)
    orders: list[OrderSetup] = field(default_factory=list)
    wire: WireFaults = field(default_factory=WireFaults)
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    data: dict[str, MarketDataSetup] = field(default_factory=dict)
    reported: dict[str, Any] = field(default_factory=dict)
    overrides: list[tuple[str, str, str | None]] = field(default_factory=list)
    market: str = "open"
    fill_delay_sec: float = 0.05
    lies: bool = False
    meddles: bool = False

    @property
    def symbol(self) -> str:
        return self.chance.choice(self.symbols)

    def rule(self, behaviour: OrderBehaviour) -> None:
        """Let some orders behave so: one symbol, one side, some of the first few, or all."""
        kind = self.chance.random()
        if kind < 0.4:
            self.rules.append(OrderRule(then=behaviour, symbols=(self.symbol,)))
        elif kind < 0.55:
            side = "BUY" if self.chance.random() < 0.5 else "SELL"
            self.rules.append(OrderRule(then=behaviour, sides=(side,)))  # type: ignore[arg-type]
        elif kind < 0.9:
            numbers = tuple(sorted({self.chance.randint(1, 6) for _ in range(2)}))
            self.rules.append(OrderRule(then=behaviour, numbers=numbers))
        else:
            self.rules.append(OrderRule(then=behaviour))

    def event(self, **values: Any) -> None:  # noqa: ANN401 - the event's own fields
        """Something that happens once, by time or after so many orders."""
        if self.chance.random() < 0.6:
            values["after_orders"] = self.chance.randint(1, 5)
            values["after_sec"] = self.chance.choice((0, 0.02, 0.06, 1))
        else:
            values["after_sec"] = round(self.chance.uniform(0.1, 20), 2)
        self.events.append(ScheduledEvent(**values))


Fault = Callable[[Trouble], None]


# --- what happens to orders -------------------------------------------------------------------


def rejected(trouble: Trouble) -> None:
    code, text = trouble.chance.choice(REFUSALS)
    told = trouble.chance.choice(("status_first", "error_first", "error_only", "status_only"))
    after = trouble.chance.choice((0, 0, 0.1, 5))
    refusal = Rejection(code=code, text=text, told=told, after_sec=after)
    trouble.rule(OrderBehaviour(reject=refusal))


def parked(trouble: Trouble) -> None:
    """Refused, and yet it works again later."""
    trouble.lies = True
    refusal = Rejection(revive_after_sec=trouble.chance.choice((0.5, 8, 60)))
    trouble.rule(OrderBehaviour(reject=refusal))


def partly_filled(trouble: Trouble) -> None:
    steps = tuple(
        FillStep(after_sec=trouble.chance.choice((0, 0.1, 3)), quantity=Decimal(1))
        for _ in range(trouble.chance.randint(1, 3))
    )
    rest = (FillStep(after_sec=trouble.chance.choice((0.2, 2, 40))),)
    is_whole = trouble.chance.random() < 0.4
    trouble.rule(OrderBehaviour(fills=steps + rest if is_whole else steps))


def never_filled(trouble: Trouble) -> None:
    trouble.rule(OrderBehaviour(never_fills=True))


def slow(trouble: Trouble) -> None:
    delay = trouble.chance.choice((1, 6, 29, 45, 310))
    trouble.rule(OrderBehaviour(fill_delay_sec=delay))


def slow_answer(trouble: Trouble) -> None:
    trouble.rule(OrderBehaviour(ack_delay_sec=trouble.chance.choice((1, 29, 31, 60))))


def held(trouble: Trouble) -> None:
    release = trouble.chance.choice((None, 3.0, 50.0))
    trouble.rule(OrderBehaviour(hold=Hold(release_after_sec=release)))


def noticed(trouble: Trouble) -> None:
    notices = tuple(
        Notice(code=code, text=text, after_sec=trouble.chance.choice((0, 0.05, 2)))
        for code, text in trouble.chance.sample(NOTICES, 2)
    )
    trouble.rule(OrderBehaviour(notices=notices))


def lost_order(trouble: Trouble) -> None:
    trouble.rule(OrderBehaviour(silence="lost"))


def mute_order(trouble: Trouble) -> None:
    trouble.lies = True
    trouble.rule(OrderBehaviour(silence="mute"))


def odd_events(trouble: Trouble) -> None:
    events = trouble.chance.choice(("status_first", "no_status", "repeated", "reversed"))
    trouble.rule(OrderBehaviour(events=events))


def commission(trouble: Trouble) -> None:
    kind = trouble.chance.random()
    if kind < 0.4:
        setup = CommissionSetup(delay_sec=trouble.chance.choice((0.5, 2.9, 20)))
    else:
        setup = CommissionSetup(reported=trouble.chance.choice(("never", "unset")))
    trouble.rule(OrderBehaviour(commission=setup))


def corrected(trouble: Trouble) -> None:
    """The same execution again: another price, another quantity, or taken back."""
    kind = trouble.chance.random()
    after = trouble.chance.choice((0.02, 1, 6))
    if kind < 0.5:
        fix = Correction(after_sec=after, price=Decimal("12.34"))
    elif kind < 0.75:
        fix = Correction(after_sec=after, quantity=Decimal(1))
    else:
        fix = Correction(after_sec=after, quantity=Decimal(0))
    trouble.lies = True
    trouble.rule(OrderBehaviour(fills=(FillStep(correction=fix),)))


def over_filled(trouble: Trouble) -> None:
    trouble.lies = True
    extra = FillStep(after_sec=0.1, quantity=Decimal(5), extra=True)
    trouble.rule(OrderBehaviour(fills=(FillStep(), extra)))


def odd_execution(trouble: Trouble) -> None:
    """An execution that names another account, side, contract or reference."""
    trouble.lies = True
    wrong = trouble.chance.choice(
        (
            {"report_account": "DU7654321"},
            {"report_side": "BOT"},
            {"report_side": "SLD"},
            {"report_con_id": 901},
            {"report_order_ref": "IBR-20200101T000000Z-1-1"},
        )
    )
    trouble.rule(OrderBehaviour(fills=(FillStep(**wrong),)))  # type: ignore[arg-type]


def stubborn(trouble: Trouble) -> None:
    """An order that has to be cancelled, and an odd answer to that."""
    answer = trouble.chance.choice(
        ("normal", "too_late", "not_found", "fills_first", "fills_after", "pending", "ignored")
    )
    trouble.lies = trouble.lies or answer in ("fills_after", "not_found")
    cancel = CancelSetup(answer=answer, delay_sec=trouble.chance.choice((0, 0.5, 9, 12)))
    part = (FillStep(quantity=Decimal(1)),) if trouble.chance.random() < 0.5 else ()
    behaviour = OrderBehaviour(cancel=cancel, fills=part, never_fills=not part)
    trouble.rule(behaviour)


ORDER_FAULTS: Final[tuple[Fault, ...]] = (
    rejected,
    parked,
    partly_filled,
    never_filled,
    slow,
    slow_answer,
    held,
    noticed,
    lost_order,
    mute_order,
    odd_events,
    commission,
    corrected,
    over_filled,
    odd_execution,
    stubborn,
)


# --- what happens to connection and gateway ----------------------------------------------------


def link_lost(trouble: Trouble) -> None:
    """1100 or 2110, and after a while 1101 or 1102, or never."""
    told = trouble.chance.choice(("later", "never"))
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
        trouble.wire = replace(
            trouble.wire, stall_after_request=number, only_order_messages=True
        )
    else:
        number = trouble.chance.randint(1, 500)
        trouble.wire = replace(trouble.wire, stall_after_response=number)


def damaged(trouble: Trouble) -> None:
    name = trouble.chance.choice(("truncate_response", "garbage_response", "bad_length_response"))
    changes: dict[str, Any] = {name: trouble.chance.randint(1, 500)}
    trouble.wire = replace(trouble.wire, **changes)


def silent(trouble: Trouble) -> None:
    names = tuple(trouble.chance.sample(SILENT, 1))
    trouble.wire = replace(trouble.wire, silent_messages=names)


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
    action = trouble.chance.choice(("error", "disconnect", "queue"))
    limit = trouble.chance.choice((5, 20, 40))
    trouble.wire = replace(trouble.wire, pacing_limit=limit, pacing_action=action)


def unreachable(trouble: Trouble) -> None:
    only = trouble.chance.choice(("tcp", "handshake"))
    trouble.wire = replace(trouble.wire, accept_only=only)


def ids_back(trouble: Trouble) -> None:
    trouble.gateway = replace(trouble.gateway, first_order_id=50)
    trouble.event(what="ids_back", value=Decimal(trouble.chance.choice((1, 3, 40))))


def notice(trouble: Trouble) -> None:
    code, text = trouble.chance.choice(
        ((1300, "port reset"), (2103, "farm broken"), (2104, "farm ok"), (2148, "soon"),
         (100, "Max rate of messages per second has been exceeded"), (504, "Not connected"))
    )
    trouble.event(what="notice", code=code, text=text)


def read_only_api(trouble: Trouble) -> None:
    trouble.gateway = replace(trouble.gateway, read_only_api=True)


def lagging(trouble: Trouble) -> None:
    """Positions and cash follow the fills late."""
    lag = trouble.chance.choice((0.5, 5, 25, 40))
    trouble.gateway = replace(trouble.gateway, account_lag_sec=lag)


WIRE_FAULTS: Final[tuple[Fault, ...]] = (
    link_lost,
    link_lost,
    dropped,
    dropped,
    dropped,
    stalled,
    damaged,
    silent,
    repeated,
    swapped,
    late,
    paced,
    unreachable,
    ids_back,
    notice,
    read_only_api,
    lagging,
)


# --- what the account and the market say --------------------------------------------------------


def lying_price(trouble: Trouble) -> None:
    fields = trouble.chance.sample(("last", "bid", "ask", "close"), trouble.chance.randint(1, 4))
    shown = {
        name: trouble.chance.choice(
            (Decimal(-1), Decimal(0), "NaN", "1.7976931348623157E308", None, Decimal("0.01"))
        )
        for name in fields
    }
    trouble.data[trouble.symbol] = MarketDataSetup(shown=shown)  # type: ignore[arg-type]
    trouble.meddles = True


def poor_data(trouble: Trouble) -> None:
    access = trouble.chance.choice(("delayed", "none", "silent"))
    refusal = trouble.chance.choice((354, 10089, 10168, 10197))
    delay = trouble.chance.choice((0, 2, 15))
    trouble.data[trouble.symbol] = MarketDataSetup(access=access, refusal=refusal, delay_sec=delay)


def halted(trouble: Trouble) -> None:
    if trouble.chance.random() < 0.4:
        trouble.data[trouble.symbol] = MarketDataSetup(halted=trouble.chance.choice((1, 2)))
    else:
        trouble.event(what="halt", symbol=trouble.symbol, value=Decimal(1))


def sentinel(trouble: Trouble) -> None:
    """A position or a sum that cannot be."""
    if trouble.chance.random() < 0.5:
        name = trouble.chance.choice(("reported_quantity", "reported_price", "reported_avg_cost"))
        value = trouble.chance.choice(("NaN", "Infinity", "1.7976931348623157E308", "2147483647"))
        trouble.reported = {name: value, "reported_times": trouble.chance.choice((1, 2))}
    else:
        key = trouble.chance.choice(("CashBalance", "NetLiquidationByCurrency", "ExchangeRate"))
        value = trouble.chance.choice(("NaN", "1.7976931348623157E308", "", None, "-1", "abc"))
        trouble.overrides.append((key, "USD", value))
    trouble.meddles = True


def price_moves(trouble: Trouble) -> None:
    trouble.event(
        what="price",
        symbol=trouble.symbol,
        value=Decimal(trouble.chance.randint(200, 60_000)) / 100,
    )
    trouble.meddles = True


def somebody_trades(trouble: Trouble) -> None:
    """Another program or person changes the account, or has orders of their own."""
    kind = trouble.chance.random()
    if kind < 0.3:
        trouble.event(what="cash", value=Decimal(trouble.chance.randint(0, 20_000)))
    elif kind < 0.5:
        trouble.event(what="position", symbol=trouble.symbol, value=Decimal(7))
    elif kind < 0.75:
        shares = Decimal(trouble.chance.choice((-5, 5)))
        trouble.event(what="order", symbol=trouble.symbol, value=shares)
    else:
        ref = trouble.chance.choice(("", "IBR-20250101T000000Z-1-1", "other"))
        trouble.orders.append(
            OrderSetup(
                symbol=trouble.symbol,
                quantity=Decimal(3),
                side="BUY",
                limit_price=Decimal("0.5"),
                client_id=trouble.chance.choice((0, 7, 42)),
                order_id=trouble.chance.choice((0, 3, 900)),
                order_ref=ref,
            )
        )
    trouble.meddles = True


def not_trading(trouble: Trouble) -> None:
    trouble.market = trouble.chance.choice(("closed", "pre", "holiday", "halfday"))


MARKET_FAULTS: Final[tuple[Fault, ...]] = (
    lying_price,
    poor_data,
    halted,
    sentinel,
    price_moves,
    somebody_trades,
    not_trading,
)
