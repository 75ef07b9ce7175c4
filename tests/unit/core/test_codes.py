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
