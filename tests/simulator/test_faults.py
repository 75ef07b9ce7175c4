"""Scripted trouble on the wire, without sockets."""

import pytest

from src.simulator.gateway.faults import FaultScript, Output, Pacing, RequestFate
from src.simulator.messages.account import ManagedAccounts, PositionEnd
from src.simulator.messages.responses import CurrentTime, NextValidId, Response
from src.simulator.scenario.faults import WireFaults

FRAMES = [b"\0\0\0\x04one\0", b"\0\0\0\x04two\0", b"\0\0\0\x06three\0"]
BATCH: list[Response] = [
    ManagedAccounts(accounts="DU1"),
    NextValidId(order_id=1),
    CurrentTime(epoch_sec=5),
    PositionEnd(),
]


def names(responses: list[Response]) -> list[str]:
    return [type(response).__name__ for response in responses]


def test_without_faults_everything_passes() -> None:
    script = FaultScript(WireFaults())
    assert script.request_fate("ReqPositions") == RequestFate()
    assert script.arrange(BATCH) == BATCH
    assert script.output(FRAMES) == Output(data=b"".join(FRAMES))


def test_requests_are_counted_from_one() -> None:
    faults = WireFaults(close_before_request=(2,), close_after_request=(3,), stall_after_request=4)
    script = FaultScript(faults)
    fates = [script.request_fate("ReqPositions") for _ in range(5)]
    assert fates == [
        RequestFate(),
        RequestFate(handled=False, closes=True),
        RequestFate(closes=True),
        RequestFate(stalls=True),
        RequestFate(),
    ]


def test_only_order_messages_may_be_counted() -> None:
    script = FaultScript(WireFaults(close_before_request=(2,), only_order_messages=True))
    requests = ["StartApi", "PlaceOrder", "ReqPositions", "CancelOrder"]
    assert [script.request_fate(name).closes for name in requests] == [False, False, False, True]


def test_responses_can_be_silent_doubled_and_moved() -> None:
    script = FaultScript(
        WireFaults(
            silent_messages=("PositionEnd",),
            duplicate_messages=("NextValidId",),
            reorder_messages=(("ManagedAccounts", "CurrentTime"),),
        )
    )
    assert names(script.arrange(BATCH)) == [
        "NextValidId",
        "NextValidId",
        "CurrentTime",
        "ManagedAccounts",
    ]


def test_nothing_moves_if_its_partner_is_absent() -> None:
    script = FaultScript(WireFaults(reorder_messages=(("ManagedAccounts", "OrderStatus"),)))
    assert script.arrange(BATCH) == BATCH


@pytest.mark.parametrize(
    ("faults", "output"),
    [
        (WireFaults(close_before_response=(2,)), Output(data=FRAMES[0], closes=True)),
        (WireFaults(close_after_response=(2,)), Output(data=FRAMES[0] + FRAMES[1], closes=True)),
        (WireFaults(stall_after_response=1), Output(data=FRAMES[0], stalls=True)),
        (WireFaults(truncate_response=1), Output(data=FRAMES[0][:4] + FRAMES[1] + FRAMES[2])),
        (
            WireFaults(bad_length_response=3),
            Output(data=FRAMES[0] + FRAMES[1] + b"\x7f\xff\xff\xffthree\0"),
        ),
    ],
)
def test_responses_are_counted_from_one(faults: WireFaults, output: Output) -> None:
    assert FaultScript(faults).output(FRAMES) == output


def test_garbage_keeps_the_length_and_is_the_same_every_time() -> None:
    faults = WireFaults(garbage_response=2)
    first, second = (FaultScript(faults).output(FRAMES).data for _ in range(2))
    assert first == second
    assert len(first) == sum(map(len, FRAMES))
    assert first.startswith(FRAMES[0] + b"\0\0\0\x04")
    assert first.endswith(FRAMES[2])
    assert FRAMES[1] not in first


def test_counting_goes_on_over_batches() -> None:
    script = FaultScript(WireFaults(close_after_response=(4,)))
    assert not script.output(FRAMES).closes
    assert script.output(FRAMES) == Output(data=FRAMES[0], closes=True)


def test_messages_up_to_the_limit_are_served() -> None:
    pacing = Pacing(50, "error")
    verdicts = [pacing.admit(10 + 0.001 * i).verdict for i in range(51)]
    assert verdicts == ["serve"] * 50 + ["drop"]
    assert pacing.admit(11.0).verdict == "serve"


def test_the_third_violation_ends_the_connection() -> None:
    pacing = Pacing(1, "error")
    verdicts = [pacing.admit(at).verdict for at in (0, 0.5, 0.6, 2, 2.5, 4, 4.5)]
    assert verdicts == ["serve", "drop", "drop", "serve", "drop", "serve", "close"]


def test_the_error_names_limit_and_violation() -> None:
    pacing = Pacing(1, "error")
    pacing.admit(0)
    assert pacing.admit(0.1).text.endswith("exceeded:max=1 rec=2 (1)")


def test_pacing_may_disconnect_at_once() -> None:
    pacing = Pacing(1, "disconnect")
    assert [pacing.admit(at).verdict for at in (0, 0.5)] == ["serve", "close"]


def test_pacing_may_queue() -> None:
    pacing = Pacing(2, "queue")
    waits = [pacing.admit(at).wait_sec for at in (0, 0.25, 0.5, 0.5)]
    assert waits == [0, 0, 0.5, 0.75]
