"""What a simulated run starts from: its scenario, and settings with the [ibkr] section replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.base.errors import InputError
from src.base.settings import IbkrSettings, Settings

if TYPE_CHECKING:
    from src.simulator.scenario.records import Scenario
    from src.terminal.options import Rehearsal


def load_rehearsal(rehearsal: Rehearsal) -> Scenario:
    """The scenario to play.

    Raises: InputError naming the file, and the path in it, of what is wrong.
    """
    from src.simulator.scenario.records import ScenarioError, find_scenario, load_scenario

    try:
        return load_scenario(find_scenario(rehearsal.scenario), moves=True)
    except ScenarioError as error:
        raise InputError(f"--simulate: {error}") from error


def simulated_settings(settings: Settings, rehearsal: Rehearsal, *, read_only: bool) -> Settings:
    """Take [ibkr] from the scenario's first account; ``read_only`` is the command line's flag.

    Host and port are known when the embedded gateway listens; the live switch is off, and what
    was doubtful about the user's own connection settings no longer matters.
    Raises: as ``load_rehearsal``.
    """
    account_id = load_rehearsal(rehearsal).accounts[0].account_id
    ibkr = IbkrSettings(account_id=account_id, read_only=read_only)
    return settings._replace(ibkr=ibkr, warnings=())
