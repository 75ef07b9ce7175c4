"""Pseudo terminals for tests of what is typed; there are none on Windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo terminal: the keyboard's end and the program's end, closed at the end."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no pseudo terminals: skip the test there")
    else:
        keyboard, program = os.openpty()
        try:
            yield keyboard, program
        finally:
            os.close(keyboard)
            os.close(program)
