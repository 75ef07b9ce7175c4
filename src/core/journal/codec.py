"""Journal events ↔ one line of JSON text, without loss: decimals, times and enums as text.

The record definitions are the schema: field names and types are read from them, unknown or
missing fields are refused (but for those of ``_ADDED``). Nothing here guesses: text that is not
exactly an event of ``SCHEMA_VERSION`` raises ``JournalError``.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from src.base.errors import JournalError
from src.core.journal.events import (
    Acknowledged,
    CommissionRecorded,
    Declined,
    IntentRecorded,
    JournalEvent,
    ReportWritten,
    RunAccepted,
    RunClosed,
    TicketEnded,
)
from src.core.journal.version import SCHEMA_VERSION
from src.core.records.orders import Fill, TicketStatus
from src.core.records.plan import SkippedTrade, TradePlan

_T = TypeVar("_T")
_KINDS: Final[Mapping[str, type]] = {kind.__name__: kind for kind in get_args(JournalEvent)}
_ADDED: Final[Mapping[type, frozenset[str]]] = {
    Fill: frozenset({"foreign_commission"}),
    CommissionRecorded: frozenset({"foreign_commission"}),
    TradePlan: frozenset({"outside_limits", "waiting", "wishes"}),
    SkippedTrade: frozenset({"code"}),
    Acknowledged: frozenset({"filled_shares", "seen_in", "is_alive", "text"}),
    IntentRecorded: frozenset({"quote_usd"}),
}
"""Fields that older journals of this schema lack; they then have the record's default."""

_MARKS: Final[Mapping[type, str]] = {
    RunClosed: "closed",
    RunAccepted: "closed",
    Declined: "declined",
    ReportWritten: "reported",
}


def event_to_text(event: JournalEvent) -> str:
    """One line of ASCII JSON; the same event always gives the same text."""
    body = {
        "kind": type(event).__name__,
        "schema": SCHEMA_VERSION,
        "event": _to_plain(event),
    }
    return json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def event_from_text(text: str) -> JournalEvent:
    """The event that ``event_to_text`` wrote.

    Raises: JournalError for anything else.
    """
    try:
        body = json.loads(text)
        if body["schema"] != SCHEMA_VERSION:
            raise JournalError(f"journal event has schema {body['schema']}, need {SCHEMA_VERSION}")
        return cast("JournalEvent", _from_plain(body["event"], _KINDS[body["kind"]]))
    except (ValueError, TypeError, KeyError, InvalidOperation, RecursionError) as error:
        raise JournalError(f"journal event cannot be read: {error!r}") from error


def once_key(event: JournalEvent) -> str | None:
    """A key that may occur once per journal: the order ref of an intent, else None."""
    return event.request.order_ref if isinstance(event, IntentRecorded) else None


def run_mark(event: JournalEvent) -> str:
    """What an event says about its run at a glance: one of four words, or nothing.

    ``closed``, ``declined``, ``doubt`` (a ticket unresolved), ``reported``. They spare reading
    every old run at each start; whatever they leave over, ``fold`` decides.
    """
    if isinstance(event, TicketEnded):
        return "doubt" if event.status is TicketStatus.UNRESOLVED else ""
    return _MARKS.get(type(event), "")


def _to_plain(value: object) -> object:
    if isinstance(value, (Decimal, datetime, Enum)):
        return _scalar_to_plain(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _to_plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: _to_plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"cannot be journalled: {value!r}")


def _scalar_to_plain(value: Decimal | datetime | Enum) -> object:
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value.isoformat()


def _from_plain(plain: object, kind: object) -> object:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _from_optional(plain, get_args(kind))
    if origin is tuple:
        return tuple(_from_plain(item, get_args(kind)[0]) for item in _checked(plain, list))
    if origin is not None:
        item_kind = get_args(kind)[1]
        pairs = _checked(plain, dict).items()
        return {_checked(key, str): _from_plain(item, item_kind) for key, item in pairs}
    if not isinstance(kind, type):
        raise TypeError(f"unsupported field type {kind!r}")
    if is_dataclass(kind):
        return _record_from_plain(_checked(plain, dict), kind)
    return _scalar_from_plain(plain, kind)


def _from_optional(plain: object, kinds: tuple[object, ...]) -> object:
    if plain is None:
        return None
    (kind,) = (one for one in kinds if one is not type(None))
    return _from_plain(plain, kind)


def _record_from_plain(plain: dict[str, object], kind: type) -> object:
    hints = _hints(kind)
    differing = (plain.keys() ^ hints.keys()) - (_ADDED.get(kind, frozenset()) - plain.keys())
    if differing:
        raise ValueError(f"fields of {kind.__name__} differ: {sorted(differing)}")
    return kind(**{name: _from_plain(plain[name], hints[name]) for name in plain})


def _scalar_from_plain(plain: object, kind: type) -> object:
    if kind is Decimal:
        return Decimal(_checked(plain, str))
    if kind is datetime:
        return datetime.fromisoformat(_checked(plain, str))
    if issubclass(kind, Enum):
        return kind(plain)
    return _checked(plain, kind)


def _checked(plain: object, kind: type[_T]) -> _T:
    if type(plain) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {plain!r}")
    return plain


@cache
def _hints(kind: type) -> dict[str, object]:
    return dict(get_type_hints(kind))
