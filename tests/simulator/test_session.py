"""One client's protocol state, from the first byte to requests; no sockets."""

import contextlib
import random
import struct
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.simulator.gateway.session import Hello, Incoming, Session, State
from src.simulator.messages.account import PositionEnd
from src.simulator.messages.orders import ContractKey, Order
from src.simulator.messages.requests import (
    PlaceOrder,
    ReqCurrentTime,
    ReqMktData,
    ReqPositions,
    Request,
    StartApi,
)
from src.simulator.messages.responses import ErrorMessage
from src.simulator.messages.tables import Refusal, format_message
from src.simulator.messages.wire import RemoteProtocolError, encode_fields, frame

NOW = datetime(2026, 1, 5, 15, 30, tzinfo=timezone.utc)
HELLO = b"API\0" + frame(b"v157..178")
START = encode_fields(("71", "2", "5", ""))


def feed(session: Session, data: bytes) -> list[Hello | Incoming]:
    session.receive_data(data)
    return list(iter(session.next_message, None))


def started(version: int = 178) -> Session:
    session = Session(version)
    feed(session, HELLO + START)
    return session


def contents(messages: list[Hello | Incoming]) -> list[Request | Refusal | None]:
    return [message.content for message in messages if isinstance(message, Incoming)]


@given(cuts=st.lists(st.integers(1, 7), max_size=20))
def test_a_session_starts_however_the_bytes_arrive(cuts: list[int]) -> None:
    session = Session()
    data = HELLO + START + encode_fields(("61", "1"))
    messages: list[Hello | Incoming] = []
    for cut in [*cuts, len(data)]:
        messages += feed(session, data[:cut])
        data = data[cut:]
    messages += feed(session, data)
    assert messages[0] == Hello(version=178, connect_options="")
    assert contents(messages) == [StartApi(client_id=5), ReqPositions()]
    assert session.state is State.STARTED


@pytest.mark.parametrize(
    ("versions", "server", "agreed"),
    [
        ("v157..178", 178, 178),
        ("v100..157", 178, 157),
        ("v157..176", 178, 176),
        ("v100..222", 178, 178),
        ("v178", 178, 178),
        ("v157..178", 163, 163),
        ("v157..178", 400, 178),
        ("v157..178\0", 178, 178),
    ],
)
def test_the_highest_common_version_is_agreed(versions: str, server: int, agreed: int) -> None:
    (hello,) = feed(Session(server), b"API\0" + frame(versions.encode()))
    assert hello == Hello(version=agreed, connect_options="")


def test_connect_options_are_kept() -> None:
    (hello,) = feed(Session(), b"API\0" + frame(b"v157..178 +PACEAPI"))
    assert hello == Hello(version=178, connect_options="+PACEAPI")


@pytest.mark.parametrize(
    "versions",
    [
        "",
        "178",
        "v",
        "v157..",
        "v157...178",
        "v178..157",
        "v1e2..178",
        "v157..٣",
        "v157..178+X",
        "x",
    ],
)
def test_malformed_versions_end_the_connection(versions: str) -> None:
    session = Session()
    with pytest.raises(RemoteProtocolError):
        feed(session, b"API\0" + struct.pack(">I", len(versions.encode())) + versions.encode())


@pytest.mark.parametrize(
    ("versions", "server", "both"),
    [
        ("v100..156", 178, "100..156"),
        ("v179..200", 178, "179..200"),
        ("v177..178", 170, "157..170"),
        ("v100..178", 150, "157..150"),
    ],
)
def test_no_common_version_names_both_ranges(versions: str, server: int, both: str) -> None:
    with pytest.raises(RemoteProtocolError, match=both):
        feed(Session(server), b"API\0" + frame(versions.encode()))


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"API ", b"\0\0\0\x09", b"a"])
def test_anything_but_the_sign_ends_the_connection_at_once(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="API"):
        feed(Session(), data)


def test_a_long_greeting_is_refused_before_it_is_read() -> None:
    with pytest.raises(RemoteProtocolError, match="5000"):
        feed(Session(), b"API\0" + struct.pack(">I", 5000))


def test_the_greeting_is_answered_with_version_and_time() -> None:
    session = Session()
    feed(session, HELLO)
    assert session.hello(NOW) == frame(b"178\x0020260105 15:30:00 UTC\0")


def test_requests_before_start_and_a_second_start_are_ignored() -> None:
    session = Session()
    messages = feed(session, HELLO + encode_fields(("61", "1")) + START + START)
    assert contents(messages) == [None, StartApi(client_id=5), None]
    assert contents(feed(session, encode_fields(("49", "1")))) == [ReqCurrentTime()]


def test_a_malformed_start_is_refused_and_may_be_repeated() -> None:
    session = Session()
    messages = feed(session, HELLO + encode_fields(("71", "2", "five", "")) + START)
    refusal, start = contents(messages)
    assert isinstance(refusal, Refusal)
    (error,) = refusal.replies
    assert isinstance(error, ErrorMessage)
    assert (error.id, error.code) == (-1, 320)
    assert start == StartApi(client_id=5)


def test_incoming_messages_keep_their_raw_fields() -> None:
    (message,) = feed(started(), encode_fields(("10", "5", "3")))
    assert isinstance(message, Incoming)
    assert (message.message_id, message.name, message.fields) == (
        10,
        "reqMktDepth",
        ("10", "5", "3"),
    )


def test_responses_are_written_in_the_agreed_version() -> None:
    assert started().send(PositionEnd()) == encode_fields(("62", "1"))


def _mutations(count: int) -> list[bytes]:
    """Frames near to valid ones, from a fixed seed: fields changed, lost, doubled or shuffled."""
    dice = random.Random(20260105)  # noqa: S311 -- a reproducible test, not a secret
    vti = ContractKey(symbol="VTI", sec_type="STK", exchange="SMART", currency="USD")
    place = PlaceOrder(order_id=7, contract=vti, order=Order(action="BUY", order_type="MKT"))
    quote = ReqMktData(req_id=3, contract=vti)
    originals = [format_message(place, 178), format_message(quote, 178), ("71", "2", "1", "")]
    odd = ("", "-1", "nan", "1e400", "\U0001f600", "9" * 30, "BAG", "True", "\x7f", "5;=,\n")
    frames = []
    for _ in range(count):
        fields = list(dice.choice(originals))
        for _ in range(dice.randint(1, 4)):
            place_at = dice.randrange(len(fields))
            fields[place_at : place_at + dice.randint(0, 2)] = [dice.choice(odd)]
        if dice.random() < 0.1:
            dice.shuffle(fields)
        frames.append(encode_fields(tuple(fields)))
    return frames


def test_no_well_framed_garbage_ends_a_session() -> None:
    session = started()
    frames = _mutations(3000)
    answers = contents(feed(session, b"".join(frames)))
    assert len(answers) == len(frames)
    assert any(isinstance(answer, PlaceOrder) for answer in answers)
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert refused
    replies = [reply for refusal in refused for reply in refusal.replies]
    assert {r.code for r in replies if isinstance(r, ErrorMessage)} <= {162, 320, 322}


@given(noise=st.binary(max_size=400))
def test_noise_is_refused_or_awaited_but_never_a_bug(noise: bytes) -> None:
    for session in (Session(), started()):
        with contextlib.suppress(RemoteProtocolError):
            feed(session, noise)
        assert session.state in State
