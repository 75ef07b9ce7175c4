"""``python -m tests.recording``: a confirmed run as its user sees it, frame by frame, in one file.

The screen has 80 columns and 24 lines; the plan changes while the question stands and is asked
about again. ``tests/commands/test_screen.py`` fails when ``tests/data/recording.txt`` is stale.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

GOLDEN: Final = Path(__file__).parent / "data" / "recording.txt"
WRITTEN_ANEW: Final = "RECORDING_WRITTEN_ANEW"
_TEST: Final = Path(__file__).parent / "commands" / "test_screen.py"
_EDGE: Final = "-" * 80
_NEUTRAL: Final = (
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "PORT"),
    (re.compile(r"\d{8}T\d{6}Z"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"), "TIME"),
    (re.compile(r"(?<!of )\b\d+ s(?= of \d+ s|$)", re.MULTILINE), "N s"),
    (re.compile(r" {2,}(?=N s of)"), "   "),
    (re.compile(r"\d+(?= of \d+ (prices|contracts))"), "N"),
)


def as_text(frames: dict[str, tuple[str, ...]]) -> str:
    """The frames with their titles, without what differs from run to run."""
    parts = []
    for title, lines in frames.items():
        text = "\n".join(lines)
        for pattern, word in _NEUTRAL:
            text = pattern.sub(word, text)
        parts.append(f"{title}\n{_EDGE}\n{text}\n{_EDGE}\n")
    return "\n".join(parts)


def main() -> int:
    """Do the run and write down what it shows."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", str(_TEST), "-k", "recording"]
    return subprocess.run(command, env={**os.environ, WRITTEN_ANEW: "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
