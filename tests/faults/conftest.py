"""The stage every fault is played on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.stage import Stage


@pytest.fixture
def stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Stage:
    return Stage(tmp_path, monkeypatch, capsys)
