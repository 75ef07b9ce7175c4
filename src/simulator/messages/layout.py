"""The shape of a message as data, and the two walks over it: read and write.

A layout is a tuple of items in wire order. ``Field`` is one value; ``since`` and ``until`` are the
first and last protocol version that have it. ``Fixed`` is a message's own version number: written
as it stands, skipped when read. ``When`` holds items that are present only if an earlier value
asks for them, ``Repeat`` a count followed by that many sub-records. Names may be dotted:
``order.tif`` is the field ``tif`` of the part ``order``.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from src.simulator.messages.fields import Codec, parse_int
from src.simulator.messages.orders import ContractKey, Order, OrderState
from src.simulator.messages.wire import LocalProtocolError

EVER = 10**9
MAX_REPEATS = 1000
PARTS: Mapping[str, Callable[..., object]] = {
    "contract": ContractKey,
    "order": Order,
    "state": OrderState,
}


class FieldError(Exception):
    """A received field is missing or unreadable; the text names it and its value."""


class Fixed(NamedTuple):
    """A constant, the version number of one message, until version ``until``."""

    text: str
    until: int = EVER


class Field(NamedTuple):
    """One value under ``name``, present from version ``since`` through ``until``."""

    name: str
    codec: Codec
    since: int = 0
    until: int = EVER


class When(NamedTuple):
    """``items`` follow only if ``test`` holds for the value ``name``, from version ``since``."""

    name: str
    test: Callable[[object], bool]
    items: "tuple[Item, ...]"
    since: int = 0


class Repeat(NamedTuple):
    """A count, then that many ``record`` written by ``items``."""

    name: str
    record: Callable[..., object]
    items: "tuple[Item, ...]"


Item: TypeAlias = Fixed | Field | When | Repeat


class Layout(NamedTuple):
    """One message: its id on the wire, its record and its items after the id."""

    message_id: int
    record: Callable[..., object]
    items: tuple[Item, ...]

    @property
    def name(self) -> str:
        """Name of the record."""
        return self.record.__name__


class _Source:
    """The fields of one message, read from front to back."""

    def __init__(self, fields: tuple[str, ...], version: int) -> None:
        self._rest = iter(fields)
        self.version = version

    def text(self, name: str) -> str:
        try:
            return next(self._rest)
        except StopIteration:
            raise FieldError(f"field '{name}' is missing") from None

    def value(self, name: str, codec: Codec) -> object:
        text = self.text(name)
        try:
            return codec.parse(text)
        except ValueError:
            raise FieldError(f"field '{name}' is no {codec.kind}: '{text[:80]}'") from None


def read(layout: Layout, fields: tuple[str, ...], version: int) -> object:
    """Build the record from the fields after the message id; surplus fields are ignored.

    Raises: FieldError if a field is missing or unreadable.
    """
    values: dict[str, object] = {}
    _read_items(layout.items, _Source(fields, version), values)
    return _assemble(layout.record, values)


def write(layout: Layout, record: object, version: int) -> tuple[str, ...]:
    """All fields of the message, id first.

    Raises: LocalProtocolError if the record holds a value its field cannot carry.
    """
    fields = [str(layout.message_id)]
    _write_items(layout.items, record, version, fields)
    return tuple(fields)


def _read_items(items: tuple[Item, ...], source: _Source, values: dict[str, object]) -> None:
    for item in items:
        if isinstance(item, Fixed):
            if source.version <= item.until:
                source.text("version")
        elif isinstance(item, Field):
            if item.since <= source.version <= item.until:
                values[item.name] = source.value(item.name, item.codec)
        elif isinstance(item, Repeat):
            values[item.name] = _read_repeat(item, source)
        elif item.since <= source.version and item.test(values[item.name]):
            _read_items(item.items, source, values)


def _read_repeat(item: Repeat, source: _Source) -> tuple[object, ...]:
    text = source.text(item.name)
    try:
        count = parse_int(text) if text else 0
    except ValueError:
        count = -1
    if not 0 <= count <= MAX_REPEATS:
        raise FieldError(f"field '{item.name}' is no count: '{text[:80]}'")
    records = []
    for _ in range(count):
        values: dict[str, object] = {}
        _read_items(item.items, source, values)
        records.append(item.record(**values))
    return tuple(records)


def _write_items(items: tuple[Item, ...], record: object, version: int, out: list[str]) -> None:
    for item in items:
        if isinstance(item, Fixed):
            if version <= item.until:
                out.append(item.text)
        elif isinstance(item, Field):
            if item.since <= version <= item.until:
                out.append(_format(item, _lookup(record, item.name)))
        elif isinstance(item, Repeat):
            _write_repeat(item, record, version, out)
        elif item.since <= version and item.test(_lookup(record, item.name)):
            _write_items(item.items, record, version, out)


def _format(item: Field, value: object) -> str:
    try:
        return item.codec.format(value)
    except LocalProtocolError as error:
        raise LocalProtocolError(f"{item.name}: {error}") from error


def _write_repeat(item: Repeat, record: object, version: int, out: list[str]) -> None:
    records = _lookup(record, item.name)
    if not isinstance(records, tuple):
        raise LocalProtocolError(f"{item.name} is not a tuple: {records!r}")
    out.append(str(len(records)))
    for one in records:
        _write_items(item.items, one, version, out)


def _lookup(record: object, name: str) -> object:
    value = record
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _assemble(record: Callable[..., object], values: dict[str, object]) -> object:
    own: dict[str, object] = {}
    parts: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        part, dot, field = name.partition(".")
        if dot:
            parts.setdefault(part, {})[field] = value
        else:
            own[name] = value
    for part, part_values in parts.items():
        own[part] = PARTS[part](**part_values)
    return record(**own)
