"""The client's side of typed messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from wscontrollers.exceptions import DeclarationError
from wscontrollers.messages import End, FrameError, Gap, JsonCodec, Message, MsgPackCodec, Ok
from wscontrollers.session.framing import FlatFraming
from wscontrollers.testing.wire import ClientWire, Expected, declared, declared_of, wire_of


class Said(Message):
    text: str


class Left(Message):
    who: str


@dataclass
class Plain:
    type: Literal["plain", "simple"]


@pytest.mark.parametrize(
    ("kind", "name", "tags", "controls"),
    [
        (Said, "Said", {"said"}, ()),
        (Said | Left, "Said or Left", {"said", "left"}, ()),
        ([Said, Left | Plain], "Said or Left or Plain", {"said", "left", "plain", "simple"}, ()),
        (Gap, "Gap", set(), (Gap,)),
        (Said | End, "Said or End", {"said"}, (End,)),
        ([], "", set(), ()),
    ],
)
def test_what_is_expected(kind: Any, name: str, tags: set[str], controls: Any) -> None:
    """A type, a union, a list; control frames among them."""
    expected = Expected.of(kind)
    assert (expected.name, set(expected.union.tags), expected.controls) == (name, tags, controls)


def test_what_is_no_message_is_a_mistake() -> None:
    """At the line that expects it."""
    with pytest.raises(DeclarationError, match="expect"):
        Expected.of(int)


def test_a_frame_tells_what_it_answers() -> None:
    """Whatever its type is; None where it answers nothing, or is no frame."""
    wire = ClientWire(JsonCodec())
    assert wire.re('{"type":"said","text":"x","re":"1"}') == "1"
    assert wire.re('{"type":"end","re":2}') == 2
    assert wire.re('{"type":"said","text":"x"}') is None
    assert wire.re("{") is None
    assert wire.re(b"\xff") is None


def test_another_type_is_not_decoded() -> None:
    """Only what is expected is known."""
    wire = ClientWire(JsonCodec())
    assert wire.decode('{"type":"said","text":"x"}', Expected.of(Said)).message == Said(text="x")
    with pytest.raises(FrameError, match="unknown_type"):
        wire.decode('{"type":"said","text":"x"}', Expected.of(Left))


def test_an_ok_is_written() -> None:
    """The answer that says nothing."""
    assert ClientWire(JsonCodec()).ok(7) == '{"type":"ok","re":7}'


def test_the_codec_is_that_of_the_handshake() -> None:
    """JSON without a subprotocol, the test's own codecs by their names."""

    class Other(JsonCodec):
        subprotocol = "chat.v1+other"

    assert wire_of(None, ())._codec.subprotocol == "wsc.v1+json"
    assert wire_of("chat", ())._codec.subprotocol == "wsc.v1+json"
    assert wire_of("chat.v1+other", (JsonCodec(), Other()))._codec.subprotocol == "chat.v1+other"


def test_an_endpoint_may_declare_what_it_sends() -> None:
    """In the scope; most do not say."""
    assert declared(None) is None
    assert declared({}) is None
    found = declared({"wscontrollers.sends": [Said, Ok]})
    assert found is not None
    assert set(found.union.tags) == {"said"}


def test_frames_are_checked_by_the_framing_that_speaks() -> None:
    """Looked up with each frame, because it may change at the accept; raw kinds that are declared, and strange framings, pass."""
    assert declared_of(None) is None
    assert declared_of({}) is None
    scope: dict[str, Any] = {"wscontrollers.sends": [Said]}
    found = declared_of(scope)
    assert found is not None
    assert found.fault_of("no frame") is None
    scope["wscontrollers.spoken"] = FlatFraming(JsonCodec(), None, raw_sends=frozenset({bytes}))
    assert found.fault_of('{"type": "said", "text": "a", "re": 1}') is None
    assert found.fault_of('{"type": "ok", "re": 1}') is None
    assert found.fault_of(b"raw") is None
    assert "invalid_json" in str(found.fault_of("no frame"))
    assert "unknown_type" in str(found.fault_of('{"type": "left", "who": "ann"}'))
    assert "validation" in str(found.fault_of('{"type": "said"}'))
    scope["wscontrollers.spoken"] = FlatFraming(MsgPackCodec(), None)
    assert "invalid_frame" in str(found.fault_of('{"type": "said", "text": "a"}'))
