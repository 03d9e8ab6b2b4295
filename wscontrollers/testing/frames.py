"""What an application sent: how far the handshake is, and a log for error texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum

from starlette.types import Message

_SHOWN_FRAMES = 20
_SHOWN_CHARACTERS = 100


class FrameLog:
    """The last frames of a session, as `str()` shows them in an error text."""

    __slots__ = ("_count", "_last")

    def __init__(self) -> None:
        self._count = 0
        self._last: deque[Message] = deque(maxlen=_SHOWN_FRAMES)

    def add(self, message: Message) -> None:
        """Note a message that the test received."""
        self._count += 1
        self._last.append(message)

    def __str__(self) -> str:
        if not self._count:
            return "Nothing has arrived on this session."
        first = self._count - len(self._last) + 1
        lines = [f"  {number}. {described(message)}" for number, message in enumerate(self._last, first)]
        if first > 1:
            lines.insert(0, f"  ... {first - 1} before these")
        return "\n".join(["Arrived on this session so far:", *lines])


def described(message: Message) -> str:
    """One line for an ASGI message: its kind and its content, shortened."""
    match message["type"]:
        case "websocket.accept":
            subprotocol = message.get("subprotocol")
            return "accept" if subprotocol is None else f"accept with subprotocol {subprotocol!r}"
        case "websocket.send" | "websocket.receive" if message.get("text") is not None:
            return f"text {_shortened(message['text'], 'characters')}"
        case "websocket.send" | "websocket.receive":
            return f"bytes {_shortened(message.get('bytes') or b'', 'bytes')}"
        case "websocket.close" | "websocket.disconnect":
            reason = message.get("reason")
            kind = message["type"].removeprefix("websocket.")
            return f"{kind} {message.get('code', 1000)}" + (f" {reason!r}" if reason else "")
        case "websocket.http.response.start":
            return f"refusal with HTTP {message['status']}"
        case "websocket.http.response.body":
            return f"body of the refusal {_shortened(message.get('body', b''), 'bytes')}"
        case other:
            return str(other)


def _shortened(content: str | bytes, unit: str) -> str:
    if len(content) <= _SHOWN_CHARACTERS:
        return repr(content)
    return f"{content[:_SHOWN_CHARACTERS]!r}... ({len(content)} {unit})"


class _Step(Enum):
    ASKED = "asked"
    OPEN = "open"
    REFUSING = "refusing"
    OVER = "over"


class Handshake:
    """How far an application is with a session, to know what a peer sees when it ends."""

    __slots__ = ("_step",)

    def __init__(self) -> None:
        self._step = _Step.ASKED

    def passed(self, message: Message) -> Message:
        """The message, with the fields that ASGI lets an application leave out."""
        match message["type"]:
            case "websocket.accept":
                self._step = _Step.OPEN
            case "websocket.close":
                self._step = _Step.OVER
            case "websocket.http.response.start":
                self._step = _Step.REFUSING
                return {"headers": [], **message}
            case "websocket.http.response.body":
                self._step = _Step.REFUSING if message.get("more_body", False) else _Step.OVER
                return {"body": b"", **message}
            case _:
                pass
        return message

    def ending(self, error: BaseException | None) -> Iterator[Message]:
        """What a server sends when the application ends here: 500 before the accept, behind it a loss (1006).

        Source: uvicorn, which answers so; RFC 6455, section 7.4.1, for 1006.
        """
        how = "returned" if error is None else f"raised {type(error).__name__}"
        match self._step:
            case _Step.ASKED:
                yield {"type": "websocket.http.response.start", "status": 500, "headers": [(b"content-type", b"text/plain")]}
                yield {"type": "websocket.http.response.body", "body": b"Internal Server Error", "more_body": False}
            case _Step.OPEN:
                yield {"type": "websocket.close", "code": 1006, "reason": f"the application {how} without a close"}
            case _Step.REFUSING:
                yield {"type": "websocket.http.response.body", "body": b"", "more_body": False}
            case _Step.OVER:
                pass
        self._step = _Step.OVER
