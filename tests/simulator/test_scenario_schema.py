"""The JSON schema of scenario files says what the records say, and the scenarios follow it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from src.simulator.scenario.sample import SAMPLE_ACCOUNT, SCENARIOS
from tests.scenario_schema import SCHEMA, schema, text

FILES = [SAMPLE_ACCOUNT, *sorted(SCENARIOS.glob("*.json"))]
DEFS = schema()["$defs"]


def test_the_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == text(), "run python -m tests.scenario_schema"


def unknown(value: object, rule: dict[str, object], path: str) -> list[str]:
    """Keys and words of a file that the schema does not know."""
    if "$ref" in rule:
        assert isinstance(DEFS, dict)
        return unknown(value, DEFS[str(rule["$ref"]).rpartition("/")[2]], path)
    if isinstance(value, dict) and isinstance(given := rule.get("properties"), dict):
        strange = [f"{path}.{key}" for key in value if key not in given]
        known = [(key, item) for key, item in value.items() if key in given]
        return strange + [
            word for key, item in known for word in unknown(item, given[key], f"{path}.{key}")
        ]
    if isinstance(value, list) and isinstance(items := rule.get("items"), dict):
        return [
            word for at, one in enumerate(value) for word in unknown(one, items, f"{path}[{at}]")
        ]
    allowed = rule.get("enum")
    return [path] if isinstance(allowed, list) and value not in allowed else []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_scenarios_follow_the_schema(path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert unknown(data, schema(), "") == []


def test_the_schema_knows_what_is_wrong() -> None:
    wrong = {"markt": 1, "market": "shut", "order_rules": [{"then": {"silence": "x", "y": 1}}]}
    assert unknown(wrong, schema(), "") == [
        ".markt",
        ".market",
        ".order_rules[0].then.y",
        ".order_rules[0].then.silence",
    ]
