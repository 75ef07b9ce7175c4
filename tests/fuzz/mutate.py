"""Turn good bytes into bad ones, the same way for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

NASTY_BYTES: Final = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b"\x1b[2J", b"\x1a", b"%", b'"',
    b"'", b",", b";", b"=", b"[", b"]", b"#", b"\t", b" ", b"%(x)s", b"${x}", b"nan", b"inf", b"-1",
    b"1e400", b"1_000", b"0x10", b"\xd9\xa1", b"\xc2\xa0", b"\xe2\x80\xae", b"\xed\xa0\x80",
    b"\xf0\x9f\x92\xa9", b"9" * 400, b"CASH", b"cash ", b"true", b"ture", b"50%%",
    b"=cmd|' /C x'!A",
)  # fmt: skip
NASTY_FIELDS: Final = (
    "", "0", "-1", "1", "2147483647", "2147483648", "-2147483648", "9" * 30,
    "1.7976931348623157E308",
    "NaN", "Infinity", "-Infinity", "1e400", "1,5", "abc", "\x1b[31m", "a\nb", "=1+1", "\u202e",
    "\ud7ff", "\\x00", "DU1234567", "DU7654321", "U1234567", "20250131 12:00:00 XX/Nowhere", "STK",
    "OPT", "USD", "SMART", "Filled", "Cancelled", "Submitted", "None", "%s", "{}", "x" * 5000,
)  # fmt: skip
Change = Callable[[Random, bytes], bytes]


def spoil(chance: Random, data: bytes) -> bytes:
    """A few random changes to a file's bytes."""
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        data = chance.choice(_CHANGES)(chance, data)
    return data


def spoil_fields(chance: Random, fields: Sequence[str]) -> list[str]:
    """A few random changes to a message's fields."""
    spoilt = list(fields)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(spoilt) + 1)
        kind = chance.random()
        if kind < 0.55 and at < len(spoilt):
            spoilt[at] = chance.choice(NASTY_FIELDS)
        elif kind < 0.7 and at < len(spoilt):
            del spoilt[at]
        elif kind < 0.8:
            spoilt.insert(at, chance.choice(NASTY_FIELDS))
        elif kind < 0.9:
            del spoilt[at:]
        else:
            spoilt += spoilt[at:] * chance.choice((1, 3))
    return spoilt


def _flip(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(max(len(data), 1))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _insert(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(NASTY_BYTES) + data[at:]


def _cut(chance: Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 1, 2, 10, 100)) :]


def _truncate(chance: Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _repeat_line(chance: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    lines[at:at] = [lines[chance.randrange(len(lines))]] * chance.choice((1, 1, 2, 50))
    return b"\n".join(lines)


def _swap_lines(chance: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _replace_token(chance: Random, data: bytes) -> bytes:
    tokens = data.replace(b",", b"=").split(b"=")
    token = chance.choice(tokens)
    return data.replace(token, chance.choice(NASTY_BYTES), 1) if token else data


def _recode(chance: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", errors="replace")
    return text.encode(chance.choice(("utf-16", "utf-16-le", "cp1252", "utf-8-sig")), "replace")


def _line_ends(chance: Random, data: bytes) -> bytes:
    return data.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\n", b"\x0b", b"\x85")))


def _noise(chance: Random, _data: bytes) -> bytes:
    return bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 10, 200))))


_CHANGES: Final[tuple[Change, ...]] = (
    _flip,
    _flip,
    _insert,
    _insert,
    _insert,
    _cut,
    _truncate,
    _repeat_line,
    _swap_lines,
    _replace_token,
    _replace_token,
    _recode,
    _line_ends,
    _noise,
)
