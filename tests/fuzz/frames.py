"""Frames as bytes and fields, and a talk between client and gateway to start from."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Final

from tests.fuzz.mutate import spoil, spoil_fields
from tests.simulation.campaign import played
from tests.simulation.draw import draw_script
from tests.simulation.virtual_net import VirtualLoop

CALM_SEED: Final = 7
_PREFIX: Final = 4


def split_frames(data: bytes) -> Iterator[bytes]:
    """The payloads of whole frames."""
    while len(data) >= _PREFIX:
        (length,) = struct.unpack_from(">I", data)
        yield data[_PREFIX : _PREFIX + length]
        data = data[_PREFIX + length :]


def fields_of(payload: bytes) -> list[str]:
    """The texts of one payload."""
    return payload.decode("utf-8", errors="backslashreplace").split("\0")[:-1]


def framed(payload: bytes) -> bytes:
    """A payload with its length in front."""
    return struct.pack(">I", len(payload)) + payload


def payload_of(fields: list[str]) -> bytes:
    """Fields as a payload."""
    return "".join(f"{one}\0" for one in fields).encode("utf-8", errors="surrogatepass")


def spoilt_frame(chance: Random, payload: bytes) -> bytes:
    """One frame, damaged in its fields, its bytes, or its length."""
    kind = chance.random()
    if kind < 0.8:
        return framed(payload_of(spoil_fields(chance, fields_of(payload))))
    if kind < 0.995:
        return framed(spoil(chance, payload) or b"\0")
    length = chance.choice((0, 1, len(payload) + 7, 2**24 + 1, 2**31, 2**32 - 1))
    return struct.pack(">I", length) + payload


@cache
def recorded_talk() -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """What client and gateway said in one healthy run: payloads after the handshake."""
    said: dict[str, list[bytes]] = {"client": [], "gateway": []}

    def note_client(_process: int, data: bytes) -> bytes:
        if not data.startswith(b"API\0"):
            said["client"] += split_frames(data)
        return data

    def note_gateway(data: bytes) -> bytes:
        said["gateway"] += split_frames(data)
        return data

    class Recorder(VirtualLoop):
        """Takes the hooks for good."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, note_client if name == "on_client_write" else value)

    loop = Recorder()
    loop.on_server_write = note_gateway
    with played(draw_script(CALM_SEED), loop=loop) as world:
        assert world.violations == []
    handshake = 1
    return tuple(said["client"]), tuple(said["gateway"][handshake:])
