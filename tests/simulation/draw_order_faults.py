"""Random trouble with orders: one function per kind."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from src.simulator.scenario.records import (
    CancelSetup,
    CommissionSetup,
    Correction,
    FillStep,
    Hold,
    Notice,
    OrderBehaviour,
    Rejection,
)
from tests.simulation.trouble import Fault, Trouble

REFUSALS: Final = (
    (201, "Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. \x1b[31mIN ORDER TO OBTAIN\nMARGIN"),
    (203, "The security AAA is not available or allowed for this account"),
    (110, "The price does not conform to the minimum price variation for this contract."),
    (460, "No trading permissions."),
    (10243, "Fractional-sized order cannot be placed via API."),
    (10311, "This order exceeds the size limit of the precautionary settings."),
    (442, "Unsupported algo"),
    (201, "Auftrag abgelehnt - Grund: Dieser Algorithmus ist hier nicht zul\u00e4ssig"),
    (201, ""),
    (321, "Error validating request.-'bF' : cause - Invalid order type was entered."),
    (434, "The order size cannot be zero."),
    (492, "Refused<br>for a reason of its own"),
)
NOTICES: Final = (
    (399, "Order Message:\nBUY 10 AAA\nWarning: your order will not be placed at the exchange"),
    (10349, "Order TIF was set to DAY based on order preset."),
    (404, "Order held while securities are located"),
    (2109, "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored"),
    (2161, "Order Event Notice \u202e reversed"),
    (9999, "Something new from the broker"),
)


def rejected(trouble: Trouble) -> None:
    code, text = trouble.chance.choice(REFUSALS)
    told = trouble.pick("status_first", "error_first", "error_only", "status_only")
    after = trouble.chance.choice((0, 0, 0.1, 5))
    refusal = Rejection(code=code, text=text, told=told, after_sec=after)
    trouble.rule(OrderBehaviour(reject=refusal))


def inactive(trouble: Trouble) -> None:
    """Refused without a word why."""
    after = trouble.chance.choice((0, 0.1, 5))
    trouble.rule(OrderBehaviour(reject=Rejection(text="", told="status_only", after_sec=after)))


def parked(trouble: Trouble) -> None:
    """Refused, and yet it works again later."""
    trouble.lies = True
    refusal = Rejection(revive_after_sec=trouble.chance.choice((0.5, 8, 60, 320)))
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
    events = trouble.pick("status_first", "no_status", "repeated", "reversed")
    trouble.rule(OrderBehaviour(events=events))


def commission(trouble: Trouble) -> None:
    kind = trouble.chance.random()
    if kind < 0.3:
        setup = CommissionSetup(currency=trouble.pick("EUR", "CAD"))
    elif kind < 0.5:
        setup = CommissionSetup(delay_sec=trouble.chance.choice((0.5, 2.9, 20)))
    else:
        setup = CommissionSetup(reported=trouble.pick("never", "unset"))
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
    trouble.rule(OrderBehaviour(fills=(FillStep(**wrong),)))


def stubborn(trouble: Trouble) -> None:
    """An order that has to be cancelled, and an odd answer to that."""
    answer = trouble.pick(
        "normal", "too_late", "not_found", "fills_first", "fills_after", "pending", "ignored"
    )
    trouble.lies = trouble.lies or answer in ("fills_after", "not_found")
    cancel = CancelSetup(answer=answer, delay_sec=trouble.chance.choice((0, 0.5, 9, 12)))
    part = (FillStep(quantity=Decimal(1)),) if trouble.chance.random() < 0.5 else ()
    behaviour = OrderBehaviour(cancel=cancel, fills=part, never_fills=not part)
    trouble.rule(behaviour)


ORDER_FAULTS: Final[tuple[Fault, ...]] = (
    rejected,
    inactive,
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
