"""The settings of a simulated run: the user's, with the whole [ibkr] section replaced."""

from __future__ import annotations

from src.errors import Refused
from src.settings import IbkrSettings, Settings


def simulated_settings(settings: Settings, *, read_only: bool) -> Settings:
    """Take [ibkr] from the sample account; ``read_only`` is the command line's flag.

    Host and port are known when the embedded gateway listens; the live switch is off, and what
    was doubtful about the user's own connection settings no longer matters.
    Raises: Refused when the sample account cannot be read.
    """
    from src.simulator.scenario import ScenarioError, load_scenario

    try:
        account_id = load_scenario().accounts[0].account_id
    except ScenarioError as error:
        raise Refused(f"the simulated account cannot be used: {error}") from error
    ibkr = IbkrSettings(account_id=account_id, read_only=read_only)
    return settings._replace(ibkr=ibkr, warnings=())
