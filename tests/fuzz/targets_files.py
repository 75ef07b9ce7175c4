"""Damaged settings and portfolios: read, or refused with plain words; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

from src.base.errors import InputError
from src.core.targets import build_targets
from src.io.config_loader import load_settings
from src.io.cross_checks import check_models, mix_warnings
from src.io.portfolio_csv import load_portfolios
from tests.fuzz.mutate import spoil

ROOT: Final = Path(__file__).parents[2]
SETTINGS: Final = (ROOT / "config" / "settings.ini").read_bytes()
PORTFOLIOS: Final = (ROOT / "data" / "portfolios.csv").read_bytes()
SMALL_SETTINGS: Final = b"[ibkr]\naccount_id = DU1234567\n[models]\nONE = 1\n"
SMALL_PORTFOLIOS: Final = b"ETF,ONE\nAAA,60%\nBBB,50\nCASH,-10 %\n"
_TOLERANCE: Final = Decimal("1e-9")
_MOST_CHARS: Final = 2_000_000


def fuzz_ini(chance: Random, home: Path) -> str:
    """One damaged settings file; what came of it, in a word."""
    path = home / "settings.ini"
    path.write_bytes(spoil(chance, chance.choice((SETTINGS, SMALL_SETTINGS))))
    return _outcome(lambda: load_settings(path))


def fuzz_csv(chance: Random, home: Path) -> str:
    """One damaged portfolios file, and what it means together with good settings."""
    path, settings = home / "portfolios.csv", home / "good.ini"
    is_small = chance.random() < 0.6
    path.write_bytes(spoil(chance, SMALL_PORTFOLIOS if is_small else PORTFOLIOS))
    settings.write_bytes(SMALL_SETTINGS if is_small else SETTINGS)

    def read() -> None:
        portfolios, wanted = load_portfolios(path), load_settings(settings)
        check_models(wanted, portfolios)
        mix_warnings(wanted, portfolios)
        weights = tuple(build_targets(portfolios, wanted.models).weights.values())
        assert all(weight.is_finite() for weight in weights)
        assert abs(sum(weights, Decimal(0)) - 1) < _TOLERANCE

    return _outcome(read)


def _outcome(read: Callable[[], object]) -> str:
    try:
        read()
    except InputError as error:
        _check_words(str(error))
        return "refused"
    return "read"


def _check_words(text: str) -> None:
    """I18: what is printed is printable, says where, and is not endless."""
    assert text.strip()
    assert len(text) < _MOST_CHARS
    odd = {one for one in text if one != "\n" and not one.isprintable()}
    assert not odd, odd
