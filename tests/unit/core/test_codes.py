"""What a code of the broker's means where one more or one less means something else."""

from __future__ import annotations

import pytest

from src.core.codes import CodeKind, classify, is_algo_refusal


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
    assert not is_algo_refusal(code, "algo not supported")


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        (CodeKind.SESSION_DOWN, (504, 1100, 1300, 2110)),
        (CodeKind.INFO, (10167, 10349)),
        (CodeKind.WARNING, (399, 404, 492)),
    ],
)
def test_what_leaves_an_order_as_it_is_is_told_apart(
    kind: CodeKind, codes: tuple[int, ...]
) -> None:
    assert {classify(code) for code in codes} == {kind}


@pytest.mark.parametrize("code", [387, 439, 441, 442, 443])
def test_a_code_about_algos_needs_no_words(code: int) -> None:
    assert classify(code) is CodeKind.REJECTED
    assert is_algo_refusal(code, "")


@pytest.mark.parametrize(
    "text",
    [
        "Order rejected - reason: the ALGO strategy is not available for this contract",
        "Order rejected - reason: Adaptive orders are not allowed here",
        "Order rejected - reason: invalid algo parameters",
        "Order rejected - reason: unsupported order type",
        "Order rejected - reason: MidPrice is not supported",
    ],
)
def test_a_refusal_of_the_way_of_sending_is_told_by_its_words(text: str) -> None:
    assert is_algo_refusal(201, text)
    assert not is_algo_refusal(202, text)


@pytest.mark.parametrize(
    "text",
    [
        "Order rejected - reason: insufficient margin for this order type",
        "Order rejected - reason: the contract is not available for trading",
        "Order rejected - reason: invalid account",
        "",
    ],
)
def test_a_refusal_for_another_reason_is_no_reason_to_send_a_plain_order(text: str) -> None:
    assert not is_algo_refusal(201, text)
