"""One client's connection as the server sees it: its session, and its way out to the socket.

Output is delayed by the scenario's latency with its order kept. A client that does not read is cut
off when ``MAX_BACKLOG_BYTES`` wait for it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from src.simulator.gateway.faults import FaultScript, Output, Pacing
from src.simulator.gateway.session import Hello, Session
from src.simulator.gateway.wire_log import RateWindow
from src.simulator.messages.responses import Response
from src.simulator.messages.tables import NO_ID
from src.simulator.outbox.gateway_times import GatewayTimes
from src.simulator.scenario.records import Scenario

MAX_BACKLOG_BYTES = 8 * 1024 * 1024
FLUSH_SEC = 0.5
PACED_BY_GATEWAY = "+PACEAPI"

log = logging.getLogger(__name__)


class Connection:
    """One client and its socket.

    ``client_id`` is -1 until startApi. ``is_stalled``: nothing is said any more. ``is_ending``: nor
    is anything heard, the socket closes once what was written before is out.
    """

    def __init__(
        self, writer: asyncio.StreamWriter, script: FaultScript, scenario: Scenario
    ) -> None:
        faults = scenario.wire
        self.session = Session(faults.server_version, GatewayTimes(scenario.gateway))
        self.pacing = Pacing(faults.pacing_limit, faults.pacing_action)
        self.rate = RateWindow()
        self.client_id = NO_ID
        self.is_stalled = False
        self.is_ending = False
        self.is_closed = False
        self.accepts_only: Literal["tcp", "handshake"] | None = faults.accept_only
        self._writer = writer
        self._script = script
        self._faults = faults
        self._waiting: deque[Output] = deque()
        self._waiting_bytes = 0

    def greet(self, hello: Hello, at_utc: datetime) -> None:
        """Answer the handshake; a client may ask to be paced instead of refused."""
        if PACED_BY_GATEWAY in hello.connect_options:
            self.pacing = Pacing(self._faults.pacing_limit, "queue")
        self._put(Output(data=self.session.hello(at_utc)))

    def send(self, messages: Sequence[Response], *, closes: bool = False) -> None:
        """Write the messages at once, as far as the scripted faults allow; then perhaps close."""
        if self.is_stalled or self.is_ending:
            if closes:
                self.close()
            return
        arranged = self._script.arrange(messages)
        output = self._script.output([self.session.send(message) for message in arranged])
        self.is_stalled = output.stalls
        self.is_ending = output.closes or closes
        self._put(Output(data=output.data, closes=self.is_ending))

    def close(self) -> None:
        """End the connection; what was written before still goes out, if the client reads it."""
        if not self.is_closed:
            self.is_closed = True
            self._writer.close()
            asyncio.get_running_loop().call_later(FLUSH_SEC, self._writer.transport.abort)

    def _put(self, output: Output) -> None:
        if not self._faults.latency_sec:
            self._emit(output)
            return
        self._waiting.append(output)
        self._waiting_bytes += len(output.data)
        loop = asyncio.get_running_loop()
        loop.call_later(self._faults.latency_sec, self._emit_next)
        self._check_backlog()

    def _emit_next(self) -> None:
        output = self._waiting.popleft()
        self._waiting_bytes -= len(output.data)
        self._emit(output)

    def _emit(self, output: Output) -> None:
        if self.is_closed:
            return
        if output.data:
            self._writer.write(output.data)
        self._check_backlog()
        if output.closes:
            self.close()

    def _check_backlog(self) -> None:
        backlog = self._writer.transport.get_write_buffer_size() + self._waiting_bytes
        if backlog > MAX_BACKLOG_BYTES:
            log.warning("client does not read, cut off client_id=%s", self.client_id)
            self.is_closed = True
            self._writer.transport.abort()
