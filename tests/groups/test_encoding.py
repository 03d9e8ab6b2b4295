"""Messages as they are published."""

from __future__ import annotations

import json
from typing import Any, Literal, cast

import pytest
from typing_extensions import TypedDict

from wscontrollers import DeclarationError, Message, MsgPackCodec, latest
from wscontrollers.groups.encoding import Encoder
from wscontrollers.messages import Gap
from wscontrollers.session.delivery import Overflow


class Said(Message):
    text: str


class Note(Message, outbox="drop_oldest"):
    pass


class Price(Message, outbox=latest(key="symbol")):
    symbol: str


class Tick(TypedDict):
    type: Literal["tick"]
    n: int


def test_a_message_is_written_once_by_each_codec() -> None:
    """JSON is always there; what is done with it at a session without room travels with it."""
    codec = MsgPackCodec()
    envelope = Encoder([codec]).envelope(Said(text="a"), exclude=frozenset({"1"}), to="user:ann")
    assert json.loads(envelope.frames["wsc.v1+json"]) == {"type": "said", "text": "a"}
    assert codec.load(cast(bytes, envelope.frames["wsc.v1+msgpack"])) == cast(Any, {"type": "said", "text": "a"})
    assert (envelope.overflow, envelope.key, envelope.exclude, envelope.to) == (None, None, {"1"}, "user:ann")
    assert Encoder().envelope(Note()).overflow is Overflow.DROP_OLDEST


def test_the_key_of_latest_travels() -> None:
    """It is of the class and the value, so that two classes never replace each other."""
    keys = [Encoder().envelope(Price(symbol=symbol)).key for symbol in ("X", "X", "Y")]
    assert keys[0] == keys[1] != keys[2]


def test_typed_dictionaries_have_to_be_declared() -> None:
    """Nothing in a dict says of which type it is; `sends` does."""
    tick: Tick = {"type": "tick", "n": 1}
    with pytest.raises(DeclarationError, match="no declared TypedDict"):
        Encoder().envelope(tick)
    assert json.loads(Encoder(sends=[Tick]).envelope(tick).frames["wsc.v1+json"]) == tick


def test_control_frames() -> None:
    """They are written by each codec too."""
    frames = Encoder().control(Gap(1, "slow", "tea")).frames
    assert json.loads(frames["wsc.v1+json"]) == {"type": "gap", "dropped": 1, "reason": "slow", "group": "tea"}
