"""Turns parsed JSON into frozen records by their field types; every complaint names its path.

The records are the schema: a key is a field name, its type says what is accepted, its default makes
it optional. Unknown keys, wrong types, ``nan`` and values a record's own check refuses (it raises
``ValueError``) become one `ScenarioError` such as ``accounts[0].cash.USD: expected a number``.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Literal, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

# A number that may also be -1, NaN or the "unset" sentinel, because a broken gateway shows such.
RawDecimal = NewType("RawDecimal", Decimal)

_MAX_BYTES = 4_000_000
_LARGEST_AMOUNT = Decimal("1e15")
_T = TypeVar("_T")


class ScenarioError(Exception):
    """A scenario that cannot be used; the text names file, path and what was expected."""


def read_json(path: Path) -> object:
    """Parse a JSON file; numbers become int or Decimal, a key given twice is refused."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise ScenarioError(f"{path}: larger than {_MAX_BYTES} bytes")
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_keys,
        )
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"{path}: not valid JSON: {error}") from error


def read_record(kind: type[_T], value: object, path: str) -> _T:
    """Build a record of dataclass ``kind`` from a JSON object; raises ScenarioError."""
    if not is_dataclass(kind):
        raise TypeError(f"{kind!r} is not a record")
    if not isinstance(value, dict):
        raise _wrong(path, "an object", value)
    known = {field.name: field for field in fields(kind)}
    for key in value:
        if key not in known:
            raise ScenarioError(f"{_join(path, key)}: unknown key{_nearest(key, list(known))}")
    missing = [name for name, field in known.items() if name not in value and _is_required(field)]
    if missing:
        raise ScenarioError(f"{_join(path, missing[0])}: required key is missing")
    hints = _hints(kind)
    found = {key: _read(hints[key], item, _join(path, key)) for key, item in value.items()}
    try:
        return cast("_T", kind(**found))
    except ValueError as error:
        raise ScenarioError(f"{path or 'scenario'}: {error}") from error


@cache
def _hints(kind: type) -> Mapping[str, object]:
    """The types of a record's fields; asking is slow, and lists hold many of one kind."""
    return get_type_hints(kind)


def _read(kind: object, value: object, path: str) -> object:
    origin, choices = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in choices:
            allowed = ", ".join(str(choice) for choice in choices)
            raise ScenarioError(f"{path}: expected one of {allowed}; found {_shown(value)}")
        return value
    if origin in (Union, types.UnionType):
        inner = next(choice for choice in choices if choice is not type(None))
        return None if value is None else _read(inner, value, path)
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(path, "a list", value)
        if choices[-1] is not Ellipsis and len(value) != len(choices):
            raise _wrong(path, f"a list of {len(choices)}", value)
        return tuple(_read(choices[0], item, f"{path}[{i}]") for i, item in enumerate(value))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _wrong(path, "an object", value)
        return {key: _read(choices[1], item, _join(path, key)) for key, item in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return read_record(kind, value, path)
    return _read_plain(kind, value, path)


def _read_plain(kind: object, value: object, path: str) -> object:
    reader = _PLAIN_READERS.get(kind)
    if reader is None:
        raise TypeError(f"{path}: no reader for {kind!r}")
    return reader(value, path)


def _read_bool(value: object, path: str) -> object:
    return _expect(bool, value, path, "true or false")


def _read_whole(value: object, path: str) -> object:
    return _expect(int, value, path, "a whole number")


def _read_float(value: object, path: str) -> float:
    return float(_finite(value, path))


def _expect(kind: type, value: object, path: str, words: str) -> object:
    if type(value) is not kind:
        raise _wrong(path, words, value)
    return value


def _read_text(value: object, path: str) -> str:
    text = str(_expect(str, value, path, "text"))
    if "\0" in text:
        raise ScenarioError(f"{path}: text may not hold a NUL character")
    return text


def _number(value: object, path: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise _wrong(path, "a number", value)
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise _wrong(path, "a number", value) from error
    if number.is_snan():
        raise _wrong(path, "a number", value)
    return number


def _finite(value: object, path: str) -> Decimal:
    number = _number(value, path)
    if not number.is_finite() or abs(number) > _LARGEST_AMOUNT:
        raise _wrong(path, "a finite number", value)
    return number


def _read_time(value: object, path: str) -> datetime:
    text = _read_text(value, path)
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise _wrong(path, "a time such as 2025-07-03T14:30:00Z", value) from error
    if moment.tzinfo is None:
        raise ScenarioError(f"{path}: a time needs its offset, such as Z or -05:00")
    return moment.astimezone(timezone.utc)


_PLAIN_READERS: dict[object, Callable[[object, str], object]] = {
    bool: _read_bool,
    str: _read_text,
    int: _read_whole,
    float: _read_float,
    Decimal: _finite,
    RawDecimal: _number,
    datetime: _read_time,
}


def _is_required(field: Field[object]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _nearest(key: str, known: list[str]) -> str:
    import difflib  # slow to load, and few scenarios are wrong

    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(known))}"


def _wrong(path: str, expected: str, value: object) -> ScenarioError:
    return ScenarioError(f"{path or 'scenario'}: expected {expected}; found {_shown(value)}")


def _shown(value: object) -> str:
    return ascii(value)[:60] if isinstance(value, (str, list, dict)) else str(value)[:60]


def _refuse_constant(name: str) -> object:
    raise ValueError(f'{name} is not a JSON number; write it as text, "{name}"')


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key!r} is given twice")
        found[key] = value
    return found
