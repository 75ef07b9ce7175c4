"""What every test gets: its own state directory, reproducible examples, and the opt-in markers."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from src.base.known_accounts import KNOWN_ACCOUNTS

# A busy machine is no reason to fail: no deadline for an example, nor for making it.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
PATIENT = settings.get_profile("patient")
# The same examples everywhere; HYPOTHESIS_PROFILE=search looks for new ones, by hand.
settings.register_profile("steady", PATIENT, max_examples=50, derandomize=True, print_blob=True)
settings.register_profile("search", PATIENT, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

STATES = count()
LONGEST = "test_seeds.py"
HOW_TO_INTEGRATE = (
    "needs a paper account in TWS or IB Gateway: put it in config/settings.local.ini, "
    "then run pytest -m integration"
)


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the journal and lock of a test, and of the processes it starts, out of the user's.

    A test starts as a process does: no account id has been named yet, and there is no such folder.
    """
    KNOWN_ACCOUNTS.forget()
    home = tmp_path_factory.getbasetemp() / f"state{next(STATES)}"
    os.environ["XDG_STATE_HOME"] = os.environ["LOCALAPPDATA"] = str(home)
    yield home
    if home.is_dir():
        shutil.rmtree(home, ignore_errors=True)


def pytest_xdist_auto_num_workers() -> int:
    """Run a worker a core and one more: what a gateway keeps waiting leaves time for another."""
    return 1 + (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for garbage takes a tenth of the time."""
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip ``integration``, leave out ``sweep`` unless -m names them; the longest file is first."""
    items.sort(key=lambda item: item.path.name != LONGEST)
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
