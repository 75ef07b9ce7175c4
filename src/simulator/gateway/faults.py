"""Scripted trouble on the wire: what ``WireFaults`` does to requests and to written responses.

No I/O, no clock, no randomness. Counters belong to the server and go on over reconnects: requests
are the messages admitted after the handshake (startApi is number 1), responses the messages
written, without those kept silent.
"""

import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Literal, NamedTuple

from src.simulator.messages.responses import Response
from src.simulator.scenario.faults import WireFaults

FALSE_LENGTH = (2**31 - 1).to_bytes(4, "big")
LENGTH_BYTES = 4
PACING_WINDOW_SEC = 1.0
MAX_PACING_VIOLATIONS = 3
_ORDER_REQUESTS = ("PlaceOrder", "CancelOrder")


class RequestFate(NamedTuple):
    """What happens to one request: is it handled, answered, and what becomes of the socket."""

    handled: bool = True
    closes: bool = False
    stalls: bool = False


class Output(NamedTuple):
    """Bytes to write, then perhaps the end of the connection or silence for good."""

    data: bytes
    closes: bool = False
    stalls: bool = False


class FaultScript:
    """Applies the faults of one server; holds the two counters."""

    def __init__(self, faults: WireFaults) -> None:
        self._faults = faults
        self._requests = 0
        self._responses = 0

    def request_fate(self, name: str) -> RequestFate:
        """Count a request by its record's name and say what becomes of it."""
        faults = self._faults
        if faults.only_order_messages and name not in _ORDER_REQUESTS:
            return RequestFate()
        self._requests += 1
        if self._requests in faults.close_before_request:
            return RequestFate(handled=False, closes=True)
        return RequestFate(
            closes=self._requests in faults.close_after_request,
            stalls=self._requests == faults.stall_after_request,
        )

    def error_instead(self, name: str) -> int:
        """The code of the error that answers such a request in place of its answer, or 0."""
        return self._faults.answered_with.get(name, 0)

    def arrange(self, responses: Sequence[Response]) -> list[Response]:
        """The batch without silent messages, with duplicates, and reordered.

        Of a pair (a, b) to reorder, every a of the batch moves behind the last b.
        """
        arranged: list[Response] = []
        for response in responses:
            name = type(response).__name__
            if name not in self._faults.silent_messages:
                arranged += [response] * (2 if name in self._faults.duplicate_messages else 1)
        for first, second in self._faults.reorder_messages:
            arranged = _move_behind(arranged, first, second)
        return arranged

    def output(self, frames: Sequence[bytes]) -> Output:
        """Join the frames, each counted and perhaps damaged, up to one that ends the talk."""
        faults = self._faults
        data = b""
        for frame in frames:
            self._responses += 1
            if self._responses in faults.close_before_response:
                return Output(data=data, closes=True)
            data += self._damage(frame)
            if self._responses in faults.close_after_response:
                return Output(data=data, closes=True)
            if self._responses == faults.stall_after_response:
                return Output(data=data, stalls=True)
        return Output(data=data)

    def _damage(self, frame: bytes) -> bytes:
        faults = self._faults
        if self._responses == faults.truncate_response:
            return frame[: len(frame) // 2]
        if self._responses == faults.garbage_response:
            noise = hashlib.shake_128(frame).digest(len(frame) - LENGTH_BYTES)
            return frame[:LENGTH_BYTES] + noise
        if self._responses == faults.bad_length_response:
            return FALSE_LENGTH + frame[LENGTH_BYTES:]
        return frame


def _move_behind(responses: list[Response], first: str, second: str) -> list[Response]:
    places = [i for i, response in enumerate(responses) if type(response).__name__ == second]
    if not places:
        return responses
    head, tail = responses[: places[-1] + 1], responses[places[-1] + 1 :]
    moved = [response for response in head if type(response).__name__ == first]
    return [response for response in head if response not in moved] + moved + tail


class Admission(NamedTuple):
    """May a message be served now? ``wait_sec`` first, if it is to queue; ``text`` of error 100."""

    verdict: Literal["serve", "drop", "close"]
    wait_sec: float = 0
    text: str = ""


class Pacing:
    """Message rate of one connection: at most ``limit`` messages in any second.

    Of a message too many, the third second with one ends the connection. Source: TWS API, Pacing
    Limitations.
    """

    def __init__(self, limit: int, action: Literal["error", "disconnect", "queue"]) -> None:
        self._limit = limit
        self._action = action
        self._served_sec: deque[float] = deque()
        self._violated_sec: deque[float] = deque()

    def admit(self, at_sec: float) -> Admission:
        """Judge a message received at ``at_sec`` (any clock that does not jump)."""
        while self._served_sec and at_sec - self._served_sec[0] >= PACING_WINDOW_SEC:
            self._served_sec.popleft()
        if len(self._served_sec) < self._limit:
            self._served_sec.append(at_sec)
            return Admission(verdict="serve")
        if self._action == "queue":
            free_sec = self._served_sec.popleft() + PACING_WINDOW_SEC
            self._served_sec.append(free_sec)
            return Admission(verdict="serve", wait_sec=free_sec - at_sec)
        return self._refuse(at_sec)

    def _refuse(self, at_sec: float) -> Admission:
        violated = self._violated_sec
        if not violated or at_sec - violated[-1] >= PACING_WINDOW_SEC:
            violated.append(at_sec)
        is_last = self._action == "disconnect" or len(violated) >= MAX_PACING_VIOLATIONS
        text = (
            f"Max rate of messages per second has been exceeded:max={self._limit}"
            f" rec={self._limit + 1} ({len(violated)})"
        )
        return Admission(verdict="close" if is_last else "drop", text=text)
