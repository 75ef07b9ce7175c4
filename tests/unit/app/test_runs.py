"""The command that trades what a dry run showed asks for the very same plan."""

from __future__ import annotations

import pytest

from src.app.runs import trading_command
from src.terminal.options import Task, read_options


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "--simulate",
        "--config own.ini --csv mine.csv",
        "--no-sell --invest",
        "--invest 2000.5",
        "--skip SPY,BND",
        "--simulate --only SPY",
        "--withdraw 10000 --skip SPY",
    ],
)
def test_the_command_has_the_flags_that_the_plan_was_made_with(flags: str) -> None:
    options = read_options(["--dry-run", *flags.split()])
    command = trading_command(options)
    assert command.startswith("python rebalance.py --confirm")
    again = read_options(command.split()[2:])
    assert again == options._replace(task=Task.CONFIRM)
