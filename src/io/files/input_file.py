"""Read one small text file that a person edited, or say plainly why it cannot be read.

Accepted: UTF-8 with or without a byte order mark, line ends of Windows, Unix and old Macs.
Refused: anything that is not a regular file, more than 1 MB, UTF-16, other encodings, NUL.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final, NamedTuple

from src.base.errors import Problem
from src.base.text import printable

MAX_BYTES: Final = 1_000_000
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
SAVE_AS_UTF8: Final = "save it as UTF-8 text"
_NO_FILE: Final = "correct the name, or make it from the sample that comes with the program"
_NOT_TEXT: Final = {
    b"PK\x03\x04": "a workbook (Excel, LibreOffice or Numbers) or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a compressed file",
}


class UnusableFile(Exception):
    """The file cannot be read as text; carries the one problem to report."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class InputText(NamedTuple):
    """A file's name for messages, its lines without line ends, and its exact bytes."""

    name: str
    lines: tuple[str, ...]
    raw: bytes


def read_input(path: str | Path) -> InputText:
    """Read a whole input file.

    Raises: UnusableFile with where, why and the remedy.
    """
    name = printable(str(path))
    raw = _read_bytes(path, name)
    text = _decode(raw, name)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return InputText(name=name, lines=tuple(lines), raw=raw)


def _read_bytes(path: str | Path, name: str) -> bytes:
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise UnusableFile(Problem(where=name, what="is not a file"))
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UnusableFile(Problem(where=name, what="no such file", hint=_NO_FILE)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else None
        what = f"cannot be read: {printable(reason or str(error))}"
        raise UnusableFile(Problem(where=name, what=what)) from error
    if len(raw) > MAX_BYTES:
        raise UnusableFile(Problem(where=name, what="is larger than 1 MB"))
    return raw


def _decode(raw: bytes, name: str) -> str:
    for start, kind in _NOT_TEXT.items():
        if raw.startswith(start):
            what = f"is {kind}, whatever its name says, not text"
            raise UnusableFile(Problem(where=name, what=what, hint=SAVE_AS_UTF8))
    if raw.startswith(_UTF16_MARKS):
        raise UnusableFile(Problem(where=name, what="is UTF-16 text", hint=SAVE_AS_UTF8))
    if b"\x00" in raw:
        where = f"{name}:{_line_of(raw, raw.index(0))}"
        raise UnusableFile(Problem(where=where, what="contains a NUL byte", hint=SAVE_AS_UTF8))
    try:
        return raw.removeprefix(_UTF8_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"{name}:{_line_of(error.object, error.start)}"
        what = f"is not UTF-8 text: byte 0x{error.object[error.start]:02x}"
        raise UnusableFile(Problem(where=where, what=what, hint=SAVE_AS_UTF8)) from error


def _line_of(raw: bytes, offset: int) -> int:
    before = raw[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return before.count(b"\n") + 1
