"""Scenario records for what the exchange does with orders: the plain way, or scripted trouble."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An error message with the order's id that does not end the order (399, 10349, 404, 2109)."""

    code: int
    text: str
    after_sec: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The order is refused with ``code``, ``after_sec`` after it was acknowledged (0: instead).

    ``told`` says what the client hears and in which order: the status Inactive, the error, or both;
    ``cancelled``: PendingSubmit, Inactive and Cancelled, then the error, as recorded where a cash
    account cannot pay.
    ``revive_after_sec``: the order was only parked and works again after that time.
    """

    code: int = 201
    text: str = "Order rejected - reason:Rejected by the scenario."
    after_sec: float = 0
    told: Literal["status_first", "error_first", "error_only", "status_only", "cancelled"] = (
        "status_first"
    )
    revive_after_sec: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The order waits in PreSubmitted; null ``release_after_sec`` means it is never released."""

    code: int = 399
    text: str = "Warning: your order will not be placed at the exchange until {next_open}"
    release_after_sec: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A later report of the same execution with the next revision number; quantity 0 busts it."""

    after_sec: float = 0
    quantity: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillStep:
    """One execution, ``after_sec`` after the step before it; null quantity is all that is left.

    ``extra`` lets it exceed the order (an over-fill); the ``report_`` fields make the execution
    name another account, side, contract or reference than the order's.
    """

    after_sec: float | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    extra: bool = False
    correction: Correction | None = None
    report_account: str | None = None
    report_side: Literal["BOT", "SLD"] | None = None
    report_con_id: int | None = None
    report_order_ref: str | None = None

    def __post_init__(self) -> None:
        if self.quantity is not None and self.quantity <= 0:
            raise ValueError("quantity must be above 0")
        if self.extra and self.quantity is None:
            raise ValueError("an extra fill needs its quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionSetup:
    """IBKR-like commission unless ``amount`` is given; it can come late, never, or as unset.

    ``most``: no more than this share of the order's value, though that be less than ``minimum``.
    ``currency``: charged in this one; empty means the contract's.
    """

    per_share: Decimal = Decimal("0.005")
    minimum: Decimal = Decimal("1.00")
    most: Decimal = Decimal("0.01")
    amount: Decimal | None = None
    currency: str = ""
    delay_sec: float = 0
    reported: Literal["normal", "never", "unset"] = "normal"

    def charged(self, shares: Decimal, value: Decimal) -> Decimal:
        """The commission of an order once it has filled so many shares of this value."""
        if self.amount is not None:
            return self.amount
        return min(max(self.minimum, self.per_share * shares), self.most * value)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSetup:
    """How a cancel request on a matching order is answered.

    ``normal`` PendingCancel, Cancelled, 202; ``too_late`` 161, then it fills; ``not_found`` 10147
    though it works on; ``fills_first`` the rest fills, then 10148; ``fills_after`` Cancelled, then
    the rest fills all the same; ``pending`` PendingCancel for ever; ``ignored`` no answer at all.
    """

    answer: Literal[
        "normal", "too_late", "not_found", "fills_first", "fills_after", "pending", "ignored"
    ] = "normal"
    delay_sec: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfSetup:
    """How a what-if order is answered, each way as seen on live gateways.

    ``figures`` margins and commission; ``range`` the least and the most commission instead of one
    (a closed market does that by itself); ``twice`` a first answer without figures, then one with
    them; ``unset`` without figures and nothing more; ``never`` not at all; ``order`` it becomes an
    order that works like any other, which must never happen. ``refusal`` is an error that follows
    the answer or, with ``never``, comes instead of one.
    """

    answer: Literal["figures", "range", "twice", "unset", "never", "order"] = "figures"
    after_sec: float = 0
    refusal: Notice | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBehaviour:
    """What happens to an order. The default is a healthy one.

    ``fills``: the executions in order; empty means one for the whole order after the scenario's
    ``fill_delay_sec``, or ``parts`` of the same size, one after the other. ``never_fills``: it
    rests in the book.
    ``silence``: ``lost`` never reaches the exchange, ``mute`` works but no callback tells of it.
    ``events``: ``usual`` order; ``status_first`` the final status before the execution;
    ``no_status`` executions only; ``repeated`` every message twice; ``reversed`` the messages of
    each fill backwards.
    """

    fill_delay_sec: float | None = None
    ack_delay_sec: float = 0
    fills: tuple[FillStep, ...] = ()
    parts: int = 1
    never_fills: bool = False
    reject: Rejection | None = None
    hold: Hold | None = None
    notices: tuple[Notice, ...] = ()
    silence: Literal["no", "lost", "mute"] = "no"
    events: Literal["usual", "status_first", "no_status", "repeated", "reversed"] = "usual"
    commission: CommissionSetup = CommissionSetup()
    what_if: WhatIfSetup = WhatIfSetup()
    cancel: CancelSetup = CancelSetup()

    def __post_init__(self) -> None:
        if self.parts < 1:
            raise ValueError(f"parts must be at least 1; found {self.parts}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRule:
    """``then`` holds for orders that fit all the conditions given; the first rule that fits wins.

    ``numbers`` counts the orders the exchange has received, from 1.
    """

    then: OrderBehaviour
    symbols: tuple[str, ...] = ()
    sides: tuple[Literal["BUY", "SELL"], ...] = ()
    order_types: tuple[str, ...] = ()
    algos: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    order_refs_ending: tuple[str, ...] = ()
