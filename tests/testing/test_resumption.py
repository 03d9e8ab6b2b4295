"""What a peer knows of its session for resuming it."""

from __future__ import annotations

from typing import Any

import pytest

from wscontrollers.messages import JsonCodec, Resumed
from wscontrollers.testing.resumption import Resumption
from wscontrollers.testing.wire import ClientWire


def text(content: str) -> dict[str, Any]:
    """A frame of the server."""
    return {"type": "websocket.send", "text": content}


RESUMED = text('{"type":"resumed","ticket":"b","grace":30.0,"received":2,"missed":1}')


async def test_tickets_are_noted_and_all_else_counts() -> None:
    """A message that only names them is none, and what comes before the first ticket has no number."""
    resumption = Resumption(ClientWire(JsonCodec()))
    assert not resumption.is_note(text("early"))
    frames = [
        text('{"type":"resumable","ticket":"a","grace":30.0}'),
        text('{"type":"said","text":"resumable"}'),
        text("no JSON"),
        {"type": "websocket.close"},
    ]

    assert [resumption.is_note(frame) for frame in frames] == [True, False, False, False]
    assert resumption.params == {"resume": "a", "received": "2"}
    await resumption.told()


async def test_a_session_that_goes_on_counts_on() -> None:
    """From what was received before, and what is lost."""
    before = Resumption(ClientWire(JsonCodec()))
    before.is_note(text('{"type":"resumable","ticket":"a","grace":30.0}'))
    before.is_note(text("one"))
    resumption = Resumption(ClientWire(JsonCodec()), before)
    resumption.is_note(RESUMED)
    resumption.is_note(text("three"))

    assert resumption.resumed == Resumed("b", 30.0, received=2, missed=1)
    assert resumption.received == 3


async def test_without_a_ticket_there_is_nothing_to_resume() -> None:
    """The failure says what is missing."""
    with pytest.raises(RuntimeError, match=r"it has no ticket. Fix: "):
        _ = Resumption(ClientWire(JsonCodec())).params
