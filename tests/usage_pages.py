"""``python -m tests.usage_pages``: everyday runs as they really print, into USAGE's pages.

Each page shows the paragraphs that matter of a run on the simulated gateway, and ``...`` where
others are left out. ``tests/house/test_docs.py`` fails when a page is stale.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.readme_preview import ROOT, STILL

USAGE: Final = ROOT / "USAGE.md"
_BLOCK: Final = re.compile(r"(<!-- (\w+):begin .*? -->\n).*?(<!-- \2:end -->)", re.DOTALL)
_CHANGING: Final = (
    (re.compile(r"\d{8}T\d{6}Z"), "20261120T153000Z"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"), "2026-11-20 15:30:00 UTC"),
    (re.compile(r"settled, on \w{3} \d+ \w{3}\."), "settled, on Mon 23 Nov."),
    (re.compile(rf"--simulate {re.escape(str(STILL))}"), "--simulate"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The flags of one run, and how the paragraphs begin that its page shows."""

    flags: tuple[str, ...]
    shows: tuple[str, ...]


_HEAD: Final = ("SIMULATED: this is the embedded practice gateway, no real money moves\nReb",)
_TABLE: Final = ("       target",)
PAGES: Final[Mapping[str, Page]] = {
    "invest": Page(
        flags=("--invest", "2000"),
        shows=(*_HEAD, *_TABLE, "3 orders:", "Outside its limit", "Nothing was sent."),
    ),
    "withdraw": Page(
        flags=("--confirm", "--withdraw", "10000"),
        shows=(*_HEAD, *_TABLE, "7 orders:", "symbol side planned", "7 orders sent;"),
    ),
    "skip": Page(
        flags=("--skip", "SPY"), shows=(*_HEAD, *_TABLE, "Not traded:", "Nothing was sent.")
    ),
    "cost": Page(flags=("--what-if",), shows=("What it will cost", "Nothing was sent.")),
}


def printed(page: Page) -> str:
    """What the run prints, as far as its page shows it, with a fixed time of day."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Path(directory) / "settings.ini"
        text = (ROOT / "config/settings.ini").read_text(encoding="utf-8")
        reports = f"report_dir = {Path(directory) / 'reports'}"
        settings.write_text(
            re.sub(r";?report_dir = \S+", lambda _: reports, text), encoding="utf-8"
        )
        files = ("--simulate", str(STILL), "--config", str(settings))
        run = subprocess.run(
            [sys.executable, "rebalance.py", *page.flags, *files],
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": directory, "LOCALAPPDATA": directory},
            input="y\n",
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        shown = run.stdout.replace(str(Path(directory) / "reports"), "reports")
        shown = shown.replace(f" --config {settings}", "")
    for pattern, constant in _CHANGING:
        shown = pattern.sub(constant, shown)
    return "\n\n".join(_chosen(shown.strip("\n").split("\n\n"), page.shows))


def _chosen(paragraphs: list[str], starts: tuple[str, ...]) -> Iterator[str]:
    was_left_out = False
    for one in paragraphs:
        if one.startswith(starts):
            yield from ("...",) if was_left_out else ()
            yield one
        was_left_out = not one.startswith(starts)


def with_pages(usage: str) -> str:
    """USAGE's text with the pages as the program prints them now."""
    return _BLOCK.sub(lambda at: f"{at[1]}```text\n{printed(PAGES[at[2]])}\n```\n{at[3]}", usage)


if __name__ == "__main__":
    USAGE.write_text(with_pages(USAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
