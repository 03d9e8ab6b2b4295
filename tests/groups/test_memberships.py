"""The groups of one session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from wscontrollers import App, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import Groups, MemoryEngine, Published, group
from wscontrollers.groups.engines.engine import Connection, History, Listener, Position
from wscontrollers.groups.engines.memory import MemoryConnection
from wscontrollers.messages import Gap
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


class Down(MemoryConnection):
    """An engine that answers nothing but what everything begins with."""

    async def subscribe(self, channel: str) -> Position:
        if channel.startswith("g:"):
            raise EngineDownError("it is down")
        return await super().subscribe(channel)

    async def publish(self, channel: str, data: bytes, keep: History | None = None) -> Position:
        raise EngineDownError("it is down")


class DownEngine(MemoryEngine):
    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        yield Down(self, listener)


def serving(groups: Groups, failures: list[str]) -> App:
    app = App(groups=groups)

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        try:
            await session.join("tea")
        except EngineDownError as error:
            failures.append(str(error))
        failures.append(f"in {len(session.groups)}")
        async for _ in session:
            pass

    return app


async def test_without_its_engine_nobody_joins() -> None:
    """The error says so, and the session is not half in the group."""
    groups, seen = Groups(DownEngine()), list[str]()
    async with AsyncTestClient(serving(groups, seen)) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        with pytest.raises(EngineDownError):
            await groups.publish("tea", Said(n=1))
    assert seen == ["it is down", "in 0"]


async def test_sessions_of_one_process_can_go_on_alone() -> None:
    """If so configured they hear each other while the engine is away."""
    groups, seen = Groups(DownEngine(), delivers_alone=True), list[str]()
    async with AsyncTestClient(serving(groups, seen)) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        assert await groups.publish("tea", Said(n=1)) == Published(1, 0)
        assert await groups.publish("other", Said(n=1)) == Published(0, 0)
        assert await peer.expect(Said) == Said(n=1)
    assert seen == ["in 1"]


async def test_two_tasks_that_join_one_group() -> None:
    """The second is told when the first is in, and the guard is asked once."""
    asked, go_on = anyio.Event(), anyio.Event()
    sessions: list[Session[Said, Said]] = []
    guarded: list[str] = []

    @group("room:{room}", history=History(size=5))
    async def guard(room: str) -> None:
        guarded.append(room)
        asked.set()
        await go_on.wait()

    app = App(groups=[guard])

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        sessions.append(session)
        async for _ in session:
            pass

    marks: list[str | None] = []

    async def join() -> None:
        marks.append((await sessions[0].join("room:tea")).mark)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(join)
            await asked.wait()
            tasks.start_soon(join)
            await anyio.wait_all_tasks_blocked()
            assert marks == []
            go_on.set()
        assert (len(marks), len(set(marks)), guarded) == (2, 1, ["tea"])
        assert None not in marks
        assert (await app.groups.publish("room:tea", Said(n=1))).delivered == 1
        await peer.expect(Said)


async def test_who_joined_while_the_engine_was_away_is_told() -> None:
    """What others published before it was back is not known here: that is a gap, not nothing."""
    groups, seen = Groups(DownEngine(), delivers_alone=True), list[str]()
    async with AsyncTestClient(serving(groups, seen)) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        groups._hub().resumed("g:tea", Position("e", 4))
        assert await peer.expect(Gap) == Gap(0, "engine", "tea")
