"""Read a journal without touching it: its bytes are copied, and SQLite opens the copy.

Opening the file itself would take locks, could create or fold its write-ahead file, and needs a
directory that may be written to. A run that holds the journal never notices. What is copied while
the run writes may not fit together; then it is copied anew, until two looks agree.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from src.base.errors import JournalError
from src.io.files.state_dir import journal_exists
from src.io.journal.file import read_file

_COPIES: Final = 5
_LOOKS: Final = 100
_PAUSE_SEC: Final = 0.05
"""A run writes in bursts: five seconds outlast any but an endless one."""
_SUFFIX: Final = ".sqlite3"
_WAL: Final = "-wal"
_Bytes = tuple[bytes, bytes]
"""The journal's file and its write-ahead file, empty where there is none."""


def accounts_with_journal(directory: Path) -> tuple[str, ...]:
    """What the journals of a directory are named after, sorted; empty where there is none.

    Raises: JournalError when the directory cannot be read.
    """
    try:
        names = [path.name for path in directory.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise JournalError(
            f"the journals in {directory} cannot be listed: {error.strerror}; check its permissions"
        ) from error
    files = (name.removesuffix(_WAL) for name in names if not name.startswith("."))
    return tuple(sorted({name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)}))


def read_texts(path: Path, account_id: str) -> dict[str, list[str]]:
    """Run id to the texts of its events, all in the order they were written.

    Raises: JournalError when the journal cannot be read or believed.
    """
    earlier: _Bytes | None = None
    for _ in range(_COPIES):
        copied = _copy_of(path)
        try:
            return _texts_of(copied, path, account_id)
        except JournalError:
            if copied == earlier:
                raise  # twice the same: it is so on the disk, nobody was writing
            earlier = copied
    raise JournalError(f"journal {path} is being written without a pause; try again later")


def _texts_of(copied: _Bytes, path: Path, account_id: str) -> dict[str, list[str]]:
    with _placed(copied, path.name) as copy:
        try:
            return read_file(copy, account_id)
        except JournalError as error:
            raise JournalError(str(error).replace(str(copy), str(path))) from error


@contextmanager
def _placed(copied: _Bytes, name: str) -> Iterator[Path]:
    """The copy as files in a directory of its own, for its owner only, while the block runs."""
    main, wal = copied
    try:
        with tempfile.TemporaryDirectory(prefix="rebalance_") as directory:
            copy = Path(directory) / name
            copy.write_bytes(main)
            if wal:
                copy.with_name(f"{name}{_WAL}").write_bytes(wal)
            yield copy
    except OSError as error:
        raise JournalError(
            f"journal {name} cannot be copied for reading: {error.strerror or error}; "
            "is there room in the directory for temporary files?"
        ) from error


def _copy_of(path: Path) -> _Bytes:
    """Both files as they stood at one moment, as far as two looks can tell.

    Raises: JournalError when they cannot be read, or change without end.
    """
    try:
        if not journal_exists(path):
            raise JournalError(f"journal {path} vanished while it was read")
        for _ in range(_LOOKS):
            before = _look(path)
            main = path.read_bytes()
            if _look(path) == before:
                return main, before[1]
            time.sleep(_PAUSE_SEC)
    except OSError as error:
        raise JournalError(
            f"journal {path} cannot be read: {error.strerror}; check its permissions"
        ) from error
    raise JournalError(f"journal {path} is being written without a pause; try again later")


def _look(path: Path) -> tuple[tuple[int, int], bytes]:
    """Size and time of the file, and what its write-ahead file holds."""
    facts = path.stat()
    try:
        wal = path.with_name(f"{path.name}{_WAL}").read_bytes()
    except FileNotFoundError:
        wal = b""
    return (facts.st_size, facts.st_mtime_ns), wal
