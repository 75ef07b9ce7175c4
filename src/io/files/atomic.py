"""Write a file whole or not at all, and never over another one.

The bytes go to a temporary name in the same directory, are flushed to the disk, and then the file
is given its name in one step that fails where the name is taken. A crash leaves at most a
temporary file, which the next start removes. Files are readable by their owner only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
_TEMP_PREFIX: Final = ".rebalance_"
_TEMP_SUFFIX: Final = ".tmp"
_ATTEMPTS: Final = 3


def write_new_file(path: Path, data: bytes) -> None:
    """Create ``path`` with exactly these bytes, durably.

    Raises: FileExistsError when the name is taken; any other OSError when it cannot be written.
    In both cases nothing is left behind.
    """
    for left in reversed(range(_ATTEMPTS)):
        temp = temp_name(path)
        try:
            create_durably(temp, data)
            _give_name(temp, path)
            break
        except FileNotFoundError:
            # Another run that started just now took our temporary file for a leftover.
            if not left:
                raise
        finally:
            temp.unlink(missing_ok=True)
    sync_directory(path.parent)


def temp_name(path: Path) -> Path:
    """The temporary name of this process for ``path``; ``remove_stray_temps`` knows it."""
    return path.with_name(f"{_TEMP_PREFIX}{path.name}.{os.getpid()}{_TEMP_SUFFIX}")


def create_new(path: Path) -> int:
    """Create a file for its owner only and return its descriptor, open for writing.

    Raises: FileExistsError when the name is taken (also by a dangling link); OSError otherwise.
    """
    binary = getattr(os, "O_BINARY", 0)  # Windows would turn every line feed into two bytes
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, OWNER_ONLY)


def create_durably(path: Path, data: bytes) -> None:
    """Create a file under its own name and wait until its bytes are on the disk.

    A crash on the way leaves part of it, so only for names that mean nothing yet.
    Raises: as ``create_new``.
    """
    with os.fdopen(create_new(path), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def remove_stray_temps(directory: Path) -> tuple[Path, ...]:
    """Remove what a crash in the middle of a write left; returns what was removed.

    A file that another process holds open on Windows cannot be removed and stays.
    """
    removed = []
    for stray in sorted(directory.glob(f"{_TEMP_PREFIX}*{_TEMP_SUFFIX}")):
        with contextlib.suppress(OSError):
            stray.unlink()
            removed.append(stray)
    return tuple(removed)


def sync_directory(directory: Path) -> None:
    """Make a new name durable. Windows has no such call and needs none."""
    if sys.platform != "win32":
        number = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _give_name(temp: Path, path: Path) -> None:
    """Rename without ever replacing: Windows refuses by itself, POSIX needs a link."""
    if sys.platform == "win32":
        temp.rename(path)
    else:
        _give_name_by_link(temp, path)


def _give_name_by_link(temp: Path, path: Path) -> None:
    try:
        os.link(temp, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        # A file system without hard links: claim the name first, then move over the claim.
        os.close(create_new(path))
        temp.replace(path)
