"""All messages of the protocol subset: one table per direction, keyed by message id.

The records live in ``orders`` (shared nouns), ``requests`` and ``responses``; their wire order is
data in the ``layout_*`` modules. A request that is not served (``unserved``) or cannot be read is
not an exception but a ``Refusal``: the connection lives on.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from src.simulator.messages.fields import parse_int
from src.simulator.messages.layout import Field, FieldError, Fixed, Layout, read, write
from src.simulator.messages.layout_requests import REQUEST_LAYOUTS
from src.simulator.messages.layout_responses import RESPONSE_LAYOUTS
from src.simulator.messages.requests import Request
from src.simulator.messages.responses import ErrorMessage, Response
from src.simulator.messages.unserved import UNSERVED, Unserved
from src.simulator.messages.wire import LocalProtocolError, RemoteProtocolError

LOWEST_VERSION = 157
HIGHEST_VERSION = 178
NO_ID = -1
CANNOT_READ = 320
_ID_NAMES = ("req_id", "order_id")

_REQUESTS: Mapping[int, Layout] = {layout.message_id: layout for layout in REQUEST_LAYOUTS}
_RESPONSES: Mapping[int, Layout] = {layout.message_id: layout for layout in RESPONSE_LAYOUTS}
_BY_RECORD: Mapping[Callable[..., object], Layout] = {
    layout.record: layout for layout in (*REQUEST_LAYOUTS, *RESPONSE_LAYOUTS)
}


class Refusal(NamedTuple):
    """A request that is not served or was not understood, with what answers it: often an error."""

    name: str
    replies: tuple[Response, ...]


def parse_request(fields: tuple[str, ...], version: int) -> Request | Refusal:
    """The request in these fields (message id first), or why there is none."""
    message_id = message_id_of(fields)
    layout = _REQUESTS.get(message_id)
    if layout is None:
        return _refuse_unserved(message_id, fields)
    try:
        return cast("Request", read(layout, fields[1:], version))
    except FieldError as error:
        text = f"Error reading request: {error}"
        return _refusal(layout.name, _id_at(fields, _id_index(layout)), text)


def parse_response(fields: tuple[str, ...], version: int) -> Response:
    """The response in these fields: the client's side of the table.

    Raises: RemoteProtocolError if the id is unknown or a field unreadable.
    """
    layout = _RESPONSES.get(message_id_of(fields))
    if layout is None:
        raise RemoteProtocolError(f"unknown message id: {fields[0][:80]!r}")
    try:
        return cast("Response", read(layout, fields[1:], version))
    except FieldError as error:
        raise RemoteProtocolError(f"{layout.name}: {error}") from error


def format_message(message: Request | Response, version: int) -> tuple[str, ...]:
    """All fields of a message, id first; either direction.

    Raises: LocalProtocolError if the record is no message or holds a value that cannot be sent.
    """
    layout = _BY_RECORD.get(type(message))
    if layout is None:
        raise LocalProtocolError(f"{type(message).__name__} is not a message")
    return write(layout, message, version)


def message_id_of(fields: tuple[str, ...]) -> int:
    """The message id, or -1 if the first field is no number."""
    return _id_at(fields, 0)


def request_name(message_id: int) -> str:
    """Name of the record for a request id, for logs; unknown ids are named as such."""
    layout = _REQUESTS.get(message_id)
    return layout.name if layout else _unserved(message_id).name


def request_id_of(fields: tuple[str, ...]) -> int:
    """The id by which an error names this request, or -1 if it carries none."""
    layout = _REQUESTS.get(message_id_of(fields))
    return NO_ID if layout is None else _id_at(fields, _id_index(layout))


def _refuse_unserved(message_id: int, fields: tuple[str, ...]) -> Refusal:
    known = _unserved(message_id)
    if message_id not in UNSERVED:
        text = f"Error reading request: unknown message id '{fields[0][:80]}'"
        return _refusal(known.name, NO_ID, text)
    if known.is_silent:
        return Refusal(name=known.name, replies=())
    if known.instead is not None:
        return Refusal(name=known.name, replies=(known.instead,))
    about = _id_at(fields, known.id_index) if known.id_index else NO_ID
    text = f"Error processing request: the simulated gateway does not serve {known.name}"
    return _refusal(known.name, about, text, known.code)


def _refusal(name: str, about: int, text: str, code: int = CANNOT_READ) -> Refusal:
    return Refusal(name=name, replies=(ErrorMessage(id=about, code=code, text=text),))


def _unserved(message_id: int) -> Unserved:
    return UNSERVED.get(message_id, Unserved("unknown"))


def _id_index(layout: Layout) -> int | None:
    index = 1
    for item in layout.items:
        if isinstance(item, Field):
            return index if item.name in _ID_NAMES else None
        if not isinstance(item, Fixed):
            return None
        index += 1
    return None


def _id_at(fields: tuple[str, ...], index: int | None) -> int:
    if index is None or index >= len(fields):
        return NO_ID
    try:
        return parse_int(fields[index])
    except ValueError:
        return NO_ID
