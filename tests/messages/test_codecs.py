"""JSON, MessagePack, codecs of users, and which one a session speaks."""

from __future__ import annotations

import builtins
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.applications import Starlette

from wscontrollers import App, register_controllers
from wscontrollers.exceptions import DeclarationError
from wscontrollers.messages import (
    Codec,
    FrameError,
    FrameLimits,
    Incoming,
    JsonCodec,
    Message,
    MessageUnion,
    MsgPackCodec,
    ObjectCodec,
    negotiated,
    spoken_with,
)
from wscontrollers.messages.codecs import check_codecs


class Inner(BaseModel):
    blob: bytes = b""
    kind: Literal["a", "b"] = "a"


class Everything(Message):
    text: str
    number: int
    real: float
    flag: bool | None
    blob: bytes
    when: datetime
    how_long: timedelta
    exact: Decimal
    key: UUID
    choice: int | str | bytes
    inner: list[Inner]
    pairs: dict[str, tuple[int, bytes]]
    letters: frozenset[str]


class Exact(Everything, strict=True):
    pass


def fields() -> st.SearchStrategy[dict[str, Any]]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    small = st.integers(-(2**63), 2**63 - 1)
    return st.fixed_dictionaries(
        {
            "text": text,
            "number": small,
            "real": st.floats(allow_nan=False, allow_infinity=False),
            "flag": st.none() | st.booleans(),
            "blob": st.binary(max_size=40),
            "when": st.datetimes(timezones=st.just(UTC)),
            "how_long": st.timedeltas(timedelta(days=-1000), timedelta(days=1000)),
            "exact": st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000),
            "key": st.uuids(),
            "choice": small | text,
            "inner": st.lists(st.builds(Inner, blob=st.binary(max_size=8)), max_size=2),
            "pairs": st.dictionaries(text, st.tuples(small, st.binary(max_size=8)), max_size=2),
            "letters": st.frozensets(st.sampled_from("abc")),
        }
    )


UNION = MessageUnion([Everything, Exact])
CODECS: list[Any] = [JsonCodec(), MsgPackCodec()]
REFS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"]), max_size=128)


@pytest.mark.parametrize("codec", CODECS, ids=["json", "msgpack"])
@given(data=fields(), ref=REFS, exact=st.booleans())
def test_round_trip(codec: Any, data: dict[str, Any], ref: Any, exact: bool) -> None:
    """What one side writes is what the other reads: every kind of value, bytes among them, in lax and in strict types."""
    message = (Exact if exact else Everything)(**data)

    frame = codec.writer().message(message, ref=ref)

    assert isinstance(frame, bytes) is codec.binary
    assert codec.reader(UNION)(frame) == Incoming(message, "exact" if exact else "everything", ref, None)


@pytest.mark.parametrize("codec", CODECS, ids=["json", "msgpack"])
def test_the_wrong_kind_of_frame(codec: Any) -> None:
    """A text frame where binary is spoken, and the reverse, is an `invalid_frame`."""
    wrong: Any = "{}" if codec.binary else b"{}"
    with pytest.raises(FrameError) as caught:
        codec.reader(UNION)(wrong)
    assert caught.value.code == "invalid_frame"


class Say(Message):
    text: Any


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", "invalid_json"),
        (b"\xc1", "invalid_json"),
        (b"\x81", "invalid_json"),
        (b"\xdd\xff\xff\xff\xff", "invalid_json"),
        (b"\x81\x01\x02", "invalid_json"),
        (b"\xd6\xff\x00\x00\x00\x00", "invalid_json"),
        (b"\x82\xa4type\xa3say\xa4text\xa1\xff", "invalid_json"),
        (ormsgpack.packb({"type": "say", "text": 1}) + b"\x01", "invalid_json"),
        (ormsgpack.packb({"type": "say", "text": float("nan")}), "invalid_json"),
        (b"\x82\xa4type\xa3say\xa4text" + b"\x91" * 64 + b"\x01", "invalid_json"),
        (b"\x91" * 2000 + b"\x01", "invalid_json"),
        (b"\x01", "invalid_frame"),
        (b"\x80", "invalid_frame"),
    ],
)
def test_frames_that_are_no_messagepack(frame: bytes, code: str) -> None:
    """Cut off, doubled, with extension types, keys that are no texts, NaN or too many levels: each is an error, none a crash."""
    with pytest.raises(FrameError) as caught:
        MsgPackCodec().reader(MessageUnion([Say]))(frame)
    assert caught.value.code == code


def test_a_text_cannot_be_bytes_by_accident() -> None:
    """Bytes that are no text are refused for a text, and not read as the base64 of it."""

    class Note(Message, strict=True):
        text: str
        when: datetime

    frame = ormsgpack.packb({"type": "note", "text": b"\xff", "when": "2024-01-01T00:00:00"})
    with pytest.raises(FrameError) as caught:
        MsgPackCodec().reader(MessageUnion([Note]))(frame)
    assert caught.value.code == "validation"


