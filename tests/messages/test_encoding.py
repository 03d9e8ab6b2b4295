"""How a class is written: bound once, bytes put back."""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from wscontrollers.messages import Cancel, ErrorFrame, Message, MessageUnion
from wscontrollers.messages.encoding import Encodings, control_fields, ref_json, with_bytes


class Say(Message):
    text: str


class Plain(BaseModel):
    type: Literal["plain"]


def test_a_class_is_bound_once() -> None:
    """What is declared is bound at the start, a subclass of Message when it is first sent; then always the same."""
    encodings = Encodings(MessageUnion([Plain]))

    assert list(encodings) == [Plain]
    assert encodings.of(Say(text="x")) is encodings.of(Say(text="y"))
    assert encodings.of(Say(text="x")).tag == "say"
    assert encodings.of(Plain(type="plain")).tag is None


def test_a_messages_own_serializer() -> None:
    """A message is written by the serializer of its own model."""

    class Own(Message):
        n: int

    Own.__pydantic_serializer__.to_json(Own(n=1))
    assert Encodings().of(Own(n=1)).fields_json(Own(n=1)) == '{"n":1}'
    assert Encodings().of(Own(n=1)).to_objects is None


def test_a_set_of_bytes_has_no_order() -> None:
    """Copies of it can have different ones, and all of its bytes are put back."""

    class Hashes(Message):
        all: set[bytes]

    for number in range(200):
        given = {f"{number} {each}".encode() for each in range(20)}
        assert set(Encodings().of(Hashes(all=given)).fields(Hashes(all=given))["all"]) == given


def test_bytes_among_extra_keys() -> None:
    """They are bytes, too, where a class keeps what it was not asked for."""

    class Open(Message):
        model_config = {"extra": "allow"}

    message = Open.model_validate({"data": b"\xff"})
    assert Encodings().of(message).fields(message) == {"data": b"\xff"}


@pytest.mark.parametrize(
    ("plain", "jsonable", "expected"),
    [
        (b"\xff", "_w==", b"\xff"),
        (bytearray(b"\xff"), "_w==", b"\xff"),
        (b"\xff", "ff", b"\xff"),
        (b"abc", "abc", b"abc"),
        (b"\xff", "x:ff", "x:ff"),
        ({"a": b"\xff", "b": 1}, {"a": "_w==", "b": 1}, {"a": b"\xff", "b": 1}),
        ({1: b"\xff"}, {"1": "_w=="}, {"1": b"\xff"}),
        ([b"\xff", "x"], ["_w==", "x"], [b"\xff", "x"]),
        (deque([b"\xff"]), ["_w=="], [b"\xff"]),
        ({b"\xff"}, ["_w=="], [b"\xff"]),
        (frozenset({1, "a", b"\xff"}), ["a", "_w==", 1], ["a", b"\xff", 1]),
        (frozenset({"_w==", b"\xff"}), ["_w==", "_w=="], ["_w==", "_w=="]),
        ({"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ([1], [1, 2], [1, 2]),
        ("_w==", "_w==", "_w=="),
    ],
)
def test_bytes_are_put_back(plain: Any, jsonable: Any, expected: Any) -> None:
    """Only where the text is one that pydantic writes for the bytes in the same place; all else stays as JSON has it."""
    assert with_bytes(plain, jsonable) == expected


def test_control_frames_have_what_there_is() -> None:
    """Fields that are None are left out, false ones are not."""
    assert control_fields(Cancel(0)) == {"type": "cancel", "re": 0}
    assert control_fields(ErrorFrame("timeout", "", re="7")) == {"type": "error", "code": "timeout", "message": "", "re": "7"}


def test_references_as_json() -> None:
    """A reference is escaped."""
    assert [ref_json(7), ref_json("7"), ref_json('"\n')] == ["7", '"7"', r'"\"\n"']
