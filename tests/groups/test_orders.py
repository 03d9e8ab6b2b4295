"""What all processes are asked to do, and what one of them missed."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest

from wscontrollers import App, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import Group, Groups, History, MemoryEngine, Position
from wscontrollers.groups import orders as module
from wscontrollers.groups.control import Disconnect
from wscontrollers.groups.names import EVERYBODY
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


def serving(engine: MemoryEngine) -> App:
    """A process of an application whose sessions say whose they are."""
    app = App(groups=Groups(engine))

    @app.websocket("/{user}")
    async def endpoint(session: Session[Said, Said], user: str) -> None:
        await session.identify(user)
        async for _ in session:
            pass

    return app


class Cut:
    """Has a process hear nothing of the engine for a while, as one does whose line to it is down."""

    def __init__(self, app: App) -> None:
        self.hub: Any = app.groups._hub()

    async def __aenter__(self) -> None:
        vars(self.hub)["arrived"] = lambda arrival: None

    async def __aexit__(self, *error: object) -> None:
        del vars(self.hub)["arrived"]
        self.hub.resumed(EVERYBODY, (await (await self.hub.open()).read(EVERYBODY)).top)


async def test_what_was_missed_is_obeyed() -> None:
    """As soon as the engine says that it goes on; in the order's own words, and by nobody else."""
    engine = MemoryEngine()
    one, two = serving(engine), serving(engine)
    async with AsyncTestClient(one), AsyncTestClient(two) as client, client.connect("/ann") as ann, client.connect("/bob") as bob:
        await bob.expect_nothing()
        async with Cut(two):
            await one.groups.disconnect("user:ann", 4001, "signed out")
            await ann.expect_nothing()
        assert await ann.expect_closed(4001) == "signed out"
        await bob.expect_nothing()


async def test_a_hole_before_an_order_is_filled() -> None:
    """Its number shows that others were missed, also where nobody said that the line was down."""
    engine = MemoryEngine()
    one, two = serving(engine), serving(engine)
    async with AsyncTestClient(one), AsyncTestClient(two) as client, client.connect("/ann") as ann, client.connect("/bob") as bob:
        await bob.expect_nothing()
        hub: Any = two.groups._hub()
        vars(hub)["arrived"] = lambda arrival: None
        await one.groups.disconnect("user:ann", 4001)
        del vars(hub)["arrived"]
        await ann.expect_nothing()
        await one.groups.disconnect("user:bob", 4002)
        await ann.expect_closed(4001)
        await bob.expect_closed(4002)


async def test_who_came_behind_an_order_is_not_meant() -> None:
    """The user may have signed in again, to a process that knew of nothing."""
    engine = MemoryEngine()
    one, two = serving(engine), serving(engine)
    async with (
        AsyncTestClient(one),
        AsyncTestClient(two) as client,
        client.connect("/ann") as before,
        AsyncExitStack() as stack,
    ):
        await before.expect_nothing()
        async with Cut(two):
            await one.groups.disconnect("user:ann", 4001)
            behind = await stack.enter_async_context(client.connect("/ann"))
            await behind.expect_nothing()
        await before.expect_closed(4001)
        await behind.expect_nothing()


async def test_what_was_obeyed_is_not_obeyed_again() -> None:
    """When a line comes back behind which nothing was missed, nothing is read; and to read twice does no harm."""
    engine = MemoryEngine()
    app = serving(engine)
    async with AsyncTestClient(app) as client:
        async with client.connect("/ann") as ann:
            await ann.expect_nothing()
            await app.groups.disconnect("user:ann", 4001)
            await ann.expect_closed(4001)
        async with client.connect("/ann") as ann:
            hub: Any = app.groups._hub()
            connection: Any = await hub.open()
            reads: list[Any] = []
            read = connection.read

            async def counted(channel: str, after: Position | None = None, limit: int | None = None) -> Any:
                reads.append(after)
                return await read(channel, after, limit)

            vars(connection)["read"] = counted
            top = (await read(EVERYBODY)).top
            hub.resumed(EVERYBODY, top)
            await ann.expect_nothing()
            assert reads == []
            hub.orders._position = Position(top.epoch, 0)
            hub.resumed(EVERYBODY, top)
            await ann.expect_nothing()
            assert reads == [Position(top.epoch, 0)]


