"""``python -m tests.readme_preview``: put the preview as it really prints into README.md.

Without arguments the block is written anew; ``tests/unit/test_docs.py`` fails when it is stale.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
README: Final = ROOT / "README.md"
BLOCK: Final = re.compile(r"(<!-- preview:begin .*? -->\n).*?(<!-- preview:end -->)", re.DOTALL)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
_SHOWN_TIME: Final = "2026-11-20 15:30:00 UTC"


def printed_preview() -> str:
    """What the quick start prints, with a fixed time of day."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Path(directory) / "settings.ini"
        text = (ROOT / "config/settings.ini").read_text(encoding="utf-8")
        reports = f"report_dir = {Path(directory) / 'reports'}"
        settings.write_text(re.sub(r"report_dir = \S+", lambda _: reports, text), encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "rebalance.py", "--dry-run", "--simulate", "--config", str(settings)],
            cwd=ROOT,
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
    return _TIME.sub(_SHOWN_TIME, run.stdout).rstrip("\n")


def with_preview(readme: str, preview: str) -> str:
    """README's text with this preview in its block."""
    return BLOCK.sub(lambda found: f"{found[1]}```text\n{preview}\n```\n{found[2]}", readme)


if __name__ == "__main__":
    current = README.read_text(encoding="utf-8")
    README.write_text(with_preview(current, printed_preview()), encoding="utf-8", newline="\n")
