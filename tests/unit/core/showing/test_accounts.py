"""Several accounts side by side: a table that fits the screen, and one exit code of it all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.errors import ExitCode
from src.core.showing.accounts_end import AccountEnd, ends_text, exit_code_of_all
from src.core.showing.accounts_table import AccountLine, accounts_table, total_as_json
from tests.kits.builders import account, plan, targets

HALVES = targets({"SPY": 50, "IAU": 50})
ALONE = (0, 3, 4, 5, 130)


def end(code: int, sent: int = 0, *, unresolved: bool = False) -> AccountEnd:
    return AccountEnd(
        label="joint", code=code, text="text", orders_sent=sent, has_unresolved=unresolved
    )


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ([end(0), end(0)], 0),
        ([end(0), end(3)], 3),
        ([end(130), end(3), end(5)], 5),
        ([end(0), end(130)], 130),
        ([end(0), end(2)], 2),
        ([end(0, 2), end(2)], 4),
        ([end(0, 2), end(0)], 0),
        ([end(0, 2), end(5)], 4),
        ([end(0, 2), end(3)], 4),
        ([end(4, 2), end(0, 1)], 4),
        ([end(4, 2), end(130, 1)], 130),
        ([end(0, 2), end(130)], 130),
        ([end(4, 2, unresolved=True), end(130, 1)], 4),
    ],
)
def test_r418_one_exit_code_of_all(ends: list[AccountEnd], code: int) -> None:
    assert exit_code_of_all(ends) == code


@given(st.lists(st.tuples(st.sampled_from(ALONE), st.integers(0, 2)), min_size=1))
def test_r418_the_code_is_0_only_where_every_account_is_well(found: list[tuple[int, int]]) -> None:
    code = exit_code_of_all([end(one, sent) for one, sent in found])
    assert (code == ExitCode.OK) == all(one == 0 for one, _ in found)
    if any(sent for _, sent in found):
        assert code in (ExitCode.OK, ExitCode.UNFILLED, ExitCode.INTERRUPTED)


def test_r418_the_last_lines_name_each_account() -> None:
    assert ends_text([end(0)]) == "Accounts:\n- joint: text"


@pytest.mark.parametrize("factor", ["1", "1000", "1000000", "100000000"])
def test_r418_the_table_fits_whatever_the_size_of_the_accounts(factor: str) -> None:
    made = plan(account({"SPY": 10, "IAU": 500}, {"SPY": 600, "IAU": 60}, 50_000), HALVES)
    net_liq = made.before.net_liq_usd * Decimal(factor)
    huge = replace(made, before=replace(made.before, net_liq_usd=net_liq))
    lines = [
        AccountLine(label="x" * 40, account_id="DU1", plan=huge),
        AccountLine(label="poor", account_id="DU2", problem="no dollars " * 20),
        AccountLine(label="shut", account_id="DU3", plan=made, obstacles=("market closed",)),
    ]
    table = accounts_table(lines)
    assert max(map(len, table.splitlines())) <= 80
    assert "- poor: no dollars" in table
    assert "- shut: trading: market closed" in table
    assert total_as_json(lines)["tickets"] == 2 * len(made.tickets)
