"""Executions repeated and corrected: each counts once, in its newest version."""

from __future__ import annotations

import pytest

from src.core.orders.executions import execution_key, newest_fills
from tests.kits.builders import dec
from tests.kits.orders_kit import fill, with_commission


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a.b.01", "a.b.02", ["a.b.02"]),
        ("a.b.02", "a.b.01", ["a.b.02"]),
        ("a.b.09", "a.b.10", ["a.b.10"]),
        ("a.b.01", "a.b.01", ["a.b.01"]),
        ("a", "a.1", ["a.1"]),
        ("a.1", "a", ["a.1"]),
        ("a.x", "a.x", ["a.x"]),
        ("a.x", "a.y", ["a.x", "a.y"]),
        ("a.01", "b.01", ["a.01", "b.01"]),
    ],
)
def test_the_highest_number_after_the_last_dot_holds(
    first: str, second: str, expected: list[str]
) -> None:
    found = newest_fills([fill(4, first), fill(6, second)])
    assert [one.exec_id for one in found] == expected


def test_only_a_number_after_a_dot_is_left_out_of_the_key() -> None:
    ids = ("a.b.01", "a.b.x", "a.b.", "01", "")
    assert [execution_key(one) for one in ids] == ["a.b", "a.b.x", "a.b.", "01", ""]


def test_a_commission_stays_when_the_execution_is_sent_again_without_one() -> None:
    plain, charged = fill(4), with_commission(fill(4), "0.35")
    for told in ([charged, plain], [plain, charged], [plain, charged, plain]):
        assert newest_fills(told) == (charged,)


def test_a_correction_without_a_commission_keeps_the_known_one() -> None:
    (found,) = newest_fills([with_commission(fill(4, "a.01"), "0.35"), fill(5, "a.02")])
    assert (found.exec_id, found.commission_usd) == ("a.02", dec("0.35"))


def test_a_commission_told_anew_replaces_the_earlier_one() -> None:
    told = [with_commission(fill(4), "0.35"), with_commission(fill(4), "0.40")]
    assert [one.commission_usd for one in newest_fills(told)] == [dec("0.40")]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("7", "7.1", ["7.1"]), ("a.\u00b2", "a.\u00b3", ["a.\u00b2", "a.\u00b3"])],
    ids=["no dot", "raised digits"],
)
def test_an_id_of_another_form_has_no_number(first: str, second: str, expected: list[str]) -> None:
    found = newest_fills([fill(4, first), fill(6, second)])
    assert [one.exec_id for one in found] == expected
