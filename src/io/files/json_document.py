"""One JSON object in a file: numbers as exact decimals, no name twice.

A number that cannot be one of ours is kept with its problem, so that its place can be told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from src.base.errors import SnapshotFileError
from src.base.money import parse_machine_decimal
from src.base.text import printable, shown_value

MAX_BYTES = 4_000_000


def parse_document(path: Path) -> Mapping[str, object]:
    """The one JSON object in a file, its numbers as decimals.

    Raises: SnapshotFileError.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        why = f"{error.strerror or error} (python -m src.snapshot --csv makes such a file)"
        raise SnapshotFileError(f"{path}: cannot be read: {why}") from error
    if len(raw) > MAX_BYTES:
        raise SnapshotFileError(f"{path}: larger than {MAX_BYTES} bytes, not a snapshot")
    try:
        document = json.loads(
            raw.decode("utf-8-sig"),
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_no_duplicates,
        )
    except (ValueError, RecursionError) as error:
        raise SnapshotFileError(f"{path}: not a JSON snapshot: {printable(str(error))}") from error
    if not isinstance(document, dict):
        raise SnapshotFileError(f"{path}: expected one JSON object, as `src.snapshot` prints it")
    return document


class NoNumber(NamedTuple):
    """A number of JSON that is none for us; its place is told when it is used."""

    problem: str


def _number(text: str) -> Decimal | NoNumber:
    try:
        return parse_machine_decimal(text)
    except ValueError as error:
        return NoNumber(f"{shown_value(text)} is not valid: {error}")


def _no_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is not a number")


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("the same name stands twice in one object")
    return result
