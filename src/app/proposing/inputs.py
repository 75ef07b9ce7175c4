"""What a run starts from: the user's files, and what earlier runs left on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from src.base.settings import Settings
from src.core.permission.recent_trades import RecentTrades
from src.core.records.orders import Fill
from src.core.records.plan import Targets
from src.core.records.portfolios import ModelPortfolios, Symbol
from src.core.records.wishes import NO_WISHES, Wishes
from src.core.run.recent_wishes import PastWish

READ_ONLY_END = "read-only: nothing was sent"


def now_utc() -> datetime:
    """The time of this machine."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the user's files say, checked against each other, and the targets they mix to.

    ``wishes`` are what the command line asks of this run's plan besides.

    With several accounts a wish may name what is ``known_elsewhere``, in one of the others.

    ``files`` maps the settings file and the CSV, in this order, to the bytes that were read.
    """

    settings: Settings
    portfolios: ModelPortfolios
    targets: Targets
    wishes: Wishes = NO_WISHES
    files: Mapping[Path, bytes] = field(default_factory=dict)
    known_elsewhere: frozenset[Symbol] = frozenset()

    @property
    def sha256(self) -> str:
        """The hash over all files' bytes, for the journal."""
        from hashlib import sha256

        return sha256(b"\0".join(self.files.values())).hexdigest()

    def changed_files(self) -> tuple[Path, ...]:
        """The files that no longer hold what this run was told; it goes on with what it read."""
        return tuple(path for path, content in self.files.items() if _now_in(path) != content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What earlier runs left, as far as a plan's guards ask for it.

    ``open_runs`` still have to be settled; ``lock_holder`` describes another run that holds the
    account right now (empty: none). ``recent_trades`` may not show in the account yet, nor may
    ``unknown_fills``: today's executions of this program that the journal does not know.
    ``past_wishes`` are those of the last runs.
    ``todays_fills`` are all that the broker lists for the account, where it was asked.
    """

    order_prefix: str
    journalled_refs: frozenset[str] = frozenset()
    open_runs: tuple[str, ...] = ()
    lock_holder: str = ""
    recent_trades: tuple[RecentTrades, ...] = ()
    unknown_fills: tuple[Fill, ...] = ()
    past_wishes: tuple[PastWish, ...] = ()
    todays_fills: tuple[Fill, ...] = ()


def _now_in(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
