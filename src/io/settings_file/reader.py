"""Each section of the settings file → values by field, or what is wrong with it.

Nothing is guessed: an unknown section or key, a value given twice, and a value outside its range
are problems, never ignored. Percent and basis points become fractions here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from src.base.money import ONE, exact_sum, plain_text
from src.base.settings import ContractChoice
from src.base.text import did_you_mean, nearest, printable, shown_value
from src.core.records.portfolios import CASH, Symbol
from src.io.portfolio_file.csv_cells import read_symbol
from src.io.settings_file.ini_scan import Entry, IniSection, IniText, place_of
from src.io.settings_file.keys import (
    ACCOUNT,
    ACCOUNT_RULES,
    CONTRACTS,
    KEY_RULES,
    MODELS,
    REQUIRED_SECTIONS,
    SECTIONS,
    KeyRule,
)
from src.io.settings_file.values import contract_choice, share_of_mix

MIX_TOLERANCE: Final = Decimal("0.001")
MAX_NAME_CHARS: Final = 64


def kind_of(section: str) -> str:
    """What a section is about: ``account`` of ``account:joint``."""
    kind, colon, _name = section.partition(":")
    return kind.strip().casefold() if colon else section


def _plain(section: str) -> str:
    """``account:joint``, however many spaces stand around the colon."""
    kind, colon, name = section.partition(":")
    return f"{kind.strip()}{colon}{name.strip()}"


class SettingsReader:
    """Turns scanned text into values and adds what is wrong to the scan's problems."""

    def __init__(self, ini: IniText) -> None:
        self.ini = ini

    def check_sections(self) -> None:
        """Report unknown, misspelled and missing sections."""
        for folded, section in self.ini.sections.items():
            if section.name in SECTIONS or kind_of(folded) == ACCOUNT:
                continue
            hint = did_you_mean(folded, SECTIONS) or f"sections are {', '.join(SECTIONS)}"
            if folded == "default":
                hint = "write each key in its own section"
            elif nearest(kind_of(folded), (ACCOUNT,)):
                hint = "an account's section is called [account:NAME]"
            self.report(section.line, section.name, "", "unknown section", hint)
        for name in () if self.account_sections() else REQUIRED_SECTIONS:
            if name not in self.ini.sections:
                self.report(0, name, "", "the section is missing", "add it, as the sample has it")

    def account_sections(self) -> list[IniSection]:
        """The sections ``[account:NAME]``, in the file's order."""
        return [one for name, one in self.ini.sections.items() if kind_of(name) == ACCOUNT]

    def read_section(self, name: str) -> dict[str, Any]:
        """The section's values by field name; keys left out are absent."""
        section = self.ini.sections.get(name)
        if section is None:
            return {}
        rules = KEY_RULES[name]
        values: dict[str, Any] = {}
        for folded, entry in section.entries.items():
            rule = rules.get(folded)
            if rule is None:
                self._report_unknown_key(name, entry)
            else:
                self._read_value(name, entry, rule, values)
        if name == "ibkr" and self.account_sections():
            self._refuse_one_more(section)
            return values
        self._report_missing(section, rules)
        return values

    def read_account(self, section: IniSection) -> dict[str, dict[str, Any]]:
        """What an account has of its own, by the section that it stands in for."""
        homes = {key: home for home, rules in ACCOUNT_RULES.items() for key in rules}
        found: dict[str, dict[str, Any]] = {home: {} for home in ACCOUNT_RULES}
        for folded, entry in section.entries.items():
            if folded in homes:
                home = homes[folded]
                self._read_value(section.name, entry, ACCOUNT_RULES[home][folded], found[home])
            else:
                self._report_foreign_key(section, entry, homes)
        self._report_missing(section, ACCOUNT_RULES[ACCOUNT])
        if "models" in found[ACCOUNT]:
            self._check_sum(section, "models", found[ACCOUNT]["models"].values())
        elif "models" not in section.entries and MODELS not in self.ini.sections:
            hint = f"write models = SMURF 50%, GLTR 50%, or one mix for all in [{MODELS}]"
            self.report(section.line, section.name, "models", "the key is missing", hint)
        return found

    def read_models(self) -> dict[str, Decimal]:
        """The mix as spelled in the file; its weights must sum to 1 within 0.001."""
        section = self.ini.sections.get(MODELS)
        if section is None:
            return {}
        mix: dict[str, Decimal] = {}
        before = len(self.ini.problems)
        for entry in section.entries.values():
            if len(entry.key) > MAX_NAME_CHARS or not entry.key.isprintable():
                what = f"a model's name has at most {MAX_NAME_CHARS} printable characters"
                self.report(entry.line, MODELS, entry.key, what, "")
            else:
                self._read_value(MODELS, entry, KeyRule(entry.key, share_of_mix), mix)
        if len(self.ini.problems) == before and section.is_whole:
            self._check_mix(section, mix.values())
        return mix

    def read_contracts(self) -> dict[Symbol, ContractChoice]:
        """Which instrument each ticker means; the section may be left out."""
        section = self.ini.sections.get(CONTRACTS)
        chosen: dict[Symbol, ContractChoice] = {}
        for entry in section.entries.values() if section is not None else ():
            try:
                symbol = read_symbol(entry.key)
            except ValueError as error:
                what = f"{shown_value(entry.key)} is not a ticker: {error}"
                self.report(entry.line, CONTRACTS, "", what, "")
                continue
            if symbol == CASH:
                self.report(entry.line, CONTRACTS, CASH, "cash is no instrument", "remove it")
            else:
                self._read_value(CONTRACTS, entry, KeyRule(symbol, contract_choice), chosen)
        return chosen

    def lines(self) -> dict[tuple[str, str], int]:
        """The line of each key; a model's as the file spells it, a ticker's in capitals."""
        spelled: dict[str, Callable[[str], str]] = {MODELS: str, CONTRACTS: str.upper}
        return {
            (_plain(section), spelled.get(section, str.casefold)(entry.key)): entry.line
            for section, found in self.ini.sections.items()
            for entry in found.entries.values()
        }

    def _check_mix(self, section: IniSection, weights: Iterable[Decimal]) -> None:
        if section.entries:
            self._check_sum(section, "", weights)
        else:
            self.report(section.line, MODELS, "", "no model is named", "write SMURF = 50%")

    def _check_sum(self, section: IniSection, key: str, weights: Iterable[Decimal]) -> None:
        total = exact_sum(weights)
        if not abs(total - ONE) <= MIX_TOLERANCE:
            what = f"the weights sum to {plain_text(total)}, expected 1 within 0.001"
            line = section.entries[key].line if key else section.line
            self.report(line, section.name, key, what, "")

    def _refuse_one_more(self, section: IniSection) -> None:
        """An account in [ibkr] beside sections of accounts: one of them is meant."""
        entry = section.entries.get("account_id")
        if entry is not None:
            first = self.account_sections()[0]
            what = f"stands beside [{printable(first.name, 60)}] in line {first.line}"
            hint = "keep the sections of accounts and take this line out, or the other way round"
            self.report(entry.line, section.name, entry.key, what, hint)

    def _report_missing(self, section: IniSection, rules: Mapping[str, KeyRule]) -> None:
        for key, rule in rules.items():
            if rule.required and key not in section.entries:
                self.report(section.line, section.name, key, "the key is missing", "")

    def _report_foreign_key(
        self, section: IniSection, entry: Entry, known: Collection[str]
    ) -> None:
        homes = [name for name, rules in KEY_RULES.items() if entry.key.casefold() in rules]
        hint = f"it belongs in [{homes[0]}], for all accounts alike" if homes else ""
        hint = hint or did_you_mean(entry.key, known) or f"keys are {', '.join(known)}"
        self.report(entry.line, section.name, entry.key, "unknown key", hint)

    def _read_value(
        self, section: str, entry: Entry, rule: KeyRule, values: dict[str, Any]
    ) -> None:
        text = entry.quoted if rule.keeps_quotes else entry.value
        try:
            values[rule.field] = rule.parse(text)
        except ValueError as error:
            what = f"{shown_value(text)} is not valid: {error}"
            self.report(entry.line, section, entry.key, what, "")

    def _report_unknown_key(self, section: str, entry: Entry) -> None:
        homes = [name for name, rules in KEY_RULES.items() if entry.key.casefold() in rules]
        hint = f"it belongs in [{homes[0]}]" if homes else ""
        hint = hint or did_you_mean(entry.key, KEY_RULES[section])
        hint = hint or f"keys are {', '.join(KEY_RULES[section])}"
        self.report(entry.line, section, entry.key, "unknown key", hint)

    def report(self, line: int, section: str, key: str, what: str, hint: str) -> None:
        """Add a problem; ``line`` 0 means the file as a whole."""
        self.ini.problems.report(line, place_of(section, key), what, hint)
