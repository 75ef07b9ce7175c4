"""``[account:NAME]``: one account of several, with what it has of its own.

A name becomes the folder of the account's reports and is typed behind ``--account``, so it keeps to
what every file system and shell takes. Ids, names and labels each stand for one account only.

Source: SRS D-102.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from src.base.text import shown_value
from src.core.records.portfolios import folded_name
from src.io.settings_file.keys import ACCOUNT

if TYPE_CHECKING:
    from src.base.settings import Settings
    from src.io.settings_file.ini_scan import IniSection
    from src.io.settings_file.reader import SettingsReader

_NAME: Final = re.compile(r"\w(?:[\w .-]{0,38}[\w-])?")
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_EXPECTED: Final = "a name of letters, digits, spaces, - and _ is expected: [account:joint]"


class OwnSettings(NamedTuple):
    """What one section says: ``values`` by the section that they stand in for."""

    name: str
    values: Mapping[str, Mapping[str, Any]]

    @property
    def label(self) -> str:
        """What the account is called on screen: its name where no label is given."""
        return str(self.values[ACCOUNT].get("label", self.name))

    def inherit(self, main: Settings, beside: Path, *, is_alone: bool) -> Settings:
        """The account's settings; what it leaves out comes from the ``main`` sections.

        A CSV is looked for in the current directory, then in that of the settings, ``beside``.
        Of several accounts each has its own folder for reports.
        """
        own, values = self.values[ACCOUNT], self.values
        folder = main.io.report_dir
        ibkr = main.ibkr._replace(account_id=own["account_id"], **values["ibkr"])
        return main._replace(
            ibkr=ibkr,
            models=own.get("models", main.models),
            rebalance=main.rebalance._replace(**values["rebalance"]),
            execution=main.execution._replace(**values["execution"]),
            io=main.io._replace(report_dir=folder if is_alone else folder / self.name),
            name=self.name,
            label=self.label,
            csv=_found(own["csv"], beside) if "csv" in own else None,
        )


def accounts_of(reader: SettingsReader) -> list[OwnSettings]:
    """All sections of accounts; what is wrong with them is among the reader's problems."""
    sections = reader.account_sections()
    found = [OwnSettings(_name_of(one), reader.read_account(one)) for one in sections]
    for section, one in zip(sections, found, strict=True):
        if not _NAME.fullmatch(one.name) or _DEVICES.fullmatch(one.name):
            reader.report(section.line, section.name, "", "the name will not do", _EXPECTED)
    pairs = list(zip(sections, found, strict=True))
    _refuse_twins(reader, pairs, "id", lambda one: str(one.values[ACCOUNT].get("account_id", "")))
    _refuse_twins(reader, pairs, "label", lambda one: folded_name(one.label))
    _refuse_twins(reader, pairs, "", lambda one: folded_name(one.name))
    return found


def _refuse_twins(
    reader: SettingsReader,
    pairs: list[tuple[IniSection, OwnSettings]],
    key: str,
    told: Callable[[OwnSettings], str],
) -> None:
    """Report every account that is called like one before it."""
    seen: dict[str, IniSection] = {}
    for section, one in pairs:
        first = seen.setdefault(told(one), section) if told(one) else section
        if first is not section:
            entry = section.entries.get(key)
            what = f"{shown_value(entry.value if entry else one.name)} stands twice"
            hint = f"first in [{first.name}], line {first.line}; each account needs its own"
            line = entry.line if entry else section.line
            reader.report(line, section.name, key, what, hint)


def _name_of(section: IniSection) -> str:
    return section.name.partition(":")[2].strip()


def _found(csv: Path, beside: Path) -> Path:
    other = beside / csv
    return other if not csv.exists() and other.exists() else csv
