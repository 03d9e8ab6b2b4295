"""How a session's messages, answers and errors stand in frames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wscontrollers import DeclarationError, JsonCodec, Message
from wscontrollers.messages import ErrorFrame, MessageUnion, Ok
from wscontrollers.session.framing import FlatFraming


class Say(Message):
    text: str


def framing() -> FlatFraming:
    codec = JsonCodec()
    return FlatFraming(codec, codec.reader(MessageUnion(Say)))


def test_messages_and_requests() -> None:
    """A message is flat; a request has a `ref`; text and bytes are frames as they are."""
    flat = framing()
    frames = [flat.message(Say(text="a")), flat.message(Say(text="a"), 7)]
    assert [json.loads(frame) for frame in frames] == [
        {"type": "say", "text": "a"},
        {"type": "say", "text": "a", "ref": 7},
    ]
    assert [flat.message("raw"), flat.message(b"raw")] == ["raw", b"raw"]


@pytest.mark.parametrize(
    ("value", "ref", "frame"),
    [
        (None, None, None),
        (None, 7, {"type": "ok", "re": 7}),
        (Say(text="a"), None, {"type": "say", "text": "a"}),
        (Say(text="a"), 7, {"type": "say", "text": "a", "re": 7}),
    ],
)
def test_answers(value: Any, ref: int | None, frame: Any) -> None:
    """An answer has `re` where it was asked for; nothing is said of nothing that nobody asked for."""
    written = framing().answer(value, ref)
    assert (None if written is None else json.loads(written)) == frame


def test_streams_errors_and_controls() -> None:
    """Items and the end have `re`, errors what is in them."""
    flat = framing()
    frames = [flat.item(Say(text="a"), 7), flat.end(7), flat.error(ErrorFrame("full", "no room", re=7)), flat.control(Ok(1))]
    assert [json.loads(frame) for frame in frames if frame is not None] == [
        {"type": "say", "text": "a", "re": 7},
        {"type": "end", "re": 7},
        {"type": "error", "code": "full", "message": "no room", "re": 7},
        {"type": "ok", "re": 1},
    ]


def test_answers_are_read_by_the_type_that_was_asked_for() -> None:
    """The reader of a type is made once; `ok` needs no type."""
    flat = framing()
    read = flat.answers(Say)
    assert flat.answers(Say) is read
    assert read('{"type":"say","text":"a","re":1}').message == Say(text="a")
    assert flat.answers(Ok)('{"type":"ok","re":1}').message == Ok(1)
    with pytest.raises(DeclarationError, match=r"Session.request\(reply=int\)"):
        flat.answers(int)


def test_an_answer_may_be_lost() -> None:
    """Where a handler is cancelled an error answers in its place, and at the end of a session nothing is left to say."""
    assert framing().must_arrive is False
    flat = framing()
    flat.stop()
    assert not flat.unanswered()
