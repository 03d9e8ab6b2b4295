"""The groups of one session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest

from wscontrollers import App, Denied, Depends, Limits, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import Group, Groups, MemoryEngine, Published, group
from wscontrollers.groups.engines.engine import Connection, History, Listener, Position
from wscontrollers.groups.engines.memory import MemoryConnection
from wscontrollers.groups.marks import Mark
from wscontrollers.messages import Gap, Recovered
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


def asking(hold: anyio.Event, **options: Any) -> App:
    """An application whose guard takes its time."""

    @group("tea", history=History(), sends=[Said])
    async def guard(secret: str = "") -> None:
        await hold.wait()
        if secret == "wrong":
            raise Denied(403, "not here")

    app = App(groups=Groups(declared=[guard], **options))

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        async def join() -> None:
            try:
                await session.join("tea")
            except Denied:
                await session.send(Said(n=-1))

        session.start_soon(join)
        async for _ in session:
            pass

    return app


async def test_a_client_that_asks_while_its_session_joins_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot know when that is done: before the guard let it in, and before the engine delivers."""
    hold, subscribes, subscribed = anyio.Event(), anyio.Event(), anyio.Event()
    app, subscribe = asking(hold), MemoryConnection.subscribe

    async def subscribe_slowly(self: MemoryConnection, channel: str) -> Position:
        if channel == "g:tea":
            subscribes.set()
            await subscribed.wait()
        return await subscribe(self, channel)

    monkeypatch.setattr(MemoryConnection, "subscribe", subscribe_slowly)
    async with AsyncTestClient(app) as client:
        mark, _ = [(await app.groups.publish("tea", Said(n=n))).mark for n in (1, 2)]
        async with client.connect("/") as guarded, client.connect("/") as subscribing:
            await guarded.send_json({"type": "recover", "marks": [mark]})
            await guarded.expect_nothing()
            hold.set()
            await subscribes.wait()
            await subscribing.send_json({"type": "recover", "marks": [mark]})
            await subscribing.expect_nothing()
            subscribed.set()
            for peer in (guarded, subscribing):
                assert (await peer.expect(Recovered)).complete
                assert (await peer.expect(Said)).n == 2
                await peer.expect_nothing()


async def test_who_asks_and_is_not_let_in_is_told() -> None:
    """As for any group that the session is not in."""
    hold = anyio.Event()
    app = asking(hold)
    async with AsyncTestClient(app) as client, client.connect("/", params={"secret": "wrong"}) as peer:
        await peer.send_json({"type": "recover", "marks": [str(Mark("tea", Position("e", 1)))]})
        await peer.expect_nothing()
        hold.set()
        await peer.expect_error("forbidden")
        assert (await peer.expect(Said)).n == -1


async def test_without_the_engine_a_mark_is_answered_too() -> None:
    """Where sessions go on alone, nothing can be recovered: the client hears that."""
    declared = Group("tea", history=History(), sends=[Said])
    groups, seen = Groups(DownEngine(), [declared], delivers_alone=True), list[str]()
    mark = str(Mark("tea", Position("e", 1)))
    async with AsyncTestClient(serving(groups, seen)) as client, client.connect("/", params={"recover": mark}) as peer:
        assert await peer.expect(Recovered) == Recovered("tea", complete=False)
        await groups.publish("tea", Said(n=1))
        assert (await peer.expect(Said)).n == 1


async def test_joins_that_are_under_way_count() -> None:
    """As many as are begun at once pass no limit by."""
    failures: list[str] = []

    @group("g:{x}")
    async def guard(x: str) -> None:
        await anyio.lowlevel.checkpoint()

    app = App(groups=[guard], limits=Limits(groups=2))

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        async def join(number: int) -> None:
            try:
                await session.join(f"g:{number}")
            except ValueError as error:
                failures.append(str(error))

        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(join, number)
        await session.send(Said(n=len(session.groups)))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert (await peer.expect(Said)).n == 2
        await peer.expect_closed(1000)
    assert len(failures) == 3


async def who(session: Session[Said, Said]) -> str:
    """A dependency, which runs before the handshake is accepted."""
    with pytest.raises(RuntimeError, match=r"Session.identify\(\): the handshake is not accepted. Fix: identify in"):
        await session.identify("ann")
    assert session.user is None
    return "ann"


async def test_nobody_says_who_he_is_before_the_handshake_is_accepted() -> None:
    """As nobody joins then: what is published to the user could not be sent."""

    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said], user: Annotated[str, Depends(who)]) -> None:
        await session.identify(user)
        async for _ in session:
            pass

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        await app.groups.publish("user:ann", Said(n=1))
        assert (await peer.expect(Said)).n == 1
