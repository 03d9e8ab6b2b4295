from __future__ import annotations

from typing import Any

import pytest

from wscontrollers.testing.frames import FrameLog, Handshake, described

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close"}
START = {"type": "websocket.http.response.start", "status": 401}
BODY = {"type": "websocket.http.response.body"}


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (ACCEPT, "accept"),
        ({**ACCEPT, "subprotocol": "chat"}, "accept with subprotocol 'chat'"),
        ({"type": "websocket.send", "text": "hi"}, "text 'hi'"),
        ({"type": "websocket.send", "text": ""}, "text ''"),
        ({"type": "websocket.send", "text": "x" * 101}, f"text '{'x' * 100}'... (101 characters)"),
        ({"type": "websocket.send", "bytes": b"hi", "text": None}, "bytes b'hi'"),
        (CLOSE, "close 1000"),
        ({**CLOSE, "code": 1008, "reason": "no"}, "close 1008 'no'"),
        (START, "refusal with HTTP 401"),
        ({**BODY, "body": b"who?"}, "body of the refusal b'who?'"),
        ({"type": "websocket.other"}, "websocket.other"),
    ],
)
def test_a_message_is_described_in_a_line(message: dict[str, Any], line: str) -> None:
    """Kind and content, shortened to what one can read."""
    assert described(message) == line


def test_an_empty_log_says_so() -> None:
    """Nothing is told apart from something."""
    assert str(FrameLog()) == "Nothing has arrived on this session."


@pytest.mark.parametrize(
    ("sent", "rest"),
    [
        ([], ["websocket.http.response.start", "websocket.http.response.body"]),
        ([ACCEPT], ["websocket.close"]),
        ([ACCEPT, CLOSE], []),
        ([CLOSE], []),
        ([START], ["websocket.http.response.body"]),
        ([START, {**BODY, "more_body": True}], ["websocket.http.response.body"]),
        ([START, BODY], []),
    ],
)
def test_an_ending_gives_the_peer_what_is_still_owed(sent: list[dict[str, Any]], rest: list[str]) -> None:
    """Wherever an application ends, the peer sees an end, once."""
    handshake = Handshake()
    for message in sent:
        handshake.passed(message)

    assert [message["type"] for message in handshake.ending(None)] == rest
    assert list(handshake.ending(None)) == []
