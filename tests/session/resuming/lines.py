"""Lines whose connections and sessions are those of the test."""

from __future__ import annotations

from collections import deque
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from wscontrollers import Resume
from wscontrollers.messages import Resumable, Resumed
from wscontrollers.session.resuming.connection import Connection
from wscontrollers.session.resuming.kept import Asked, Place
from wscontrollers.session.resuming.line import Line
from wscontrollers.session.resuming.tickets import Ticket

HANDSHAKE = {"headers": [(b"origin", b"https://a")], "path": "/room", "subprotocols": ["wsc.v1+json"]}


class Wire:
    """A connection whose other end is the test."""

    def __init__(self, **scope: Any) -> None:
        self.connection = Connection({**HANDSHAKE, **scope}, self.receive, self.send)
        self.sent: list[Any] = []
        self.is_broken = self.is_stalled = False
        self.gate: anyio.Event | None = None  # what all but the accept waits for
        self._incoming: deque[Any] = deque([{"type": "websocket.connect"}])
        self._more = anyio.Event()

    async def receive(self) -> Any:
        while not self._incoming:
            await self._more.wait()
        return self._incoming.popleft()

    async def send(self, event: Any) -> None:
        await checkpoint()
        if self.gate is not None and event["type"] != "websocket.accept":
            await self.gate.wait()
        if self.is_stalled:
            await anyio.sleep_forever()
        if self.is_broken:
            raise OSError("broken")
        self.sent.append(event.get("text", event["type"]))

    def tell(self, event: Any) -> None:
        self._incoming.append(event)
        more, self._more = self._more, anyio.Event()
        more.set()


class Held:
    """A session on a line, as far as that asks for it."""

    def __init__(self) -> None:
        self.user: str | None = None
        self.tickets: list[str] = []
        self.told: list[Any] = []
        self.queue: list[Any] = []
        self.inbox = 0

    websocket: Any = None

    def written(self, frame: Any) -> Any:
        assert isinstance(frame, Resumable | Resumed)
        self.tickets.append(frame.ticket)
        what = type(frame).__name__
        if isinstance(frame, Resumable):
            return text(what)
        return text(f"{what} {frame.received} {frame.missed}{' moved' if frame.moved else ''}")

    def came_back(self) -> None:
        self.told.append("came back")

    def stop(self, code: int, reason: str) -> None:
        self.told.append((code, reason))

    def move(self) -> None:
        self.told.append("moved")

    def places(self) -> list[Place]:
        return [Place("room:tea", "abc", 7, {"name": "Ann"})]

    def waiting(self) -> list[Any]:
        return self.queue

    def unread(self) -> int:
        return self.inbox


def text(content: str) -> dict[str, Any]:
    """A frame."""
    return {"type": "websocket.send", "text": content}


def number_of(resume: Resume, ticket: str) -> int:
    """Which of a session's tickets it is."""
    read = resume.tickets.read(ticket)
    assert read is not None
    return read.number


def asked(line: Line, wire: Wire, number: int, received: int) -> Asked:
    """What the client of a connection asks for."""
    return Asked.by(wire.connection, Ticket(line.id, number, 0), received)


def claimed(line: Line, wire: Wire, number: int, received: int) -> bool:
    """Whether it gets it."""
    return line.claim(wire.connection, asked(line, wire, number, received))


async def opened(**options: Any) -> tuple[Resume, Line, Wire, Held]:
    """A line whose session is accepted and held."""
    resume, wire, kept = Resume(30, **options), Wire(), Held()
    line = Line(resume, wire.connection, None)
    await line.send({"type": "websocket.accept", "subprotocol": "wsc.v1+json"})
    line.hold(kept)
    await line.announce()
    return resume, line, wire, kept
