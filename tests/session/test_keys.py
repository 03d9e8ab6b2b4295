"""Keys of messages that others published."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from wscontrollers import Message, latest
from wscontrollers.messages import JsonCodec
from wscontrollers.session.keys import PublishedKeys


class Price(Message):
    symbol: Annotated[str, Field(alias="s")]
    data: bytes = b""


class Note(Message):
    symbol: Any = None


def frame(message: Message) -> str | bytes:
    return JsonCodec().writer().message(message)


def test_a_declared_message_is_read() -> None:
    """Its fields have their names and types of Python, and functions take it as they take any other."""
    tea = frame(Price(s="TEA", data=b"\xff"))
    assert PublishedKeys(latest(key="symbol"), [Price]).key_of(tea) == ("price", "TEA")
    assert PublishedKeys(latest(key=lambda message: message.data), [Price]).key_of(tea) == ("price", b"\xff")


def test_of_others_there_is_what_stands_on_the_wire() -> None:
    """The field of the key's name; none where there is no such field, no value with a hash, or a function is the key."""
    keys = PublishedKeys(latest(key="symbol"), [])
    assert keys.key_of(frame(Note(symbol=7))) == ("note", int, 7)
    assert keys.key_of(frame(Note(symbol=1))) != keys.key_of(frame(Note(symbol=True)))
    assert keys.key_of('{"type":["note"],"symbol":1}') is None
    assert keys.key_of(frame(Note(symbol=["TEA"]))) is None
    assert keys.key_of(frame(Price(s="TEA"))) is None
    assert PublishedKeys(latest(key=lambda message: message.symbol), []).key_of(frame(Note(symbol="TEA"))) is None


def test_messages_of_two_types_never_share_a_key() -> None:
    """The tag is part of it."""
    keys = PublishedKeys(latest(key="symbol"), [])
    assert keys.key_of('{"type":"a","symbol":"TEA"}') != keys.key_of('{"type":"b","symbol":"TEA"}')


def test_what_a_function_raises_is_not_hidden() -> None:
    """It is a bug of who wrote it."""
    keys = PublishedKeys(latest(key=lambda message: message.nothing), [Note])
    with pytest.raises(AttributeError):
        keys.key_of(frame(Note()))
