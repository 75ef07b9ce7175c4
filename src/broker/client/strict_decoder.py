"""The library's decoder, made honest: a message it cannot read is reported, not just logged.

The library drops such messages, so a list of positions or executions can be silently short.
"""

# ruff: noqa: N802, N803 - the library's names

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final

from ib_async.decoder import Decoder
from ib_async.util import UNSET_DOUBLE

from src.broker.client.convert import execution_epoch
from src.core.calendar.broker_time import read_broker_time

if TYPE_CHECKING:
    from src.broker.client.listener import Listener

log = logging.getLogger(__name__)

_UNREADABLE: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    StopIteration,  # the library reads lists with bare iterators
)
_USED: Final = frozenset(
    {1, 3, 4, 5, 6, 7, 9, 10, 11, 15, 18, 45, 46, 49, 52, 53, 54, 55, 57, 58, 59, 61, 62, 79}
    | {63, 64, 71, 72, 73, 74, 101, 102}
)
"""The messages this program asks for; any other kind that the library knows is ignored."""

_NAMES: Final = {
    "3": "order status",
    "5": "open order",
    "6": "account value",
    "7": "portfolio row",
    "10": "contract details",
    "11": "execution",
    "59": "commission report",
    "61": "position",
    "63": "account summary",
    "71": "position",
    "73": "account figure",
    "79": "matching symbols",
    "101": "completed order",
}
_EXEC_TIME: Final = 15  # places of fields within their messages
_COMMISSION: Final = 3
_POSITION_QTY: Final = 14
_POSITION_MULTI_QTY: Final = 15


class StrictDecoder(Decoder):
    """Decodes into a ``Listener`` and tells it about every message that made no sense.

    ``gateway_zone`` is the gateway's own time zone, once its handshake has told it.
    """

    def __init__(self, wrapper: Listener) -> None:
        super().__init__(wrapper, 0)
        self._listener = wrapper
        self.gateway_zone: tzinfo | None = None
        for message_id in self.handlers.keys() - _USED:
            self.handlers[message_id] = _ignore

    def wrap(
        self, methodName: str, types: list[type], skip: int = 2
    ) -> Callable[[list[str]], None]:
        """Like the library's, but an unreadable field is an error here."""

        def handler(fields: list[str]) -> None:
            method = getattr(self.wrapper, methodName, None)
            if method is not None:
                values = zip(types, fields[skip:], strict=False)
                method(*(_read(kind, text) for kind, text in values))

        return handler

    def interpret(self, fields: list[str]) -> None:
        """Decode one message and hand it on; report it when that is impossible.

        A kind of message that is not known cannot be a row of anything asked for: it is skipped.
        """
        try:
            handler = self.handlers.get(int(fields[0]))
            if handler is None:
                log.info("unknown kind of message skipped number=%.12r", fields[0])
            else:
                handler(fields)
        except _UNREADABLE as error:
            head = fields[0][:12] if fields else ""
            name = _NAMES.get(head, f"number {head!r}")
            log.warning("message not understood kind=%s fields=%d", name, len(fields))
            log.debug("message not understood", exc_info=error)
            self._listener.message_unreadable(head, name)

    def execDetails(self, fields: list[str]) -> None:
        """An execution whose time is in doubt is still an execution.

        The library takes a time without a zone for this computer's, UTC too, and drops executions
        whose zone it does not know; seconds since 1970 it takes as they are.
        """
        text = fields[_EXEC_TIME]
        moment = read_broker_time(text, self.gateway_zone)
        if moment is None:
            log.info("execution time in doubt text=%.60r", text)
        fields[_EXEC_TIME] = execution_epoch(moment)
        super().execDetails(fields)

    def commissionReport(self, fields: list[str]) -> None:
        """A missing commission is unknown, not zero."""
        fields[_COMMISSION] = fields[_COMMISSION] or repr(UNSET_DOUBLE)
        super().commissionReport(fields)

    def position(self, fields: list[str]) -> None:
        """A missing quantity is not a number, not zero."""
        fields[_POSITION_QTY] = fields[_POSITION_QTY] or "nan"
        super().position(fields)

    def positionMulti(self, fields: list[str]) -> None:
        """Likewise."""
        fields[_POSITION_MULTI_QTY] = fields[_POSITION_MULTI_QTY] or "nan"
        super().positionMulti(fields)


def _ignore(_: list[str]) -> None:
    """A message nobody here asked for."""


def _read(kind: type, text: str) -> Any:  # noqa: ANN401 - whatever the message's field is
    if kind is str:
        return text
    if kind is bool:
        return bool(int(text or 0))
    return kind(text or 0)
