"""What a run starts from: the user's files, and what earlier runs left on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from src.core.records import ModelPortfolios, Targets
from src.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the user's files say, checked against each other, and the targets they mix to."""

    settings: Settings
    portfolios: ModelPortfolios
    targets: Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What earlier runs left, as far as a plan's guards ask for it.

    ``open_runs`` still have to be settled; ``lock_holder`` describes another run that holds the
    account right now (empty: none).
    """

    order_prefix: str
    journalled_refs: frozenset[str] = frozenset()
    open_runs: tuple[str, ...] = ()
    lock_holder: str = ""
