"""What an engine tells of groups: what is next is handed on, and what was missed is fetched."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.groups.test_hub import CountingEngine, Said, serving
from wscontrollers import App, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import EngineState, Group, History, MemoryEngine
from wscontrollers.groups.engines.engine import Page, Position
from wscontrollers.groups.engines.memory import MemoryConnection
from wscontrollers.groups.envelope import Envelope
from wscontrollers.testing import AsyncTestClient


async def test_state_reaches_the_hooks() -> None:
    """Each is called with the engine's new state; one that fails keeps nothing from the others."""
    engine = CountingEngine()
    app = serving(engine)
    seen: list[EngineState] = []

    @app.groups.on_state
    def failing(state: EngineState) -> None:
        raise ValueError(state)

    app.groups.on_state(seen.append)
    async with AsyncTestClient(app):
        engine.listeners[0].changed(EngineState.DOWN, "gone")
        engine.listeners[0].changed(EngineState.UP, "back")
    assert seen == [EngineState.DOWN, EngineState.UP]


async def test_the_channel_of_all_processes_is_no_group() -> None:
    """That it was interrupted is no loss for a group of its name."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("everybody")
        async for _ in session:
            pass

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        app.groups._hub().resumed("c:everybody", Position("another", 9))
        await peer.expect_nothing()


async def test_what_is_published_and_heard_in_one_loop_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that an engine within the process brings back are those that were given to it; other ones are read."""
    read: list[bytes] = []
    decode = Envelope.decode

    def decoded(data: bytes) -> Envelope:
        read.append(data)
        return decode(data)

    monkeypatch.setattr(Envelope, "decode", decoded)
    app = serving(engine := CountingEngine())
    async with AsyncTestClient(app) as client, client.connect("/") as ann:
        await ann.expect_nothing()
        assert (await app.groups.publish("tea", Said(n=1))).delivered == 1
        assert (await ann.expect(Said)).n == 1
        assert read == []
        async with engine.connect(engine.listeners[0]) as other:
            await other.publish("g:tea", data := Envelope({"wsc.v1+json": '{"type":"said","n":2}'}).encode())
        assert (await ann.expect(Said)).n == 2
        assert read == [data]


async def test_what_is_lost_while_something_lost_is_fetched_is_fetched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is interrupted again meanwhile says from where it goes on, and that is not forgotten."""
    app = serving(MemoryEngine(), Group("tea", history=History(), sends=[Said]))
    read, begun, go_on = MemoryConnection.read, anyio.Event(), anyio.Event()

    async def read_slowly(self: MemoryConnection, *arguments: Any) -> Page:
        page = await read(self, *arguments)
        begun.set()
        await go_on.wait()
        return page

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        hub = app.groups._hub()
        monkeypatch.setattr(MemoryConnection, "read", read_slowly)
        for number in (1, 2):
            with monkeypatch.context() as patch:
                patch.setattr(hub, "arrived", lambda arrival: None)  # it does not get through
                await app.groups.publish("tea", Said(n=number))
            connection: Any = hub.connection
            hub.resumed("g:tea", connection._engine.read("g:tea", None, None).top)
            await begun.wait()
        go_on.set()
        assert [(await peer.expect(Said)).n for _ in range(2)] == [1, 2]
        await peer.expect_nothing()


async def test_a_place_that_the_group_is_past_is_no_news() -> None:
    """It was said before what is there now."""
    app = serving(MemoryEngine())
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        await app.groups.publish("tea", Said(n=1))
        assert (await peer.expect(Said)).n == 1
        hub = app.groups._hub()
        group = hub.find("tea")
        assert group is not None
        assert group.position is not None
        hub.resumed("g:tea", Position(group.position.epoch, 0))
        await peer.expect_nothing()


async def test_a_fetch_that_fails_for_long_keeps_not_all_that_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came is fetched too then: it is bounded, and nothing is missing."""
    app = serving(MemoryEngine(), Group("tea", history=History(), sends=[Said]))
    read, failing = MemoryConnection.read, True

    async def refuse(self: MemoryConnection, *arguments: Any) -> Page:
        if failing:
            raise EngineDownError("it is slow")
        return await read(self, *arguments)

    monkeypatch.setattr("wscontrollers.groups.hearing.AGAIN", 0.0)
    monkeypatch.setattr("wscontrollers.groups.catching_up.PENDING", 2)
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        hub = app.groups._hub()
        with monkeypatch.context() as patch:
            patch.setattr(hub, "arrived", lambda arrival: None)
            await app.groups.publish("tea", Said(n=1))
        monkeypatch.setattr(MemoryConnection, "read", refuse)
        for number in range(2, 12):
            await app.groups.publish("tea", Said(n=number))
            await anyio.lowlevel.checkpoint()
        group = hub.find("tea")
        assert group is not None
        while group.pending is None or len(group.pending) > 2:
            await anyio.lowlevel.checkpoint()
        failing = False
        assert [(await peer.expect(Said)).n for _ in range(11)] == list(range(1, 12))
        await peer.expect_nothing()
