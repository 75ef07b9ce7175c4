"""Whether the settings and the portfolio CSV fit together.

The mix in ``[models]`` and the columns of the CSV are matched without case, each needs the other.
The mixed CASH target may not imply more leverage than ``max_leverage`` allows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from src.base.errors import ConfigError, Problem, UnknownSymbolError
from src.base.money import (
    ONE,
    ZERO,
    exact_arithmetic,
    exact_sum,
    leverage_text,
    pct_text,
    plain_text,
)
from src.base.settings import Settings
from src.base.text import did_you_mean, printable
from src.core.records.portfolios import CASH, ModelPortfolios, Symbol, folded_name
from src.core.showing.spelling import ticker_of
from src.io.files.problem_list import at_line
from src.io.settings_file.ini_scan import place_of
from src.io.settings_file.keys import ACCOUNT, MODELS

if TYPE_CHECKING:
    from src.core.records.account import AccountSnapshot
    from src.core.records.market import SymbolLookup

_ROUNDING: Final = Decimal("1e-9")


def check_models(settings: Settings, portfolios: ModelPortfolios) -> None:
    """Check that mix and columns name the same models and that the leverage they imply is allowed.

    A mix on an account's own line may leave columns out: they are no part of it.
    Raises: ConfigError with every problem, each naming both files' sides of it.
    """
    check_all_models([(settings, portfolios)])


def check_all_models(accounts: Iterable[tuple[Settings, ModelPortfolios]]) -> None:
    """Check each account's mix against its own portfolios.

    Raises: ConfigError with the problems of all of them, each said once.
    """
    problems = dict.fromkeys(problem for one in accounts for problem in _model_problems(*one))
    if problems:
        raise ConfigError(problems)


def _model_problems(settings: Settings, portfolios: ModelPortfolios) -> list[Problem]:
    problems = _unmatched(settings, portfolios)
    if problems:
        return problems
    cash = mixed_cash(settings.models, portfolios)
    leverage, cap = ONE - cash, settings.rebalance.max_leverage
    if leverage <= cap + _ROUNDING:
        return []
    what = (
        f"the models' mixed CASH target of {pct_text(cash)}% implies a leverage of "
        f"{leverage_text(leverage)}, above max_leverage {plain_text(cap)}"
    )
    hint = f"raise max_leverage or the CASH weights in {portfolios.source}"
    return [Problem(_key_place(settings, "rebalance", "max_leverage"), what, hint)]


def mix_by_column(
    models: Mapping[str, Decimal], portfolios: ModelPortfolios
) -> Mapping[str, Decimal]:
    """The mix under the CSV's spelling of each name; a column that is no part of it weighs 0.

    Call after :func:`check_models`.
    """
    weights = {folded_name(name): weight for name, weight in models.items()}
    return {column: weights.get(folded_name(column), ZERO) for column in portfolios.models}


@exact_arithmetic()
def mixed_cash(models: Mapping[str, Decimal], portfolios: ModelPortfolios) -> Decimal:
    """The mix's CASH weight, with the mix and each column divided by their own sums."""
    mix = mix_by_column(models, portfolios)
    cash = ZERO
    for name, weights in portfolios.models.items():
        cash += mix[name] * weights.get(CASH, ZERO) / exact_sum(weights.values())
    return cash / exact_sum(mix.values())


def mix_warnings(settings: Settings, portfolios: ModelPortfolios) -> tuple[str, ...]:
    """Sentences for the preview: the mix sells everything, borrows, or leaves a model unused."""
    cash = mixed_cash(settings.models, portfolios)
    warnings = []
    if cash >= ONE:
        warnings.append("the models ask for 100% CASH: every managed holding will be SOLD")
    elif cash < ZERO:
        borrowed = pct_text(-cash)
        warnings.append(f"the models BORROW {borrowed}% of net liquidation value (negative CASH)")
    unused = [printable(name, 64) for name, weight in settings.models.items() if not weight]
    if unused:
        warnings.append(f"weight 0 in the mix: {', '.join(unused)}")
    return tuple(warnings)


def check_contracts(settings: Settings, lookups: Mapping[Symbol, SymbolLookup]) -> None:
    """Raises: UnknownSymbolError for each key of [contracts] that was looked up in vain."""
    problems = []
    for symbol in settings.contracts:
        lookup = lookups.get(symbol)
        if lookup is not None and lookup.listing is None:
            where = _key_place(settings, "contracts", symbol)
            pasted = lookup.choices
            hint = "write one of these lines instead" if pasted else ""
            problems.append(Problem(where, printable(lookup.problem), hint, pasted))
    if problems:
        raise UnknownSymbolError(problems)


def idle_contracts(
    settings: Settings, listed: Collection[Symbol], held: AccountSnapshot | None = None
) -> tuple[str, ...]:
    """A warning for each key of [contracts] that matters to nothing, as far as ``held`` tells."""
    known = set(listed)
    if held is not None:
        known.update(ticker_of(one.symbol) for one in held.positions)
        known.update(ticker_of(one.symbol) for one in held.unmanaged)
    without = "no model lists it" if held is None else "no model lists it and nothing of it is held"
    return tuple(
        f"[contracts] {symbol} = {choice} has no effect: {without}"
        for symbol, choice in settings.contracts.items()
        if symbol not in known
    )


def _unmatched(settings: Settings, portfolios: ModelPortfolios) -> list[Problem]:
    keys = {folded_name(name): name for name in settings.models}
    columns = {folded_name(name): name for name in portfolios.models}
    problems = []
    for folded, name in keys.items():
        if folded not in columns:
            where = _key_place(settings, MODELS, name)
            what = f"{portfolios.source} has no such column"
            hint = did_you_mean(name, portfolios.models) or _listed(
                "columns are", portfolios.models
            )
            problems.append(Problem(where=where, what=what, hint=hint))
    for folded, name in () if _has_own_mix(settings) else columns.items():
        if folded not in keys:
            place = at_line(portfolios.source, portfolios.header_line)
            where = f"{place} column {printable(name, 64)}"
            what = f"{settings.source} [models] has no such key"
            hint = did_you_mean(name, settings.models) or "give it a weight, 0 if it is not wanted"
            problems.append(Problem(where=where, what=what, hint=hint))
    return problems


def _key_place(settings: Settings, section: str, key: str) -> str:
    """``file:line [section] key``, without the line of a key that the file leaves out.

    The section is the account's own where the value comes from there; its mix stands on one line.
    """
    own, own_key = f"{ACCOUNT}:{settings.name}", MODELS if section == MODELS else key
    line = settings.lines.get((own.casefold(), own_key))
    if line is None:
        place = at_line(settings.source, settings.lines.get((section, key), 0))
        return f"{place} {place_of(section, key)}"
    named = f"{MODELS}: {key}" if section == MODELS else key
    return f"{at_line(settings.source, line)} {place_of(own, named)}"


def _has_own_mix(settings: Settings) -> bool:
    return (f"{ACCOUNT}:{settings.name}".casefold(), MODELS) in settings.lines


def _listed(words: str, names: Mapping[str, object]) -> str:
    return f"{words} {', '.join(printable(name, 64) for name in names)}"
