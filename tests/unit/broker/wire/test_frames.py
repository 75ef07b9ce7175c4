"""Frames out of any split of the bytes, and an end to false lengths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.broker.wire.frames import MAX_FRAME_BYTES, FrameReader, FrameTooLongError


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@given(st.lists(st.binary(max_size=40), max_size=12), st.lists(st.integers(1, 30), max_size=40))
def test_any_split_gives_the_same_frames(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(_framed(body) for body in bodies)
    reader, found, start = FrameReader(), [], 0
    for cut in [*cuts, len(stream) + 1]:
        found += list(reader.feed(stream[start : start + cut]))
        start += cut
    assert found == bodies


@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 2**31, 2**32 - 1])
def test_a_false_length_is_found_at_once(length: int) -> None:
    reader = FrameReader()
    frames = reader.feed(_framed(b"good") + length.to_bytes(4, "big"))
    assert next(frames) == b"good"
    with pytest.raises(FrameTooLongError, match=str(length)):
        next(frames)


def test_the_largest_frame_is_still_read() -> None:
    body = b"\0" * MAX_FRAME_BYTES
    assert [len(frame) for frame in FrameReader().feed(_framed(body))] == [MAX_FRAME_BYTES]
