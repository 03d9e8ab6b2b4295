"""A session in a task of its own, and the server's calls that carry it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from wscontrollers import Resume
from wscontrollers.session.resuming.carrying import carry, run
from wscontrollers.session.resuming.connection import Connection
from wscontrollers.session.resuming.keeper import keeper
from wscontrollers.session.resuming.line import Line


class Peer:
    """A client that says nothing until the test has it leave."""

    def __init__(self) -> None:
        self.connection = Connection({"headers": [], "path": "/"}, self.receive, self.send)
        self.left = anyio.Event()
        self.sent: list[str] = []
        self.code = 1000

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "websocket.disconnect", "code": self.code}

    async def send(self, event: Any) -> None:
        self.sent.append(event["type"])


class Held:
    """A session, as far as its line asks for it."""

    websocket: Any = None
    user = None

    def written(self, frame: Any) -> None: ...

    def came_back(self) -> None: ...

    def stop(self, code: int, reason: str) -> None: ...

    def move(self) -> None: ...

    def places(self) -> list[Any]:
        return []

    def waiting(self) -> list[Any]:
        return []

    def unread(self) -> int:
        return 0


class Session:
    """An application that lasts until its client is gone, or until the test lets it fail."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.failure = failure
        self.fails = anyio.Event()
        self.seen: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.failure is None:
            self.seen.append(await receive())
            return
        await self.fails.wait()
        raise self.failure


async def test_the_call_lasts_until_the_session_is_over() -> None:
    """Where the peer closes, as with any other session: a server waits for its applications."""
    peer, session = Peer(), Session()
    line = Line(Resume(), peer.connection, None)
    keeper().keep(line)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, line, session, {})
        peer.left.set()
        await carry(line, peer.connection)
        assert line.done.is_set()

    assert session.seen == [{"type": "websocket.disconnect", "code": 1000}]
    assert keeper().find(line.id, None) is None


async def test_the_call_ends_with_its_connection_where_the_session_goes_on() -> None:
    """A server that waits for its applications, at its end, does not wait for who may come back."""
    peer, session = Peer(), Session()
    line = Line(Resume(), peer.connection, None)
    line.hold(Held())
    peer.code = 1006
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, line, session, {})
        peer.left.set()
        await carry(line, peer.connection)
        assert not line.done.is_set()
        line.over()

    assert line.done.is_set()


async def test_what_the_session_raises_is_raised_by_the_call() -> None:
    """So that handlers, middleware and the server's log see it, as of any other application."""
    peer, session = Peer(), Session(ValueError("a bug"))
    line = Line(Resume(), peer.connection, None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, line, session, {})
        session.fails.set()
        with pytest.raises(ValueError, match="a bug"):
            await carry(line, peer.connection)


async def test_what_it_raises_while_nobody_is_there_is_returned() -> None:
    """Whoever runs it tells the log."""
    peer, failure = Peer(), ValueError("a bug")
    session = Session(failure)
    line = Line(Resume(), peer.connection, None)
    line.hold(Held())
    peer.code = 1006
    peer.left.set()
    await carry(line, peer.connection)
    session.fails.set()

    assert await run(line, session, {}) is failure


async def test_who_cancels_the_call_of_a_session_that_ends_cancels_the_session() -> None:
    """A server that loses its patience with a clean-up; the call ends behind the session."""
    peer, steps = Peer(), list[str]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            steps.append("cleaned up")

    line = Line(Resume(), peer.connection, None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, line, app, {})
        await anyio.wait_all_tasks_blocked()
        peer.left.set()
        with anyio.CancelScope() as scope:
            tasks.start_soon(_cancel_at_rest, scope)
            await carry(line, peer.connection)
        steps.append("call ended")

    assert steps == ["cleaned up", "call ended"]


async def _cancel_at_rest(scope: anyio.CancelScope) -> None:
    await anyio.wait_all_tasks_blocked()
    scope.cancel()
