"""What every test gets: its own state directory, reproducible examples, and the opt-in markers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

HOW_TO_INTEGRATE = (
    "needs a paper account in TWS or IB Gateway: put it in config/settings.local.ini, "
    "then run pytest -m integration"
)


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the journal and lock of a test, and of the processes it starts, out of the user's."""
    home = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    monkeypatch.setenv("LOCALAPPDATA", str(home))
    return home


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip ``integration`` and leave out ``sweep``, unless -m names them."""
    chosen = str(config.getoption("markexpr", ""))
    if "integration" not in chosen:
        for item in items:
            if item.get_closest_marker("integration"):
                item.add_marker(pytest.mark.skip(reason=HOW_TO_INTEGRATE))
    if "sweep" not in chosen:
        left_out = [item for item in items if item.get_closest_marker("sweep")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if not item.get_closest_marker("sweep")]
