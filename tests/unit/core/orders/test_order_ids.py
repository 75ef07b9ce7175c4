"""Order ids: above everything seen, never a request's, and not past the broker's last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from src.core.orders.ids import MAX_ORDER_ID, REQUEST_IDS, are_enough, next_order_id

ids = st.one_of(
    st.integers(min_value=0, max_value=2**31 - 1),
    st.integers(min_value=REQUEST_IDS.start - 3, max_value=REQUEST_IDS.stop + 3),
    st.integers(min_value=MAX_ORDER_ID - 10, max_value=MAX_ORDER_ID),
)


@given(ids, ids)
def test_the_next_order_id_is_above_all_seen_and_none_of_a_request(seen: int, least: int) -> None:
    number = next_order_id(seen, least)
    assert number > seen
    assert number >= least
    assert number not in REQUEST_IDS
    is_plain = max(seen + 1, least) not in REQUEST_IDS
    assert not is_plain or number == max(seen + 1, least)


@given(ids, st.integers(min_value=0, max_value=5))
def test_there_is_an_id_for_two_attempts_at_each_ticket_or_it_says_so(
    seen: int, tickets: int
) -> None:
    highest = seen
    for _ in range(2 * tickets):
        highest = next_order_id(highest, 1)
    assert not are_enough(seen, tickets) or highest <= MAX_ORDER_ID
    if seen < MAX_ORDER_ID - 2 * tickets and seen not in REQUEST_IDS:
        assert are_enough(seen, tickets)
