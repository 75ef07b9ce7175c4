"""``python -m tests.messages``: every message that ends a command badly, written to one file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

GOLDEN: Final = Path(__file__).parent / "data" / "messages.txt"
COLLECTED_IN: Final = "MESSAGES_COLLECTED_IN"
_TEST: Final = Path(__file__).parent / "commands" / "test_messages.py"


def sections(text: str) -> dict[str, str]:
    """The messages by the name of their situation."""
    blocks = (block.partition("\n") for block in text.strip("\n").split("\n\n"))
    return {name: message for name, _, message in blocks}


def main() -> int:
    """Run the commands and write down what they say."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", str(_TEST), "-k", "read_by_a_person"],
            env={**os.environ, COLLECTED_IN: directory},
            check=False,
        )
        found = [one.read_text(encoding="utf-8") for one in sorted(Path(directory).iterdir())]
    GOLDEN.write_text("\n".join(found), encoding="utf-8", newline="\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
