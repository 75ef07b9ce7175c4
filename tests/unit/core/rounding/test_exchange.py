"""What the search keeps when it cannot keep everything."""

from __future__ import annotations

from src.core.rounding.swaps import State, _thin


def states(*pairs: tuple[int, int]) -> list[State]:
    """States by (spent, error), in order of spending."""
    return [(spent, error, ()) for spent, error in pairs]


def test_a_list_that_is_short_enough_stays_whole() -> None:
    few = states((-5, 3), (-4, 2), (9, 7))
    assert _thin(few, 3) == few


def test_each_slice_of_spending_keeps_its_least_error_the_cheapest_of_equals() -> None:
    """From -10 to 19 in three slices: up to -1, up to 9, up to 19."""
    many = states((-10, 5), (-4, 2), (-1, 4), (0, 3), (5, 3), (9, 6), (10, 9), (15, 8), (19, 8))
    assert _thin(many, 3) == states((-4, 2), (0, 3), (15, 8))


def test_no_more_slices_are_kept_than_asked_for_wherever_the_spending_lies() -> None:
    for spread in range(4, 60):
        many = states(*((1000 + spent, -spent) for spent in range(spread)))
        found = _thin(many, 4)
        assert 1 <= len(found) <= 4
        assert found[-1] == many[-1], "the least error of all is kept"
        assert set(found) <= set(many)


def test_states_of_equal_spending_are_one_slice() -> None:
    assert _thin(states((7, 3), (7, 1), (7, 2)), 2) == states((7, 1))
