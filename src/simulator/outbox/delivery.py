"""A message on its way to one client, and the system errors that several parts send."""

from __future__ import annotations

from typing import NamedTuple

from src.simulator.messages.responses import ErrorMessage, Response

SYSTEM_ID = -1
INVALID = "Error validating request.-'bW' : cause - "


class Delivery(NamedTuple):
    """``message`` for the connected client ``client_id``."""

    client_id: int
    message: Response


def deliver(client_id: int, *messages: Response) -> list[Delivery]:
    """The messages, in order, for one client."""
    return [Delivery(client_id=client_id, message=message) for message in messages]


def complain(client_id: int, request_id: int, code: int, text: str) -> list[Delivery]:
    """One error message; ``request_id`` is -1 for the connection as a whole."""
    return deliver(client_id, ErrorMessage(id=request_id, code=code, text=text))


def invalid(client_id: int, request_id: int, cause: str) -> list[Delivery]:
    """Error 321 in TWS's wording."""
    return complain(client_id, request_id, 321, INVALID + cause)
