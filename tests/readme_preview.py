"""``python -m tests.readme_preview``: a practice run as it really prints, into README's picture.

A confirmed run on the simulated gateway gives ``.github/preview.svg`` (the plan and the question),
the same as text, and the summary after the answer. ``tests/house/test_docs.py`` fails when one of
them is stale.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

ROOT: Final = Path(__file__).resolve().parents[1]
README: Final = ROOT / "README.md"
PICTURE: Final = ROOT / ".github" / "preview.svg"
_BLOCK: Final = re.compile(r"(<!-- (\w+):begin .*? -->\n).*?(<!-- \2:end -->)", re.DOTALL)
COMMAND: Final = "python rebalance.py --confirm --simulate"
STILL: Final = ROOT / "tests/data/still.json"
"""A moving market would print another page each time."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
_RUN_ID: Final = re.compile(r"\d{8}T\d{6}Z")
_SHOWN_RUN_ID: Final = "20261120T153000Z"
_SHOWN_TIME: Final = "2026-11-20 15:30:00 UTC"
_QUESTION: Final = "SIMULATED: Send "
_COLUMNS: Final = 80
_SUMMARY: Final = "\n\nsymbol side planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeRun:
    """What one run shows before and after the answer, with a fixed time of day."""

    plan: str
    question: str
    summary: str


def practice_run() -> PracticeRun:
    """Trade the sample account on the simulated gateway, in directories of its own."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Path(directory) / "settings.ini"
        text = (ROOT / "config/settings.ini").read_text(encoding="utf-8")
        reports = f"report_dir = {Path(directory) / 'reports'}"
        settings.write_text(
            re.sub(r";?report_dir = \S+", lambda _: reports, text), encoding="utf-8"
        )
        run = subprocess.run(
            [sys.executable, *COMMAND.split()[1:], str(STILL), "--config", str(settings)],
            cwd=ROOT,
            env={**os.environ, "XDG_STATE_HOME": directory, "LOCALAPPDATA": directory},
            input="y\n",
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        shown = run.stdout.replace(str(Path(directory) / "reports"), "reports")
    shown = _RUN_ID.sub(_SHOWN_RUN_ID, _TIME.sub(_SHOWN_TIME, shown))
    plan, heading, summary = shown.partition(_SUMMARY)
    return PracticeRun(
        plan=plan,
        question=next(line for line in run.stderr.splitlines() if line.startswith(_QUESTION)),
        summary=(heading + summary).strip("\n"),
    )


def with_blocks(readme: str, run: PracticeRun) -> str:
    """README's text with this plan and summary in their blocks."""
    shown = {"preview": run.plan, "summary": run.summary}
    return _BLOCK.sub(lambda at: f"{at[1]}```text\n{shown[at[2]]}\n```\n{at[3]}", readme)


# --- the picture ----------------------------------------------------------------------------

_LINE: Final = 17
_TOP: Final = 52
_EDGE: Final = 20
_WIDTH: Final = 80 * 8 + 2 * _EDGE
_FONT: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_BUTTONS: Final = (("#ff5f57", 20), ("#febc2e", 40), ("#28c840", 60))


def picture(run: PracticeRun) -> str:
    """The terminal window as SVG, with the command typed and the question at its end."""
    lines = [f"$ {COMMAND}", *run.plan.split("\n"), "", *as_a_terminal_breaks_it(run.question)]
    height = _TOP + len(lines) * _LINE + _EDGE // 2
    shown = (
        f'<text x="{_EDGE}" y="{_TOP + number * _LINE}" xml:space="preserve">{escape(line)}</text>'
        for number, line in enumerate(lines)
        if line
    )
    window = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" font-family="{_FONT}" font-size="13">\n'
        f'<rect width="{_WIDTH}" height="{height}" rx="9" fill="#1c2128"/>'
    )
    buttons = (f'<circle cx="{x}" cy="20" r="6" fill="{colour}"/>' for colour, x in _BUTTONS)
    return "\n".join((window, *buttons, '<g fill="#d8dee6">', *shown, "</g>", "</svg>", ""))


def as_a_terminal_breaks_it(line: str) -> list[str]:
    """The rows of one long line."""
    return [line[at : at + _COLUMNS] for at in range(0, len(line), _COLUMNS)]


if __name__ == "__main__":
    latest = practice_run()
    PICTURE.write_text(picture(latest), encoding="utf-8", newline="\n")
    current = README.read_text(encoding="utf-8")
    README.write_text(with_blocks(current, latest), encoding="utf-8", newline="\n")