def test_messagepack_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ormsgpack the error says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "ormsgpack":
            raise ModuleNotFoundError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DeclarationError, match=r"Fix: pip install wscontrollers\[msgpack\]"):
        MsgPackCodec()


class Lines(ObjectCodec):
    """A codec as users write one: text frames with a mark in front."""

    subprotocol = "lines"
    binary = False

    def load(self, frame: Any) -> Any:
        return json.loads(frame.removeprefix("> "))

    def dump(self, value: dict[str, Any]) -> str:
        return "> " + json.dumps(value)


def test_a_codec_of_two_functions() -> None:
    """`load` and `dump` make a codec; its bad frames are told apart as those of ours are, and the limits hold."""
    codec: Codec = Lines()
    read = codec.reader(MessageUnion([Say]), FrameLimits())

    assert codec.writer().message(Say(text=1), "7") == '> {"type": "say", "text": 1, "re": "7"}'
    assert read('> {"type": "say", "text": 1, "ref": 7}') == Incoming(Say(text=1), "say", 7, None)
    for frame, code in (("> {", "invalid_json"), ('> {"type": "say", "text": NaN}', "invalid_json"), (b"x", "invalid_frame")):
        with pytest.raises(FrameError) as caught:
            read(frame)
        assert caught.value.code == code


JSON, PACKED, LINES = JsonCodec(), MsgPackCodec(), Lines()


@pytest.mark.parametrize("codec", [JsonCodec(), MsgPackCodec(), Lines()], ids=lambda codec: codec.subprotocol)
def test_what_a_frame_may_hold_can_be_set(codec: Any) -> None:
    """Levels and digits, wherever they stand in the object; what a text holds is no number."""
    read, write = codec.reader(MessageUnion([Say]), FrameLimits(depth=3, digits=4)), codec.writer().message
    for fine in (9999, -9999, 1e300, [[9999]], "123456", {"123456": 1}):
        assert read(write(Say(text=fine), ref=1234)).message == Say(text=fine)
    for text, fault in (
        (10_000, "an integer of more than 4 digits"),
        (["a", {"b": -10_000}], "an integer of more than 4 digits"),
        ([[[]]], "more than 3 levels"),
    ):
        with pytest.raises(FrameError, match=f": {fault}$") as caught:
            read(write(Say(text=text)))
        assert caught.value.code == "invalid_json"


@pytest.mark.parametrize(
    ("offered", "codecs", "expected"),
    [
        ([], [JSON, PACKED], (JSON, None)),
        (["chat"], [JSON, PACKED], (JSON, None)),
        (["chat", "wsc.v1+msgpack", "wsc.v1+json"], [JSON, PACKED], (PACKED, "wsc.v1+msgpack")),
        (["wsc.v1+json"], [PACKED, JSON], (JSON, "wsc.v1+json")),
        ([], [PACKED, JSON], (JSON, None)),
        (["wsc.v1+msgpack"], [JSON], (JSON, None)),
    ],
)
def test_negotiation(offered: list[str], codecs: list[Any], expected: Any) -> None:
    """The first that the client offers and the server speaks; without one, JSON and no subprotocol."""
    assert negotiated(offered, codecs) == expected


@pytest.mark.parametrize("codecs", [[], [PACKED], [PACKED, LINES]])
def test_json_is_always_spoken(codecs: list[Any]) -> None:
    """An application names what it speaks beside it; one that names JSON itself has that one, where it stands."""
    spoken = spoken_with(codecs)
    assert [*spoken[1:]] == codecs
    assert negotiated([], spoken) == (spoken[0], None)
    assert negotiated(["chat", "wsc.v1+json"], spoken) == (spoken[0], "wsc.v1+json")
    assert type(spoken[0]) is JsonCodec
    assert spoken_with([*codecs, JSON]) == (*codecs, JSON)


@pytest.mark.parametrize(
    ("codecs", "what"),
    [
        ([object()], r"is no codec: it has no subprotocol, binary, reader or writer\. Fix: use JsonCodec\(\), "),
        ([MsgPackCodec], r"MsgPackCodec is a class, and a codec is an instance\. Fix: make one: MsgPackCodec\(\)"),
        ([JsonCodec(), JsonCodec()], r"'wsc\.v1\+json' is the subprotocol of two codecs, .* Fix: give one of them another"),
        ([JsonCodec()] * 2, r"'wsc\.v1\+json' is the subprotocol of two codecs"),
    ],
)
def test_what_an_application_cannot_speak(codecs: list[Any], what: str) -> None:
    """What is no codec, and what a client could not ask for, is refused where it is given."""
    with pytest.raises(DeclarationError, match=r"codecs=\[\.\.\.\]: .*" + what):
        App(codecs=codecs)
    with pytest.raises(DeclarationError, match=what):
        register_controllers(Starlette(), codecs=codecs)
    check_codecs([JsonCodec(), MsgPackCodec()], "here")
