"""What the tests of whole commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from src.simulator.scenario.records import Scenario
from tests.commands.kit import Gateway, Workplace, running_gateway, sample

OpenGateway = Callable[[Scenario], Gateway]


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Workplace]:
    """A working directory of the test's own, and the current one while it runs."""
    path = tmp_path / "work"
    path.mkdir()
    monkeypatch.chdir(path)
    with ExitStack() as processes:
        yield Workplace(path, capsys, processes)


@pytest.fixture
def open_gateway(place: Workplace) -> Iterator[OpenGateway]:
    """Start a gateway with a scenario, and point the settings at it."""
    with ExitStack() as stack:

        def start(setting: Scenario) -> Gateway:
            gateway = stack.enter_context(running_gateway(setting))
            place.connect_to(gateway)
            return gateway

        yield start


@pytest.fixture
def gateway(open_gateway: OpenGateway) -> Gateway:
    """A healthy gateway with the sample account."""
    return open_gateway(sample())