async def test_orders_that_are_lost_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """The engine begins anew, or the outage was longer than they are kept: it is a line in the log; what is there is obeyed."""
    engine = MemoryEngine()
    app = serving(engine)
    async with AsyncTestClient(app) as client, client.connect("/ann") as ann:
        await ann.expect_nothing()
        hub: Any = app.groups._hub()
        connection = await hub.open()
        vars(hub)["arrived"] = lambda arrival: None
        await app.groups.disconnect("user:ann", 4001)
        del vars(hub)["arrived"]
        hub.orders._position = Position("another", 7)
        with caplog.at_level(logging.WARNING, "wscontrollers.groups"):
            hub.resumed(EVERYBODY, (await connection.read(EVERYBODY)).top)
            await ann.expect_closed(4001)
        assert "orders to end sessions were lost, or may have been" in caplog.text


async def test_an_engine_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it does, or is not connected to any more."""
    monkeypatch.setattr(module, "AGAIN", 0.0)
    engine = MemoryEngine()
    one, two = serving(engine), serving(engine)
    async with AsyncTestClient(one), AsyncTestClient(two) as client, client.connect("/ann") as ann:
        await ann.expect_nothing()
        connection: Any = await two.groups._hub().open()
        read = connection.read
        failures = 3

        async def failing(channel: str, after: Position | None = None, limit: int | None = None) -> Any:
            nonlocal failures
            if failures and after is not None:
                failures -= 1
                raise EngineDownError("no answer")
            return await read(channel, after, limit)

        vars(connection)["read"] = failing
        async with Cut(two):
            await one.groups.disconnect("user:ann", 4001)
        await ann.expect_closed(4001)
        assert failures == 0


async def test_an_engine_that_begins_without_its_server() -> None:
    """Orders of before it was first there are obeyed then."""
    engine = MemoryEngine()
    one, two = serving(engine), serving(engine)
    async with AsyncTestClient(one), AsyncTestClient(two) as client, client.connect("/ann") as ann:
        await ann.expect_nothing()
        two.groups._hub().orders._position = None
        async with Cut(two):
            await one.groups.disconnect("user:ann", 4001)
        await ann.expect_closed(4001)


async def test_what_is_no_order_holds_up_none(caplog: pytest.LogCaptureFixture) -> None:
    """Not among those that were missed either."""
    engine = MemoryEngine()
    one, two = serving(engine), serving(engine)
    async with AsyncTestClient(one), AsyncTestClient(two) as client, client.connect("/ann") as ann:
        await ann.expect_nothing()
        async with Cut(two):
            connection = await one.groups._hub().open()
            await connection.publish(EVERYBODY, b"nonsense", History())
            await one.groups.disconnect("user:ann", 4001)
        await ann.expect_closed(4001)
        assert "was not understood" in caplog.text
    assert Disconnect("user:ann", 4001, 2.0).at == 2.0


async def test_a_session_that_never_asked_for_groups_is_found() -> None:
    """By its id, in whatever process it is; it need not be in anything to be ended."""
    engine, ids = MemoryEngine(), list[str]()
    one, two = serving(engine), App(groups=Groups(engine, [Group("some")]))

    @two.websocket("/plain")
    async def plain(session: Session[Said, Said]) -> None:
        ids.append(session.id)
        async for _ in session:
            pass

    async with AsyncTestClient(one), AsyncTestClient(two) as client:
        for groups in (one.groups, two.groups):
            async with client.connect("/plain") as ann, client.connect("/plain") as bob:
                await bob.expect_nothing()
                await groups.disconnect(f"session:{ids[-2]}", 4001, "banned")
                assert await ann.expect_closed(4001) == "banned"
                await bob.expect_nothing()
