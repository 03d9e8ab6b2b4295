"""What stands between a session and its connection: frames are numbered, kept, and sent again."""

from __future__ import annotations

from collections import deque
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from wscontrollers import Resume
from wscontrollers.messages import Resumable, Resumed
from wscontrollers.session.clock import SCOPE_KEY as CLOCK_KEY
from wscontrollers.session.resuming.carrying import carry
from wscontrollers.session.resuming.connection import Connection
from wscontrollers.session.resuming.line import Line, PeerGone
from wscontrollers.testing.clock import VirtualClock

HANDSHAKE = {"headers": [(b"origin", b"https://a")], "path": "/room", "subprotocols": ["wsc.v1+json"]}


class Wire:
    """A connection whose other end is the test."""

    def __init__(self, **scope: Any) -> None:
        self.connection = Connection({**HANDSHAKE, **scope}, self.receive, self.send)
        self.sent: list[Any] = []
        self.is_broken = self.is_stalled = False
        self._incoming: deque[Any] = deque([{"type": "websocket.connect"}])
        self._more = anyio.Event()

    async def receive(self) -> Any:
        while not self._incoming:
            await self._more.wait()
        return self._incoming.popleft()

    async def send(self, event: Any) -> None:
        await checkpoint()
        if self.is_stalled:
            await anyio.sleep_forever()
        if self.is_broken:
            raise OSError("broken")
        self.sent.append(event.get("text", event["type"]))

    def tell(self, event: Any) -> None:
        self._incoming.append(event)
        more, self._more = self._more, anyio.Event()
        more.set()


class Kept:
    """A session on a line, as far as that asks for it."""

    def __init__(self) -> None:
        self.tickets: list[str] = []
        self.told: list[Any] = []

    websocket: Any = None

    def written(self, frame: Any) -> Any:
        assert isinstance(frame, Resumable | Resumed)
        self.tickets.append(frame.ticket)
        what = type(frame).__name__
        return text(what if isinstance(frame, Resumable) else f"{what} {frame.received} {frame.missed}")

    def came_back(self) -> None:
        self.told.append("came back")

    def stop(self, code: int, reason: str) -> None:
        self.told.append((code, reason))


def text(content: str) -> dict[str, Any]:
    """A frame."""
    return {"type": "websocket.send", "text": content}


def number_of(resume: Resume, ticket: str) -> int:
    """Which of a session's tickets it is."""
    read = resume.tickets.read(ticket)
    assert read is not None
    return read.number


async def opened(**options: Any) -> tuple[Resume, Line, Wire, Kept]:
    """A line whose session is accepted and held."""
    resume, wire, kept = Resume(30, **options), Wire(), Kept()
    line = Line(resume, wire.connection, None)
    await line.send({"type": "websocket.accept", "subprotocol": "wsc.v1+json"})
    line.hold(kept)
    await line.announce()
    return resume, line, wire, kept


async def test_frames_of_the_session_go_to_the_connection() -> None:
    """And what the client says comes to the session, a frame at a time."""
    _, line, wire, _ = await opened()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, line, wire.connection)
        await line.send(text("one"))
        wire.tell({"type": "websocket.receive", "text": "hi"})
        assert [(await line.receive())["type"] for _ in range(2)] == ["websocket.connect", "websocket.receive"]
        tasks.cancel_scope.cancel()

    assert wire.sent == ["websocket.accept", "Resumable", "one"]
    assert line.received == 1


async def test_another_connection_is_sent_what_did_not_arrive() -> None:
    """First what was sent and not received, then what waits; the session does not notice."""
    resume, line, wire, kept = await opened()
    for content in ("one", "two", "three"):
        await line.send(text(content))
    line.lose(wire.connection)
    other = Wire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.send, text("four"))
        await anyio.wait_all_tasks_blocked()
        assert line.is_detached
        assert line.claim(other.connection, number_of(resume, kept.tickets[0]), 1)
        tasks.start_soon(carry, line, other.connection, 1)
        await anyio.wait_all_tasks_blocked()
        await line.send(text("five"))
        tasks.cancel_scope.cancel()

    assert other.sent == ["websocket.accept", "Resumed 0 0", "two", "three", "four", "five"]
    assert (kept.told, line.resumed) == (["came back"], 1)


async def test_what_is_not_kept_any_more_is_counted() -> None:
    """The client is told how many frames it will never get."""
    resume, line, wire, kept = await opened(frames=2)
    for content in ("one", "two", "three", "four"):
        await line.send(text(content))
    line.lose(wire.connection)
    other = Wire()
    assert line.claim(other.connection, number_of(resume, kept.tickets[0]), 1)
    assert await line.took_up(other.connection, 1)

    assert other.sent == ["websocket.accept", "Resumed 0 1", "three", "four"]


async def test_a_write_that_fails_is_done_on_the_next_connection() -> None:
    """The session waits as for a slow client, and neither loses the frame nor sends it twice."""
    resume, line, wire, kept = await opened()
    await line.send(text("one"))
    wire.is_broken = True
    other = Wire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.send, text("two"))
        await anyio.wait_all_tasks_blocked()
        assert line.is_detached
        assert line.claim(other.connection, number_of(resume, kept.tickets[0]), 1)
        assert await line.took_up(other.connection, 1)

    assert other.sent == ["websocket.accept", "Resumed 0 0", "two"]


