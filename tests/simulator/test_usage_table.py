"""The table in USAGE of what the simulated gateway serves, refuses and simplifies is complete."""

import re
from collections.abc import Iterable
from pathlib import Path

from src.simulator.messages.layout_requests import REQUEST_LAYOUTS
from src.simulator.messages.orders import Order
from src.simulator.messages.unserved import UNSERVED, Unserved
from src.simulator.orders.attributes import MODELLED, api_name

USAGE = Path(__file__).resolve().parents[2] / "USAGE.md"
WORD = re.compile(r"\b[A-Za-z][A-Za-z0-9]*\b")


def row(start: str) -> set[str]:
    """The words of the table's row that begins so."""
    section = USAGE.read_text(encoding="utf-8").partition("### What it serves, refuses")[2]
    (line,) = [line for line in section.splitlines() if line.startswith(f"| {start}")]
    return set(WORD.findall(line.split("|")[2]))


def names(rows: Iterable[Unserved]) -> set[str]:
    return {one.name for one in rows}


def test_every_request_stands_in_the_row_of_what_becomes_of_it() -> None:
    rows = UNSERVED.values()
    assert row("served") == {layout.name for layout in REQUEST_LAYOUTS}
    loud = [one for one in rows if not one.is_silent and one.instead is None]
    for code in (162, 322):
        assert row(f"refused with {code}") == names(one for one in loud if one.code == code)
    assert row("an empty list") == names(one for one in rows if one.instead is not None)
    assert row("nothing") >= names(one for one in rows if one.is_silent)


def test_every_attribute_of_an_order_stands_in_one_row() -> None:
    acted = {api_name(name) for name in MODELLED}
    assert row("acted on") >= acted
    assert row("refused with 321") == {api_name(name) for name in Order._fields} - acted
