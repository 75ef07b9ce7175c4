"""``python -m tests.scenario_schema``: the JSON schema of scenario files, from the records.

An editor that is told of ``data/scenario.schema.json`` completes keys and marks what is wrong. The
program itself reads by the records; ``tests/simulator/test_scenario_schema.py`` fails when the file
is stale.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from src.simulator.scenario.reader import RawDecimal
from src.simulator.scenario.records import ContractSetup, Scenario

SCHEMA: Final = Path(__file__).resolve().parents[1] / "data" / "scenario.schema.json"
_FILLED_UP: Final = (Scenario, ContractSetup)
"""What a file leaves out of these comes from the sample account."""

Schema = dict[str, object]
_PLAIN: Final[dict[object, Schema]] = {
    bool: {"type": "boolean"},
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": ["number", "string"]},
    Decimal: {"type": ["number", "string"]},
    RawDecimal: {"type": ["number", "string"]},
    datetime: {"type": "string", "format": "date-time"},
    type(None): {"type": "null"},
}


def schema() -> Schema:
    """The whole schema."""
    records: dict[str, Schema] = {}
    top = _reference(Scenario, records)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of the simulated gateway",
        **top,
        "$defs": dict(sorted(records.items())),
    }


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=1) + "\n"


def _reference(kind: type, records: dict[str, Schema]) -> Schema:
    name = kind.__name__
    if name not in records:
        records[name] = {}
        records[name] = _record(kind, records)
    return {"$ref": f"#/$defs/{name}"}


def _record(kind: type, records: dict[str, Schema]) -> Schema:
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    required = [
        one.name
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING
    ]
    found: Schema = {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split()),
        "additionalProperties": False,
        "properties": {one.name: _value(hints[one.name], records) for one in fields(kind)},
    }
    return found | ({"required": required} if required and kind not in _FILLED_UP else {})


def _value(kind: object, records: dict[str, Schema]) -> Schema:
    origin, choices = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(choices)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_value(one, records) for one in choices]}
    if origin is tuple:
        return _list(choices, records)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _value(choices[1], records)}
    return _PLAIN[kind] if kind in _PLAIN else _reference(cast("type", kind), records)


def _list(choices: tuple[object, ...], records: dict[str, Schema]) -> Schema:
    items: Schema = {"type": "array", "items": _value(choices[0], records)}
    if choices[-1] is Ellipsis:
        return items
    return {**items, "minItems": len(choices), "maxItems": len(choices)}


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8", newline="\n")
