"""Settings file → ``Settings``, or one ``ConfigError`` with every problem of the file.

Nothing is guessed: an unknown section or key, a value given twice, and a value outside its range
are problems, never ignored. Percent and basis points become fractions here and nowhere else.
Whether the mix fits the portfolio CSV is decided in ``src.io.cross_checks``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from src.core.money import ONE, exact_sum, plain_text
from src.core.portfolios import CASH, Symbol
from src.errors import ConfigError
from src.io.config_keys import (
    CONTRACTS,
    KEY_RULES,
    MODELS,
    REQUIRED_SECTIONS,
    SECTIONS,
    KeyRule,
)
from src.io.config_values import contract_choice, share_of_mix
from src.io.config_warnings import connection_warnings
from src.io.csv_cells import read_symbol
from src.io.ini_scan import Entry, IniSection, IniText, place_of, scan_ini
from src.io.input_file import UnusableFile, read_input
from src.known_accounts import learn_accounts
from src.settings import (
    ContractChoice,
    ExecutionSettings,
    IbkrSettings,
    IoSettings,
    NotifySettings,
    PricingSettings,
    RebalanceSettings,
    Settings,
)
from src.text import did_you_mean, shown_value

MIX_TOLERANCE: Final = Decimal("0.001")
MAX_NAME_CHARS: Final = 64
_ACCOUNT_KEY: Final = re.compile(r"\s*(account_id|id)\b", re.IGNORECASE)
_WORD_WITH_DIGIT: Final = re.compile(r"[A-Za-z]+[0-9][A-Za-z0-9]*")


def load_settings(path: str | Path) -> Settings:
    """Read and validate the settings file.

    Raises: ConfigError with every problem, each with file, line, section, key and expectation.
    """
    try:
        text = read_input(path)
        ini = scan_ini(text)
    except UnusableFile as error:
        raise ConfigError(error.problem) from error
    learn_accounts(_accounts_named(text.lines))
    reader = _Reader(ini)
    reader.check_sections()
    values = {section: reader.read_section(section) for section in KEY_RULES}
    models = reader.read_models()
    contracts = reader.read_contracts()
    if ini.problems:
        raise ConfigError(ini.problems.in_file_order())
    ibkr = IbkrSettings(**values["ibkr"])
    learn_accounts([ibkr.account_id])
    return Settings(
        ibkr=ibkr,
        models=models,
        rebalance=RebalanceSettings(**values["rebalance"]),
        pricing=PricingSettings(**values["pricing"]),
        execution=ExecutionSettings(**values["execution"]),
        notify=NotifySettings(**values["notify"]),
        io=IoSettings(**values["io"]),
        contracts=contracts,
        source=ini.name,
        warnings=connection_warnings(ibkr),
        content=text.raw,
        lines=reader.lines(),
    )


def _accounts_named(lines: Iterable[str]) -> Iterator[str]:
    """Every word with a digit behind the key of an account's id, however wrong the line is."""
    for line in lines:
        key = _ACCOUNT_KEY.match(line)
        if key is not None:
            yield from _WORD_WITH_DIGIT.findall(re.split("[;#]", line[key.end() :])[0])


class _Reader:
    """Turns scanned text into values and adds what is wrong to the scan's problems."""

    def __init__(self, ini: IniText) -> None:
        self.ini = ini

    def check_sections(self) -> None:
        """Report unknown, misspelled and missing sections."""
        for folded, section in self.ini.sections.items():
            if section.name in SECTIONS:
                continue
            hint = did_you_mean(folded, SECTIONS) or f"sections are {', '.join(SECTIONS)}"
            if folded == "default":
                hint = "write each key in its own section"
            self._report(section.line, section.name, "", "unknown section", hint)
        for name in REQUIRED_SECTIONS:
            if name not in self.ini.sections:
                self._report(0, name, "", "the section is missing", "")

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
        for key, rule in rules.items():
            if rule.required and key not in section.entries:
                self._report(section.line, name, key, "the key is missing", "")
        return values

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
                self._report(entry.line, MODELS, entry.key, what, "")
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
                self._report(entry.line, CONTRACTS, "", what, "")
                continue
            if symbol == CASH:
                self._report(entry.line, CONTRACTS, CASH, "cash is no instrument", "remove it")
            else:
                self._read_value(CONTRACTS, entry, KeyRule(symbol, contract_choice), chosen)
        return chosen

    def lines(self) -> dict[tuple[str, str], int]:
        """The line of each key; a model's as the file spells it, a ticker's in capitals."""
        spelled: dict[str, Callable[[str], str]] = {MODELS: str, CONTRACTS: str.upper}
        return {
            (section, spelled.get(section, str.casefold)(entry.key)): entry.line
            for section, found in self.ini.sections.items()
            for entry in found.entries.values()
        }

    def _check_mix(self, section: IniSection, weights: Iterable[Decimal]) -> None:
        total = exact_sum(weights)
        if not section.entries:
            self._report(section.line, MODELS, "", "no model is named", "write SMURF = 50%")
        elif not abs(total - ONE) <= MIX_TOLERANCE:
            what = f"the weights sum to {plain_text(total)}, expected 1 within 0.001"
            self._report(section.line, MODELS, "", what, "")

    def _read_value(
        self, section: str, entry: Entry, rule: KeyRule, values: dict[str, Any]
    ) -> None:
        text = entry.quoted if rule.keeps_quotes else entry.value
        try:
            values[rule.field] = rule.parse(text)
        except ValueError as error:
            what = f"{shown_value(text)} is not valid: {error}"
            self._report(entry.line, section, entry.key, what, "")

    def _report_unknown_key(self, section: str, entry: Entry) -> None:
        homes = [name for name, rules in KEY_RULES.items() if entry.key.casefold() in rules]
        hint = f"it belongs in [{homes[0]}]" if homes else ""
        hint = hint or did_you_mean(entry.key, KEY_RULES[section])
        hint = hint or f"keys are {', '.join(KEY_RULES[section])}"
        self._report(entry.line, section, entry.key, "unknown key", hint)

    def _report(self, line: int, section: str, key: str, what: str, hint: str) -> None:
        self.ini.problems.report(line, place_of(section, key), what, hint)
