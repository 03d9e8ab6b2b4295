"""Writing messages: by their own serializers, with the envelope in front."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Any, Literal

import ormsgpack
import pytest
from pydantic import BaseModel, ConfigDict, Field, model_serializer
from typing_extensions import TypedDict

from wscontrollers.exceptions import DeclarationError
from wscontrollers.messages import JsonCodec, Message, MessageUnion, MsgPackCodec


class Said(Message):
    who: str = Field(alias="userName")
    data: dict[str, int] = {}


class Accepted(Message):
    pass


class Plain(BaseModel):
    type: Literal["plain", "simple"]
    by_name: int = Field(1, alias="byName")


@dataclass
class Data:
    type: Literal["data"]
    n: int = 1


class Dict(TypedDict):
    type: Literal["dict"]
    n: int


SAID = Said(userName="ann", data={"snake_case": 1})
UNION = MessageUnion([Plain, Data, Dict])


@pytest.mark.parametrize(
    ("message", "envelope", "text"),
    [
        (SAID, {}, '{"type":"said","userName":"ann","data":{"snake_case":1}}'),
        (SAID, {"re": "7"}, '{"type":"said","re":"7","userName":"ann","data":{"snake_case":1}}'),
        (
            SAID,
            {"re": 7, "ref": 8, "mark": "m"},
            '{"type":"said","re":7,"ref":8,"mark":"m","userName":"ann","data":{"snake_case":1}}',
        ),
        (SAID, {"re": '"\n'}, r'{"type":"said","re":"\"\n","userName":"ann","data":{"snake_case":1}}'),
        (Accepted(), {}, '{"type":"accepted"}'),
        (Accepted(), {"re": 0}, '{"type":"accepted","re":0}'),
        (Plain(type="simple", byName=2), {}, '{"type":"simple","byName":2}'),
        (Plain(type="simple", byName=2), {"re": 1}, '{"re":1,"type":"simple","byName":2}'),
        (Data("data"), {"re": 1}, '{"re":1,"type":"data","n":1}'),
        ({"type": "dict", "n": 1}, {"re": 1}, '{"re":1,"type":"dict","n":1}'),
    ],
)
def test_what_is_written(message: Any, envelope: dict[str, Any], text: str) -> None:
    """Tag and envelope, then the fields by their aliases; the keys of the user's data are never touched. Both codecs agree."""
    assert JsonCodec().writer(UNION).message(message, **envelope) == text
    assert ormsgpack.unpackb(MsgPackCodec().writer(UNION).message(message, **envelope)) == json.loads(text)  # type: ignore[arg-type]


def test_messages_need_no_declaration() -> None:
    """Any subclass of Message, and any type with a tag of its own save a TypedDict, can be written without a union."""
    writer = JsonCodec().writer()

    assert writer.message(Accepted()) == '{"type":"accepted"}'
    assert writer.message(Data("data")) == '{"type":"data","n":1}'
    with pytest.raises(DeclarationError, match="the type of no declared TypedDict"):
        writer.message({"type": "dict", "n": 1})
    with pytest.raises(DeclarationError, match="int is no message"):
        writer.message(1)


def test_a_tag_with_quotes() -> None:
    """A tag is a text like any other."""

    class Odd(Message, tag='"{é'):
        n: int = 1

    text = JsonCodec().writer().message(Odd(), "7")
    assert json.loads(text) == {"type": '"{é', "re": "7", "n": 1}


class Nested(BaseModel):
    blob: bytes


class Holder(Message):
    blob: bytes
    nested: Nested
    anything: Any = None
    many: tuple[bytes, ...] = ()


class Hex(Message):
    model_config = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex")
    blob: bytes


