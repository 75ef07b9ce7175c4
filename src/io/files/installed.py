"""Whether the installed packages are those of ``requirements.txt``, the lock file."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_LOCK: Final = Path(__file__).resolve().parents[3] / "requirements.txt"
_PINNED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)")
_DIRECT: Final = "ibkr-etf-rebalancer"
"""Named in the comments below what the program itself needs."""


def package_problems() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The packages that are missing, and those of another version than any that was locked."""
    locked, direct = _locked(_LOCK.read_text(encoding="utf-8"))
    found = {name: _installed(name) for name in locked}
    missing = tuple(name for name in sorted(direct) if not found[name])
    other = tuple(
        f"{name} {found[name]}"
        for name, versions in locked.items()
        if found[name] and found[name] not in versions
    )
    return missing, other


def _locked(text: str) -> tuple[dict[str, set[str]], set[str]]:
    """Per package the versions it may have, by platform and Python; and the direct ones."""
    versions: dict[str, set[str]] = {}
    direct: set[str] = set()
    name = ""
    for line in text.splitlines():
        pinned = _PINNED.match(line)
        if pinned is not None:
            name = pinned["name"]
            versions.setdefault(name, set()).add(pinned["version"])
        elif name and _DIRECT in line:
            direct.add(name)
    return versions, direct


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
