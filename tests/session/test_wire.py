"""What a session speaks, bound to each codec that it can be held in."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers import DeclarationError, JsonCodec, JsonRpc, Limits, Message, MsgPackCodec, latest
from wscontrollers.messages import FrameError, MessageUnion
from wscontrollers.session import DEFAULT_LIMITS, Wire
from wscontrollers.session.delivery import Overflow
from wscontrollers.session.framing import FlatFraming
from wscontrollers.session.rpc import RpcFraming
from wscontrollers.session.wire import event_of


class Say(Message):
    text: str


class Count(Message):
    n: Any


class Price(Message, outbox=latest(key="symbol")):
    symbol: str


class Note(Message, outbox="drop_newest"):
    pass


def wire(types: Any = Say, **options: Any) -> Wire:
    return Wire(MessageUnion(types), limits=DEFAULT_LIMITS, **options)


def test_the_subprotocol_chooses_the_codec() -> None:
    """The first codec that the client offers, else JSON without a subprotocol."""
    ours = wire()
    assert [ours.negotiate(offered)[1] for offered in ([], ["soap"], ["soap", "wsc.v1+json"])] == [None, None, "wsc.v1+json"]
    framing, _ = ours.negotiate([])
    assert isinstance(framing, FlatFraming)
    assert isinstance(framing.codec, JsonCodec)


def test_a_policy_is_that_of_the_class_or_of_the_controller() -> None:
    """`latest` gives a key of class and value; the others are what happens without room."""
    ours = wire(outbox="drop_oldest")
    assert ours.policy_of(Say(text="a")) == (Overflow.DROP_OLDEST, None)
    assert ours.policy_of(Note()) == (Overflow.DROP_NEWEST, None)
    assert ours.policy_of(Price(symbol="X")) == (Overflow.CLOSE, (Price, "X"))


@pytest.mark.parametrize("offered", [[], ["wsc.v1+msgpack"]])
def test_frames_hold_what_the_limits_allow(offered: list[str]) -> None:
    """What comes in by itself, and what answers a request, in every codec; a frame of calls, too."""
    limits = Limits(depth=1, digits=2).over(DEFAULT_LIMITS)
    incoming = MessageUnion(Count)
    framing, _ = Wire(incoming, limits=limits, codecs=[MsgPackCodec()]).negotiate(offered)
    assert framing.read is not None
    for read in (framing.read, framing.answers(Count)):
        assert read(framing.message(Count(n=99))).message == Count(n=99)
        for beyond in (100, [1]):
            with pytest.raises(FrameError, match="more than"):
                read(framing.message(Count(n=beyond)))
    calls, _ = Wire(incoming, limits=limits, protocol=JsonRpc()).negotiate(offered)
    assert calls.read is not None
    with pytest.raises(FrameError, match="more than 1 levels"):
        calls.read('{"jsonrpc":"2.0","method":"count","params":{"n":1}}')


def test_raw_frames_need_a_kind_of_their_own() -> None:
    """Raw text cannot be told from JSON messages; alone it can, and the other kind is then a bad frame."""
    with pytest.raises(DeclarationError, match="raw str frames cannot be told from messages"):
        wire(raw=frozenset({str}))
    framing, _ = wire([], raw=frozenset({str})).negotiate([])
    assert framing.read is not None
    assert framing.read("anything").message == "anything"
    with pytest.raises(FrameError, match="other kind"):
        framing.read(b"x")


def test_a_frame_is_an_event_of_its_kind() -> None:
    """Text goes out as text, bytes as binary, with their size."""
    assert event_of("ab") == ({"type": "websocket.send", "text": "ab"}, 2)
    assert event_of("té🍵") == ({"type": "websocket.send", "text": "té🍵"}, 7)
    assert event_of(b"abc") == ({"type": "websocket.send", "bytes": b"abc"}, 3)


def test_a_protocol_is_spoken_in_place_of_codecs() -> None:
    """No codec is negotiated then; text and bytes that come in as they are would be no calls."""
    ours = wire(protocol=JsonRpc(subprotocol="rpc"), codecs=[JsonCodec()])
    framing, subprotocol = ours.negotiate(["wsc.v1+json", "rpc"])
    assert (type(framing), subprotocol) == (RpcFraming, "rpc")
    with pytest.raises(DeclarationError, match="raw frames are no calls"):
        wire([], raw=frozenset({bytes}), protocol=JsonRpc())
