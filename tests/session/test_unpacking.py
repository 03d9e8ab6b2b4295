"""Reading past a server's parser."""

from __future__ import annotations

import asyncio
import inspect
import zlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import websockets
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.protocol import Protocol

from tests.session.connections import HANDSHAKE, opened
from wscontrollers.session.direct import TESTED_PARSERS, fault_of_unpacking
from wscontrollers.session.inlet import Inlet, inlet_of
from wscontrollers.session.sharing import Share
from wscontrollers.session.unpacking import unpacking_for

asynchronous = pytest.mark.parametrize("anyio_backend", ["asyncio"])

LIMIT = 70_000
"""The largest message of these connections, in bytes."""


def frame(head: int, payload: bytes, *, mask: bytes = b"\x01\x02\xfe\x00", long: int = 0) -> bytes:
    """A client's frame (RFC 6455, section 5.2).

    Args:
        head: Its first byte.
        payload: What is in it.
        mask: Four bytes; none for a frame that is not masked.
        long: How many bytes the size takes beyond the second one at least: 0, 2 or 8.
    """
    size = len(payload)
    bit = 0x80 if mask else 0
    if size < 126 and not long:
        start = bytes((head, bit | size))
    elif size < 65_536 and long < 8:
        start = bytes((head, bit | 126)) + size.to_bytes(2)
    else:
        start = bytes((head, bit | 127)) + size.to_bytes(8)
    return start + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)) if mask else start + payload


def deflated(text: bytes) -> bytes:
    """A compressed payload (RFC 7692, section 7.2.1)."""
    deflate = zlib.compressobj(wbits=-12)
    return (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def endless(scope: Any, receive: Any, send: Any) -> None:
    await anyio.sleep_forever()


async def connected(**options: Any) -> Any:
    """A connection behind its handshake, and behind the event that it connects."""
    made = await opened(WebSocketsSansIOProtocol, endless, ws_max_size=LIMIT, **options)
    await made.receive()
    return made


async def inlet_behind_a_message(protocol: Any) -> Inlet:
    """What stands in for the queue of a connection on which the first message has come, from which on it is unpacked."""
    inlet = inlet_of(protocol.receive)
    assert inlet is not None
    assert protocol.data_received.__self__ is protocol
    protocol.transport.arrive(protocol, frame(0x81, b"first"))
    assert (await inlet.receive())["text"] == "first"
    return inlet


async def ended(*protocols: Any) -> None:
    for protocol in protocols:
        for task in list(protocol.tasks):
            task.cancel()
            await asyncio.wait((task,))


class Side:
    """A connection, and all that comes of it."""

    def __init__(self, protocol: Any, receive: Any) -> None:
        self.protocol = protocol
        self.receive = receive
        self.got: list[Any] = []

    async def read(self, data: bytes) -> None:
        """Have data arrive, and take what it brings."""
        try:
            self.protocol.transport.arrive(self.protocol, data)
        except InvalidState as error:  # uvicorn's, where a text that is no UTF-8 comes with a close frame behind it
            self.got.append(type(error))
            self.protocol.transport.close()
        while not self.protocol.queue.empty():
            self.got.append(await self.receive())

    @property
    def outcome(self) -> Any:
        protocol = self.protocol
        wire = protocol.transport
        ends = (protocol.close_sent, protocol.conn.state, wire.is_broken)
        return self.got, wire.written, ends, wire.is_broken or (wire.is_reading, protocol.read_paused)


async def compared(reads: Sequence[bytes], **options: Any) -> list[Any]:
    """What is received, which has to be the same with the parser and without."""
    ours, theirs = [await connected(**options) for _ in range(2)]
    inlet = await inlet_behind_a_message(ours)
    assert ours.data_received.__self__ is not ours
    sides = Side(ours, inlet.receive), Side(theirs, theirs.receive)
    for data in reads:
        for side in sides:
            await side.read(data)
        if theirs.conn.parser_exc is not None:
            sides[1].got[-1:-1] = sides[0].got[len(sides[1].got) - 1 : -1]  # what uvicorn threw away with the faulty frame
        assert sides[0].outcome == sides[1].outcome
        if sides[0].protocol.transport.is_broken:
            break
    await ended(ours, theirs)
    return sides[0].got


texts = st.text(max_size=200).map(str.encode)
heads = st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0xC1, 0xA1, 0x91, 0x83, 0x8B])
masks = st.one_of(st.just(b"\0\0\0\0"), st.binary(min_size=4, max_size=4), st.just(b""))
sizes = st.sampled_from([0, 1, 2, 5, 124, 125, 126, 127, 128, 1000, 65_534, 65_535, 65_536, LIMIT, LIMIT + 1])