def test_bytes_are_base64_in_json_and_bytes_in_messagepack() -> None:
    """At any depth, in plain models too; another encoding in JSON is the model's own to choose."""
    blob = bytes(range(256))
    message = Holder(blob=blob, nested=Nested(blob=blob), anything={"deep": [blob]}, many=(blob, b""))

    written = json.loads(JsonCodec().writer().message(message))
    assert urlsafe_b64decode(written["blob"]) == urlsafe_b64decode(written["nested"]["blob"]) == blob
    packed = ormsgpack.unpackb(MsgPackCodec().writer().message(message))  # type: ignore[arg-type]  # bytes, by this codec
    assert packed == {"type": "holder", "blob": blob, "nested": {"blob": blob}, "anything": {"deep": [blob]}, "many": [blob, b""]}
    assert json.loads(JsonCodec().writer().message(Hex(blob=b"\xff"))) == {"type": "hex", "blob": "ff"}


def test_sets_are_lists_of_what_is_in_them() -> None:
    """Of frozen models with bytes too, whose objects could be in no set: an array in either codec, at any depth."""

    class Frozen(BaseModel):
        model_config = ConfigDict(frozen=True)
        blob: bytes
        parts: frozenset[Frozen] = frozenset()

    class Bag(Message):
        items: set[Frozen]
        blobs: frozenset[bytes] = frozenset()
        anything: set[Any] = set()

    message = Bag(
        items={Frozen(blob=b"\xff", parts=frozenset({Frozen(blob=b"\xfe")}))}, blobs=frozenset({b"\xfd"}), anything={b"a"}
    )
    form = {
        "type": "bag",
        "items": [{"blob": b"\xff", "parts": [{"blob": b"\xfe", "parts": []}]}],
        "blobs": [b"\xfd"],
        "anything": [b"a"],
    }
    packed: Any = MsgPackCodec().writer().message(message)
    assert ormsgpack.unpackb(packed) == form
    written = json.loads(JsonCodec().writer().message(message))
    assert written == json.loads(json.dumps(form, default=lambda blob: urlsafe_b64encode(blob).decode()))


def test_what_stands_below_any_is_written_as_the_whole() -> None:
    """By the configuration of the message: of a plain model too, whose bytes are written otherwise than by itself."""

    class Plain(BaseModel):
        model_config = ConfigDict(ser_json_timedelta="float", ser_json_inf_nan="strings")
        type: Literal["plain"]
        blob: bytes
        anything: Any

    writer = JsonCodec().writer(MessageUnion([Plain]))
    written = json.loads(writer.message(Plain(type="plain", blob=b"\xff", anything=[timedelta(seconds=3), inf, b"\xff"])))
    assert written == {"type": "plain", "blob": "_w==", "anything": [3.0, "Infinity", "_w=="]}


@pytest.mark.parametrize("codec", [JsonCodec(), MsgPackCodec()], ids=["json", "msgpack"])
def test_what_cannot_be_told_from_the_class(codec: Any) -> None:
    """A serializer that makes no object, or extra keys that are the frame's, are errors where the message is sent."""

    class Text(Message):
        @model_serializer
        def written(self) -> str:
            return "text"

    class Keeps(Message, extra="allow"):
        pass

    class Renamed(Message):
        n: int = 1

        @model_serializer
        def written(self) -> dict[str, int]:
            return {"N": self.n}

    writer = codec.writer()
    with pytest.raises(TypeError, match=r"Text: its serializer makes no object\. Fix"):
        writer.message(Text())
    with pytest.raises(TypeError, match=r"Keeps: the key 'type' belongs to the frame\. Fix"):
        writer.message(Keeps(type="evil"))  # type: ignore[call-arg]  # kept
    assert writer.message(Renamed()) in ('{"type":"renamed","N":1}', ormsgpack.packb({"type": "renamed", "N": 1}))
    assert writer.message(Keeps(more=1))  # type: ignore[call-arg]  # kept


@pytest.mark.parametrize("codec", [JsonCodec(), MsgPackCodec()], ids=["json", "msgpack"])
def test_texts_that_are_none(codec: Any) -> None:
    """A lone surrogate cannot be written; the error is the sender's."""
    with pytest.raises((ValueError, TypeError), match="surrogates"):
        codec.writer().message(Said.model_construct(who="\ud800", data={}))
