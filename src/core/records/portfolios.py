"""What the portfolio CSV says, as a record: the first nouns of the program.

They stand apart from the other records, so that checking the two input files does not pay for
building all of them at start-up.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

Symbol = str
CASH: Final[Symbol] = "CASH"
"""Pseudo-symbol of weights and drift; never a position."""

Weights = Mapping[Symbol, Decimal]


def folded_name(name: str) -> str:
    """A model's name as names are compared: without case, and é as one character or as two."""
    composed = unicodedata.normalize("NFC", name)
    return unicodedata.normalize("NFC", composed.casefold())


class ModelPortfolios(NamedTuple):
    """Per model name (as the CSV spells it), symbol → weight; CASH may be negative.

    Each model sums to 1 within 0.0001; ``symbols`` are the listed assets without CASH, sorted.
    ``source`` names the file for messages, ``lines`` gives a symbol's line in it, ``header_line``
    that of the models' names (0: unknown), ``content`` is what was read, and ``form`` says how
    (empty for commas and points).
    """

    models: Mapping[str, Weights]
    symbols: tuple[Symbol, ...]
    lines: Mapping[Symbol, int]
    source: str = ""
    content: bytes = b""
    header_line: int = 0
    form: str = ""