async def test_a_client_can_come_back_before_its_loss_is_known() -> None:
    """A write that hangs on the dead connection goes to the new one; the old one is closed, and its server's call returns."""
    resume, line, wire, kept = await opened()
    wire.is_stalled = True
    other = Wire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(carry, line, wire.connection)
        tasks.start_soon(line.send, text("one"))
        await anyio.wait_all_tasks_blocked()
        wire.is_stalled = False
        assert line.claim(other.connection, number_of(resume, kept.tickets[0]), 0)
        tasks.start_soon(carry, line, other.connection, 0)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert other.sent == ["websocket.accept", "Resumed 0 0", "one"]
    assert wire.sent == ["websocket.accept", "Resumable", "websocket.close"]


async def test_a_send_that_is_given_up_is_not_sent_later() -> None:
    """Its number goes to the next frame."""
    resume, line, wire, kept = await opened()
    line.lose(wire.connection)
    with anyio.move_on_after(0):
        await line.send(text("given up"))
    other = Wire()
    assert line.claim(other.connection, number_of(resume, kept.tickets[0]), 0)
    assert await line.took_up(other.connection, 0)
    await line.send(text("one"))

    assert other.sent == ["websocket.accept", "Resumed 0 0", "one"]
    assert line.sent.last == 1


@pytest.mark.parametrize(
    ("scope", "received", "number"),
    [
        ({"headers": [(b"origin", b"https://b")]}, 0, 1),
        ({"headers": []}, 0, 1),
        ({"path": "/other"}, 0, 1),
        ({"subprotocols": []}, 0, 1),
        ({}, 2, 1),
        ({}, 0, 2),
        ({}, 0, 0),
    ],
)
async def test_a_ticket_is_good_in_its_place_alone(scope: Any, received: int, number: int) -> None:
    """From the same page, to the same path, in the same subprotocol; and nobody received more than was sent."""
    _, line, _, _ = await opened()
    await line.send(text("one"))

    assert not line.claim(Wire(**scope).connection, number, received)
    assert line.claim(Wire().connection, 1, 1)


async def test_a_ticket_is_good_once() -> None:
    """The second one who comes with it is refused; the connection that was let in has another."""
    _, line, wire, kept = await opened()
    line.lose(wire.connection)
    other = Wire()
    assert line.claim(other.connection, 1, 0)
    assert await line.took_up(other.connection, 0)

    assert not line.claim(Wire().connection, 1, 0)
    assert line.claim(Wire().connection, 2, 0)
    assert len(kept.tickets) == 2


async def test_a_ticket_is_not_lost_with_a_handshake() -> None:
    """A connection that breaks before it is accepted used nothing; the session goes on waiting."""
    _, line, wire, _ = await opened()
    line.lose(wire.connection)
    broken = Wire()
    broken.is_broken = True
    assert line.claim(broken.connection, 1, 0)
    assert not await line.took_up(broken.connection, 0)

    assert line.is_detached
    assert line.claim(Wire().connection, 1, 0)


async def test_a_client_that_does_not_come_back_is_gone() -> None:
    """After the grace the session sees a disconnect, and who waits to send hears of it."""
    clock = VirtualClock()
    wire = Wire(**{CLOCK_KEY: clock})
    line = Line(Resume(30), wire.connection, None)
    line.hold(Kept())
    line.lose(wire.connection)
    line.expire(clock.now() + 29)
    assert line.is_detached
    failures: list[Exception] = []

    async def send() -> None:
        try:
            await line.send(text("one"))
        except OSError as error:
            failures.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        line.expire(clock.now() + 30)

    assert isinstance(failures[0], PeerGone)
    assert await line.receive() == {"type": "websocket.disconnect", "code": 1006, "reason": ""}
    assert not line.claim(Wire().connection, 1, 0)


async def test_a_session_that_ends_without_its_client_waits_for_nobody() -> None:
    """There is nobody to be sent a close frame."""
    _, line, wire, _ = await opened()
    line.lose(wire.connection)
    line.let_go()
    await line.send({"type": "websocket.close", "code": 1000})

    assert wire.sent == ["websocket.accept", "Resumable"]


async def test_before_it_is_held_a_loss_is_the_end() -> None:
    """While the handshake's dependencies run there is nothing that could be resumed."""
    wire = Wire()
    line = Line(Resume(), wire.connection, None)
    line.lose(wire.connection, {"type": "websocket.disconnect", "code": 1006})

    assert await line.receive() == {"type": "websocket.disconnect", "code": 1006}
    with pytest.raises(PeerGone):
        await line.send({"type": "websocket.accept"})


async def test_the_end_of_the_application_ends_the_session() -> None:
    """One that is not held yet is cancelled."""
    _, line, _, kept = await opened()
    line.stop()
    assert kept.told == [(1001, "the server ends")]

    early = Line(Resume(), Wire().connection, None)
    early.stop()
    assert early.running.cancel_called
