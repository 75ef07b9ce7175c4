"""Frames: bytes to fields and back, under any split."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.simulator.messages.wire import (
    MAX_FRAME_BYTES,
    FrameBuffer,
    LocalProtocolError,
    RemoteProtocolError,
    decode_fields,
    encode_fields,
    frame,
)

ASCII_FIELD = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=20)
FIELDS = st.lists(ASCII_FIELD, min_size=1, max_size=8).map(tuple)


@given(messages=st.lists(FIELDS, max_size=5), cuts=st.lists(st.integers(1, 9)))
def test_frames_come_out_whole_however_they_arrive(
    messages: list[tuple[str, ...]], cuts: list[int]
) -> None:
    data = b"".join(encode_fields(message) for message in messages)
    buffer = FrameBuffer()
    received: list[tuple[str, ...]] = []
    for cut in [*cuts, len(data)]:
        buffer.feed(data[:cut])
        data = data[cut:]
        while (payload := buffer.next_payload()) is not None:
            received.append(decode_fields(payload))
    buffer.feed(data)
    while (payload := buffer.next_payload()) is not None:
        received.append(decode_fields(payload))
    assert received == messages


def test_a_field_ends_with_nul_and_the_length_is_big_endian() -> None:
    assert encode_fields(("9", "1", "42")) == b"\0\0\0\x079\x001\x0042\0"


def test_other_than_ascii_is_escaped_on_the_way_out() -> None:
    assert encode_fields(("Zürich",))[4:] == rb"Z\u00fcrich" + b"\0"
    assert encode_fields(("\U0001f600",))[4:] == rb"\ud83d\ude00" + b"\0"


def test_bytes_that_are_no_text_do_not_hurt() -> None:
    assert decode_fields(b"a\xff\0b\0") == (r"a\xff", "b")
    assert decode_fields("é\0".encode()) == ("é",)
    assert decode_fields(b"no end") == ("no end",)


@pytest.mark.parametrize("length", [0, MAX_FRAME_BYTES + 1, 2**31, 2**32 - 1])
def test_an_impossible_length_is_the_peers_mistake(length: int) -> None:
    buffer = FrameBuffer()
    buffer.feed(struct.pack(">I", length))
    with pytest.raises(RemoteProtocolError, match=str(length)):
        buffer.next_payload()


def test_the_largest_frame_is_accepted() -> None:
    buffer = FrameBuffer()
    buffer.feed(frame(b"x" * MAX_FRAME_BYTES))
    payload = buffer.next_payload()
    assert payload is not None
    assert len(payload) == MAX_FRAME_BYTES


@pytest.mark.parametrize("fields", [(), ("a\0b",)])
def test_fields_that_break_the_frame_are_our_bug(fields: tuple[str, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_fields(fields)
