"""A journal cut short or changed on the disk: the command recovers it or refuses, never guesses."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from src.io.files.state_dir import journal_path, state_dir
from src.simulator.scenario.records import OrderBehaviour
from tests.faults.market import ACCOUNT, market, rule
from tests.faults.stage import Stage

LOST = rule(OrderBehaviour(silence="lost"), "AAA")
RESTS = rule(OrderBehaviour(never_fills=True), "AAA")
SEED = 20250131


def journal_file() -> Path:
    return journal_path(state_dir(is_simulated=False), ACCOUNT)


def put_back(data: bytes) -> None:
    """This journal and nothing beside it."""
    for path in journal_file().parent.glob(f"{journal_file().name}*"):
        path.unlink()
    journal_file().write_bytes(data)


def truncated(data: bytes, cuts: int) -> list[bytes]:
    return [data[: len(data) * number // cuts] for number in range(cuts)]


def flipped(data: bytes, flips: int) -> list[bytes]:
    """One bit changed in each copy, spread evenly over the file."""
    random = Random(SEED)  # noqa: S311 - reproducible damage, not a secret
    copies = []
    for number in range(flips):
        copy = bytearray(data)
        copy[
            random.randrange(len(data) * number // flips, len(data) * (number + 1) // flips)
        ] ^= 1 << random.randrange(8)
        copies.append(bytes(copy))
    return copies


def check_that_all_refuse(stage: Stage, copies: list[bytes]) -> None:
    """An order of unknown fate is in this journal: whatever is left of it, nothing is sent."""
    stage.is_journal_whole = False
    for copy in copies:
        put_back(copy)
        ending = stage.confirm()
        assert (ending.code, ending.orders) == (5, [])
        assert "journal" in ending.err or "is unresolved (AAA" in ending.err
        assert journal_file().stat().st_size > 0 or copy == b""


def open_run(stage: Stage) -> bytes:
    first = stage.open(market(LOST)).confirm()
    assert (first.code, len(stage.open_runs())) == (4, 1)
    return journal_file().read_bytes()


def test_no_damage_lets_an_unresolved_order_be_forgotten(stage: Stage) -> None:
    data = open_run(stage)
    check_that_all_refuse(stage, [data, *truncated(data, 4), *flipped(data, 8)])


@pytest.mark.sweep
def test_no_damage_of_any_part_lets_an_unresolved_order_be_forgotten(stage: Stage) -> None:
    data = open_run(stage)
    check_that_all_refuse(stage, [*truncated(data, 60), *flipped(data, 400)])


def test_no_damage_makes_a_settled_run_trade_again(stage: Stage) -> None:
    assert stage.open(market()).confirm().code == 0
    data = journal_file().read_bytes()
    stage.is_journal_whole = False
    for copy in [*truncated(data, 3), *flipped(data, 5)]:
        put_back(copy)
        ending = stage.confirm()
        assert ending.orders == []
        assert ending.code in (0, 5)


def test_a_removed_journal_is_noticed_while_one_of_its_orders_works(stage: Stage) -> None:
    stage.changes = {"execution": {"order_timeout_sec": 30}}
    stage.open(market(RESTS))
    assert stage.run_mortal(("wire", 2, "after")).was_killed
    for path in journal_file().parent.glob("*.sqlite3*"):
        path.unlink()
    stage.is_journal_whole = False
    ending = stage.confirm()
    assert (ending.code, ending.orders) == (5, [])
    assert "this computer's journal does not know" in ending.err