simple = st.builds(frame, st.sampled_from([0x81, 0x81, 0x82]), texts, mask=st.binary(min_size=4, max_size=4))
any_frame = st.one_of(
    st.builds(frame, heads, st.one_of(texts, st.binary(max_size=130)), mask=masks, long=st.sampled_from([0, 0, 2, 8])),
    st.builds(lambda head, size: frame(head, b"x" * size), st.sampled_from([0x81, 0x82]), sizes),
    st.just(frame(0x89, b"ping")),
    st.just(frame(0x01, b"frag") + frame(0x89, b"") + frame(0x80, b"ment")),
    st.just(frame(0xC1, deflated(b"compressed"))),
    st.just(frame(0x88, b"\x03\xe8")),
    st.binary(max_size=20),
)


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.one_of(simple, simple, any_frame), max_size=8).map(b"".join),
    st.lists(st.integers(0, 1_000_000), max_size=6),
    st.booleans(),
)
@example(frame(0x81, b"a") * 3 + frame(0x89, b"p") + frame(0x81, b"b"), [], False)
@example(frame(0x81, b"a") + frame(0x01, b"fr") + frame(0x81, b"b"), [], False)
@example(frame(0x81, b"caf\xc3"), [], False)
@example(frame(0x81, b"x" * 300), [5, 9, 200], True)
def test_it_comes_to_the_same(data: bytes, cuts: list[int], deflates: bool) -> None:
    """Whatever a client sends, and however it is cut into reads: the same events, the same answers, the same end. But of one read
    with an error of the protocol in it uvicorn throws all away; here what stands before it is taken, as if it had come alone."""
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    reads = [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True) if begin != end]

    async def both() -> None:
        if not deflates:
            await compared(reads)
            return
        extension = HANDSHAKE[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        await compared(reads, handshake=extension)

    asyncio.run(both())


@asynchronous
@pytest.mark.parametrize("size", [0, 1, 125, 126, 1000, 65_535])
@pytest.mark.parametrize("head", [0x81, 0x82])
async def test_the_parser_does_not_see_what_is_simple(size: int, head: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is one whole frame in one read, masked as it is, and several such messages in one read."""
    protocol = await connected()
    inlet = await inlet_behind_a_message(protocol)
    monkeypatch.setattr(protocol.conn, "receive_data", None)
    protocol.data_received(frame(head, b"x" * size, mask=b"\1\2\3\4") * 2)
    for _ in range(2):
        event = await inlet.receive()
        assert (event["bytes"] if head == 0x82 else event["text"].encode()) == b"x" * size
    assert inlet.empty()
    await ended(protocol)


@asynchronous
async def test_in_the_midst_of_a_frame_the_parser_has_it() -> None:
    """Its rest looks like a frame of its own."""
    inner = frame(0x81, b"inner", mask=b"\0\0\0\0")
    outer = frame(0x82, inner, mask=b"\0\0\0\0")
    for cut in range(1, len(outer)):
        got = await compared([outer[:cut], outer[cut:], frame(0x81, b"next")])
        assert [event.get("bytes", event.get("text")) for event in got] == [inner, "next"]


@asynchronous
async def test_between_fragments_the_parser_has_all() -> None:
    """A message must not come between the fragments of another one (RFC 6455, section 5.4), but a ping may."""
    got = await compared([frame(0x01, b"a"), frame(0x89, b""), frame(0x80, b"b"), frame(0x81, b"c")])
    assert [event["text"] for event in got] == ["ab", "c"]
    got = await compared([frame(0x01, b"a"), frame(0x81, b"b")])
    assert got == [{"type": "websocket.disconnect", "code": 1002, "reason": "expected a continuation frame"}]


@asynchronous
async def test_nothing_is_read_behind_a_close() -> None:
    """Neither behind the client's nor behind ours."""
    got = await compared([frame(0x88, b"\x03\xe8") + frame(0x81, b"late")])
    assert [event["type"] for event in got] == ["websocket.disconnect"]
    protocol = await connected()
    inlet = await inlet_behind_a_message(protocol)
    await protocol.send({"type": "websocket.close", "code": 1000})
    protocol.transport.arrive(protocol, frame(0x81, b"late"))
    assert (await inlet.receive())["type"] == "websocket.disconnect"
    assert inlet.empty()
    protocol.close_timer.cancel()
    await ended(protocol)


@asynchronous
async def test_a_message_over_the_limit_of_the_server_is_its_own_affair() -> None:
    """It closes with 1009, as it does without us."""
    got = await compared([frame(0x81, b"x" * (LIMIT + 1))])
    assert got[0]["code"] == 1009
    small = await opened(WebSocketsSansIOProtocol, endless, ws_max_size=10)
    await small.receive()
    await inlet_behind_a_message(small)
    small.transport.arrive(small, frame(0x81, b"x" * 11))
    assert small.conn.close_sent.code == 1009
    await ended(small)


@asynchronous
async def test_behind_its_session_the_connection_is_uvicorns_again() -> None:
    """What gives its parser its portions stays, for a client may go on; else nothing of ours is held."""
    protocol = await connected()
    inlet = await inlet_behind_a_message(protocol)
    unpacking = protocol.data_received.__self__
    inlet.release()
    assert isinstance(protocol.data_received.__self__, Share)
    protocol.transport.arrive(protocol, frame(0x81, b"a"))
    assert (await protocol.receive())["text"] == "a"
    held = [getattr(unpacking, name, None) for name in type(unpacking).__slots__]
    assert not any(isinstance(each, WebSocketsSansIOProtocol | Inlet) for each in held)
    await ended(protocol)


@asynchronous
async def test_a_transport_that_is_closing_is_left_alone() -> None:
    """It may be that it has no protocol any more."""
    protocol = await connected()
    inlet = await inlet_behind_a_message(protocol)
    protocol.transport.close()
    before = protocol.transport.protocols
    inlet.release()
    assert protocol.transport.protocols == before
    await ended(protocol)


@asynchronous
async def test_the_insides_of_the_installed_websockets_are_known() -> None:
    """A new version has to be looked through first: what its parser does with a frame, and where it waits. Then it is added to
    `TESTED_PARSERS`."""
    assert ".".join(websockets.__version__.split(".")[:2]) in TESTED_PARSERS
    source = inspect.getsource(WebSocketsSansIOProtocol.data_received)
    assert "self.conn.receive_data(data)" in source
    assert "self.handle_events()" in source
    assert "yield from self.reader.at_eof()" in inspect.getsource(Protocol.parse)


@asynchronous
async def test_other_parsers_are_not_passed_by(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Another version, another parser, a transport or a method of somebody else, a log of each frame; our log tells."""
    protocol = await connected()
    assert fault_of_unpacking(protocol) is None
    with monkeypatch.context() as patched:
        patched.setattr(websockets, "__version__", "17.5")
        assert fault_of_unpacking(protocol) == "websockets 17.5 is none of 17.4"
    with monkeypatch.context() as patched:
        patched.setattr(protocol, "conn", SimpleNamespace())
        assert fault_of_unpacking(protocol) == "its parser is a SimpleNamespace"
    with monkeypatch.context() as patched:
        patched.setattr(protocol.conn, "debug", True)
        assert fault_of_unpacking(protocol) == "each frame is logged"
    with monkeypatch.context() as patched:
        patched.setattr(protocol, "data_received", print)
        assert fault_of_unpacking(protocol) == "somebody else stands before its parser"
    with monkeypatch.context() as patched:
        patched.setattr(protocol.transport, "_protocol", object())
        assert fault_of_unpacking(protocol) == "somebody else stands before its parser"
    with monkeypatch.context() as patched:
        patched.setattr(protocol.conn, "extensions", [SimpleNamespace()])
        assert fault_of_unpacking(protocol) == "there are extensions: SimpleNamespace"
    with monkeypatch.context() as patched:
        patched.setattr(protocol, "transport", SimpleNamespace(get_protocol=None))
        assert fault_of_unpacking(protocol) == "SimpleNamespace has no set_protocol"
    for name in ("current_size", "parser", "max_message_size", "max_fragment_size"):
        with monkeypatch.context() as patched:
            patched.delattr(protocol.conn, name)
            assert fault_of_unpacking(protocol) == f"ServerProtocol has no {name}"
    monkeypatch.setattr(protocol.conn, "debug", True)
    with caplog.at_level("DEBUG", "wscontrollers.session"):
        assert unpacking_for(protocol, asyncio.Queue()) is None
    assert "frames come through the server's parser: each frame is logged" in caplog.text
    await ended(protocol)
