"""Market data lines: streams and snapshots, what kind a client is granted, and refusals.

The order of arrival is TWS's: 81 (parameters), 58 (kind granted), prices with their sizes, sizes,
timestamp, and 57 at the end of a snapshot. A line is taken by every open request, of all clients.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from src.simulator.market.contracts import NOT_FOUND, ContractDesk
from src.simulator.market.prices import Market
from src.simulator.messages.market import TickSnapshotEnd
from src.simulator.messages.requests import (
    CancelMktData,
    ReqMarketDataType,
    ReqMktData,
    Request,
)
from src.simulator.outbox.agenda import Agenda
from src.simulator.outbox.delivery import INVALID, Delivery, complain, deliver, invalid
from src.simulator.quotes.ticks import (
    LIVE,
    close_tick,
    first_ticks,
    grant,
    halt_tick,
    price_ticks,
)
from src.simulator.scenario.records import ContractSetup

_SNAPSHOT_LIMIT_SEC = 11
_KINDS = (1, 2, 3, 4)
_FIRST_DELAYED_KIND = 3
_PARTLY = 10090
_REFUSED_KEPT = 1000
_REFUSALS = {
    354: "Requested market data is not subscribed.Delayed market data is available.",
    10089: "Requested market data requires additional subscription for API. See link in 'Market"
    " Data Connections' dialog for more details.Delayed market data is available.",
    10090: "Part of requested market data is not subscribed. Subscription-independent ticks are"
    " still active.Delayed market data is available.",
    10167: "Requested market data is not subscribed. Displaying delayed market data.",
    10168: "Requested market data is not subscribed. Delayed market data is not enabled.",
    10186: "Requested market data is not subscribed. Delayed market data is not enabled.",
    10197: "No market data during competing live session",
}


class _Line(NamedTuple):
    client_id: int
    req_id: int
    contract: ContractSetup
    is_snapshot: bool
    kind: int


class MarketDataDesk:
    """Keeps the open market data lines of all clients."""

    def __init__(
        self, contracts: ContractDesk, market: Market, agenda: Agenda, line_limit: int
    ) -> None:
        self._contracts = contracts
        self._market = market
        self._agenda = agenda
        self._line_limit = line_limit
        self._lines: dict[tuple[int, int], _Line] = {}
        self._refused: dict[tuple[int, int], int] = {}
        self._kinds: dict[int, int] = {}

    def handle(self, client_id: int, request: Request, now: datetime) -> list[Delivery]:
        """Answer a request about market data; nothing for any other request."""
        match request:
            case ReqMktData():
                return self._open(client_id, request, now)
            case CancelMktData():
                return self._cancel(client_id, request.req_id)
            case ReqMarketDataType():
                return self._choose_kind(client_id, request.market_data_type)
        return []

    def disconnect(self, client_id: int) -> None:
        """Close this client's lines."""
        self._lines = {key: line for key, line in self._lines.items() if key[0] != client_id}
        self._refused = {key: code for key, code in self._refused.items() if key[0] != client_id}
        self._kinds.pop(client_id, None)

    def drop_all(self) -> None:
        """Lose every subscription silently, as with message 1101."""
        self._lines = {}

    def price_changed(self, contract: ContractSetup, now: datetime) -> list[Delivery]:
        """Send the new prices to the streams of this contract."""
        deliveries: list[Delivery] = []
        for line in self._ticking(contract):
            kind = grant(contract, line.kind, is_trading=self._market.is_trading(contract, now))
            ticks = price_ticks(self._market, contract, line.req_id, kind, now)
            deliveries += deliver(line.client_id, *ticks)
        return deliveries

    def halt_changed(self, contract: ContractSetup) -> list[Delivery]:
        """Send the halt tick to the streams of this contract."""
        value = self._market.halt(contract)
        return [
            part
            for line in self._ticking(contract)
            for part in deliver(
                line.client_id,
                halt_tick(line.req_id, value, is_delayed=contract.market_data.access == "delayed"),
            )
        ]

    def refused(self, contract: ContractSetup) -> list[Delivery]:
        """End the open lines of this contract: the market refuses its data."""
        code = self._market.refusal(contract)
        ended = [key for key, line in self._lines.items() if line.contract is contract]
        return [part for key in ended for part in self._refuse(key, code, _REFUSALS[code])]

    def _ticking(self, contract: ContractSetup) -> list[_Line]:
        if contract.market_data.access not in ("live", "delayed"):
            return []
        return [line for line in self._lines.values() if line.contract is contract]

    def _choose_kind(self, client_id: int, kind: int) -> list[Delivery]:
        if kind not in _KINDS:
            return invalid(client_id, -1, f"Invalid market data type {kind}")
        self._kinds[client_id] = kind
        return []

    def _cancel(self, client_id: int, req_id: int) -> list[Delivery]:
        """End a line; in silence also one that was refused, which is no fault of the client."""
        key = (client_id, req_id)
        if self._lines.pop(key, None) is None and self._refused.pop(key, None) is None:
            return complain(client_id, req_id, 300, f"Can't find EId with tickerId:{req_id}")
        return []

    def _refuse(self, key: tuple[int, int], code: int, text: str) -> list[Delivery]:
        self._lines.pop(key, None)
        self._refused[key] = code
        if len(self._refused) > _REFUSED_KEPT:
            del self._refused[next(iter(self._refused))]
        return complain(*key, code, text)

    def _open(self, client_id: int, request: ReqMktData, now: datetime) -> list[Delivery]:
        key = (client_id, request.req_id)
        if key in self._lines:
            return complain(*key, 102, "Duplicate ticker ID")
        found = self._contracts.find(request.contract)
        if (cause := _invalid_cause(request)) is not None:
            return self._refuse(key, 321, f"{INVALID}{cause}")
        if len(found) != 1:
            name = request.contract.symbol or request.contract.con_id
            ambiguous = f"The contract description specified for {name} is ambiguous."
            return self._refuse(key, 200, ambiguous if found else NOT_FOUND)
        if len(self._lines) >= self._line_limit:
            return self._refuse(key, 101, "Max number of tickers has been reached")
        line = self._lines[key] = _Line(
            client_id=client_id,
            req_id=request.req_id,
            contract=found[0],
            is_snapshot=request.snapshot or request.regulatory_snapshot,
            kind=self._kinds.get(client_id, LIVE),
        )
        self._refused.pop(key, None)
        self._agenda.add(now, found[0].market_data.delay_sec, lambda at: self._start(line, at))
        return []

    def _start(self, line: _Line, now: datetime) -> list[Delivery]:
        if not self._is_open(line):
            return []
        code = self._market.refusal(line.contract) or _refusal(line)
        if code:
            return self._refuse_line(line, code, now)
        data = line.contract.market_data
        deliveries: list[Delivery] = []
        if data.access != "silent":
            if data.access == "delayed":
                deliveries += complain(line.client_id, line.req_id, 10167, _REFUSALS[10167])
            ticks = first_ticks(self._market, line.contract, line.req_id, line.kind, now)
            deliveries += deliver(line.client_id, *ticks)
        if line.is_snapshot:
            is_complete = data.access != "silent" and None not in data.shown.values()
            end_sec = data.snapshot_end_sec if is_complete else _SNAPSHOT_LIMIT_SEC
            self._agenda.add(now, end_sec, lambda _: self._end_snapshot(line))
        return deliveries

    def _refuse_line(self, line: _Line, code: int, now: datetime) -> list[Delivery]:
        """The refusal; one in part leaves a stream what needs no subscription: the close."""
        key = (line.client_id, line.req_id)
        if code == _PARTLY and not line.is_snapshot:
            ticks = close_tick(self._market, line.contract, line.req_id, now)
            return [*complain(*key, code, _REFUSALS[code]), *deliver(line.client_id, *ticks)]
        return self._refuse(key, code, _REFUSALS[code])

    def _end_snapshot(self, line: _Line) -> list[Delivery]:
        if not self._is_open(line):
            return []
        self._lines.pop((line.client_id, line.req_id))
        return deliver(line.client_id, TickSnapshotEnd(req_id=line.req_id))

    def _is_open(self, line: _Line) -> bool:
        return self._lines.get((line.client_id, line.req_id)) is line


def _invalid_cause(request: ReqMktData) -> str | None:
    """What is wrong with the request itself, or asks for what is not simulated."""
    if not request.contract.exchange:
        return "Please enter exchange"
    if request.generic_ticks and (request.snapshot or request.regulatory_snapshot):
        return "Snapshot market data subscription is not applicable to generic ticks"
    if request.generic_ticks:
        return f"Incorrect generic tick list of {request.generic_ticks}. None are simulated"
    return "Delta neutral contracts are not simulated" if request.has_underlying else None


def _refusal(line: _Line) -> int:
    """The error code with which this line is refused, or 0."""
    data = line.contract.market_data
    wants_delayed = line.kind >= _FIRST_DELAYED_KIND
    if data.access == "none":
        return 10168 if wants_delayed and data.refusal != 10197 else data.refusal  # noqa: PLR2004
    if data.access == "delayed" and not wants_delayed:
        return data.refusal
    return 0
