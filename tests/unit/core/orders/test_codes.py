"""What a code of the broker's means where one more or one less means something else."""

from __future__ import annotations

import pytest

from src.core.orders.codes import CodeKind, blames_algo, classify


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((2099, CodeKind.AMBIGUOUS), (2100, CodeKind.WARNING)),
        *((2109, CodeKind.WARNING), (2110, CodeKind.SESSION_DOWN), (2111, CodeKind.WARNING)),
        *((2199, CodeKind.WARNING), (2200, CodeKind.AMBIGUOUS)),
    ],
)
def test_a_notice_about_a_data_farm_says_nothing_about_an_order(code: int, kind: CodeKind) -> None:
    assert classify(code) is kind


@pytest.mark.parametrize("code", [0, -1, 425, 10000, 999_999])
def test_a_code_that_nobody_knows_must_be_asked_about(code: int) -> None:
    assert classify(code) is CodeKind.AMBIGUOUS


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        (CodeKind.SESSION_DOWN, (504, 1100, 1300, 2110)),
        (CodeKind.INFO, (10167, 10349)),
        (CodeKind.WARNING, (399, 404, 2109, 2137, 2161)),
    ],
)
def test_what_leaves_an_order_as_it_is_is_told_apart(
    kind: CodeKind, codes: tuple[int, ...]
) -> None:
    assert {classify(code) for code in codes} == {kind}


@pytest.mark.parametrize("code", [387, 439, 442])
def test_a_code_about_algos_blames_the_algo_whatever_happened_to_plain_orders(code: int) -> None:
    assert classify(code) is CodeKind.REJECTED
    assert blames_algo(code, is_plain_refused=False)
    assert blames_algo(code, is_plain_refused=True)


def test_a_refusal_for_any_reason_may_blame_the_algo_until_a_plain_order_got_it() -> None:
    assert blames_algo(201, is_plain_refused=False)
    assert not blames_algo(201, is_plain_refused=True)


@pytest.mark.parametrize(
    "code", [0, 110, 202, 203, 321, 399, 434, 440, 441, 443, 460, 10243, 10311]
)
def test_no_other_code_blames_the_algo(code: int) -> None:
    assert not blames_algo(code, is_plain_refused=False)


@pytest.mark.parametrize("code", [110, 201, 321, 434, 492])
def test_a_refusal_is_looked_into_and_not_waited_upon(code: int) -> None:
    assert classify(code) is CodeKind.REJECTED


@pytest.mark.parametrize("code", [105, 165, 329])
def test_what_only_seems_a_warning_to_the_library_is_asked_about(code: int) -> None:
    assert classify(code) is CodeKind.AMBIGUOUS
