"""Settings file → the settings of each account, or one ``ConfigError`` with every problem of it.

How the values are read is decided in ``settings_file.reader``, what an account's own section adds
in ``src.io.settings_file.accounts``. Whether the mix fits the portfolio CSV is decided in
``src.io.cross_checks``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from src.base.errors import ConfigError, InputError, Problem
from src.base.known_accounts import learn_accounts
from src.base.settings import (
    ExecutionSettings,
    IbkrSettings,
    IoSettings,
    NotifySettings,
    PricingSettings,
    RebalanceSettings,
    Settings,
)
from src.base.text import did_you_mean, printable
from src.core.records.portfolios import folded_name
from src.io.files.input_file import UnusableFile, read_input
from src.io.settings_file.accounts import accounts_of
from src.io.settings_file.ini_scan import scan_ini
from src.io.settings_file.keys import KEY_RULES
from src.io.settings_file.reader import SettingsReader
from src.io.settings_file.warnings import connection_warnings

_ACCOUNT_KEY: Final = re.compile(r"\s*(account_id|id)\b", re.IGNORECASE)
_WORD_WITH_DIGIT: Final = re.compile(r"[A-Za-z]+[0-9][A-Za-z0-9]*")


class SettingsFile(NamedTuple):
    """What one settings file says: the settings of each account, in the file's order.

    ``main`` is what its main sections say. With sections of accounts it names no account and may
    have no models; without them it is the only account.
    """

    main: Settings
    accounts: tuple[Settings, ...]


def load_settings(path: str | Path) -> Settings:
    """Read and validate the settings file of one account.

    Raises: ConfigError with every problem, each with file, line, section, key and expectation;
    for a file of several accounts, naming them.
    """
    return only_account(load_settings_file(path).accounts)


def only_account(accounts: tuple[Settings, ...]) -> Settings:
    """The one account there is. Raises: ConfigError naming all of several."""
    if len(accounts) > 1:
        names = ", ".join(printable(one.name) for one in accounts)
        raise ConfigError(
            f"there are {len(accounts)} accounts and one must be chosen:"
            f" --account NAME, of {names}, or --all"
        )
    return accounts[0]


def choose_accounts(accounts: tuple[Settings, ...], wanted: Sequence[str]) -> tuple[Settings, ...]:
    """Those that are named, in the order of the file; without names all of them.

    A label or an id names an account as well. Raises: InputError naming what there is.
    """
    chosen: dict[int, Settings] = {}
    for text in wanted:
        found = {n: one for n, one in enumerate(accounts) if folded_name(text) in _names(one)}
        if not found:
            known = [one.name or one.ibkr.account_id for one in accounts]
            hint = did_you_mean(text, known) or f"accounts are {', '.join(known)}"
            raise InputError(Problem(f"--account {printable(text, 60)}", "no such account", hint))
        chosen |= found
    return tuple(chosen[n] for n in sorted(chosen)) if wanted else accounts


def _names(settings: Settings) -> set[str]:
    texts = (settings.name, settings.label, settings.ibkr.account_id)
    return {folded_name(text) for text in texts if text}


def load_settings_file(path: str | Path) -> SettingsFile:
    """Read and validate the settings file.

    Raises: ConfigError with every problem, each with file, line, section, key and expectation.
    """
    try:
        text = read_input(path)
        ini = scan_ini(text)
    except UnusableFile as error:
        raise ConfigError(error.problem) from error
    learn_accounts(_accounts_named(text.lines))
    reader = SettingsReader(ini)
    reader.check_sections()
    values = {section: reader.read_section(section) for section in KEY_RULES}
    models = reader.read_models()
    contracts = reader.read_contracts()
    own = accounts_of(reader)
    if ini.problems:
        raise ConfigError(ini.problems.in_file_order())
    ibkr = IbkrSettings(**{"account_id": "", **values["ibkr"]})
    main = Settings(
        ibkr=ibkr,
        models=models,
        rebalance=RebalanceSettings(**values["rebalance"]),
        pricing=PricingSettings(**values["pricing"]),
        execution=ExecutionSettings(**values["execution"]),
        notify=NotifySettings(**values["notify"]),
        io=IoSettings(**values["io"]),
        contracts=contracts,
        source=ini.name,
        content=text.raw,
        lines=reader.lines(),
    )
    beside, is_alone = Path(path).parent, len(own) == 1
    accounts = tuple(one.inherit(main, beside, is_alone=is_alone) for one in own) or (main,)
    learn_accounts(one.ibkr.account_id for one in accounts)
    warned = tuple(one._replace(warnings=connection_warnings(one.ibkr)) for one in accounts)
    return SettingsFile(main=main if own else warned[0], accounts=warned)


def _accounts_named(lines: Iterable[str]) -> Iterator[str]:
    """Every word with a digit behind the key of an account's id, however wrong the line is."""
    for line in lines:
        key = _ACCOUNT_KEY.match(line)
        if key is not None:
            yield from _WORD_WITH_DIGIT.findall(re.split("[;#]", line[key.end() :])[0])
