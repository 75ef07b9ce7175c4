"""A small share of every fuzz target, and that memory stays bounded."""

from __future__ import annotations

import pytest

from tests.fuzz.campaign import MOST_BYTES, TARGETS, peak_bytes, play_cases

SHARE = {"ini": 250, "csv": 250, "client": 60, "gateway": 40, "program": 12}


@pytest.mark.parametrize("name", SHARE)
def test_only_documented_outcomes(name: str) -> None:
    tally = play_cases(name, range(SHARE[name]))
    told = [
        f"python -m tests.fuzz --target {name} --start {number} --count 1: {text}"
        for number, text in tally.failures.items()
    ]
    assert not told, "\n".join(told)
    assert len(tally.outcomes) > 1, "nothing was ever damaged, or nothing ever survived"


def test_every_target_has_a_share() -> None:
    assert set(SHARE) == set(TARGETS)


@pytest.mark.parametrize("name", ["client", "gateway"])
def test_memory_is_bounded(name: str) -> None:
    assert peak_bytes(name, range(10)) < MOST_BYTES
