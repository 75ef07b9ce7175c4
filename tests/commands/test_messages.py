"""Every message that ends a command badly, in one file that a person reads: what, why, what next.

``python -m tests.messages`` writes ``tests/data/messages.txt`` anew; read it before it is
committed, as somebody would whom it wakes at three in the morning.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.commands.kit import Workplace, running_gateway
from tests.commands.situations import ALL, Situation, told
from tests.messages import COLLECTED_IN, GOLDEN, sections


def run(place: Workplace, situation: Situation) -> tuple[int, str]:
    """The exit code and what is said."""
    place.set("ibkr", connect_timeout_sec=situation.connect_sec)
    place.set("pricing", price_timeout_sec=situation.price_sec)
    with ExitStack() as stack:
        if situation.gateway is not None:
            place.connect_to(stack.enter_context(running_gateway(situation.gateway)))
        situation.change(place)
        done = place.run(*situation.flags, stdin="y\n", main=situation.main)
    return done.code, told(done, place)


@pytest.mark.parametrize("name", ALL)
def test_each_message_is_the_one_that_was_read_by_a_person(place: Workplace, name: str) -> None:
    code, text = run(place, ALL[name])
    collected_in = os.environ.get(COLLECTED_IN)
    if collected_in:
        number = list(ALL).index(name)
        Path(collected_in, f"{number:03}").write_text(f"{name}\n{text}\n", encoding="utf-8")
        return
    assert name.startswith(f"exit {code}: ")
    assert text == sections(GOLDEN.read_text(encoding="utf-8")).get(name)


NEXT_STEP = re.compile(
    r"\b(run again|try again|start TWS|check|correct|cancel|close|set|untick|raise|lower"
    r"|add|compare|look|log in|let them|move the file|point|the next run plans|is the client id in"
    r" use)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith("exit 2")])
def test_each_message_names_a_next_step(name: str) -> None:
    assert NEXT_STEP.search(sections(GOLDEN.read_text(encoding="utf-8"))[name])


def test_the_file_has_these_messages_and_no_others() -> None:
    assert list(sections(GOLDEN.read_text(encoding="utf-8"))) == list(ALL)
