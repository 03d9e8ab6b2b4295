"""The groups of one event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.session.looping import called
from wscontrollers import App, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import EngineState, Group, Groups, History, MemoryEngine
from wscontrollers.groups.engines.engine import Connection, Listener, Position
from wscontrollers.groups.engines.memory import MemoryConnection
from wscontrollers.groups.hub import Hub
from wscontrollers.messages import Gap
from wscontrollers.testing import AsyncTestClient, TestClient


class Said(Message):
    n: int


class CountingEngine(MemoryEngine):
    """Tells how often it is connected, and what is subscribed to."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures
        self.connected = 0
        self.listeners: list[Listener] = []

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        if self.failures:
            self.failures -= 1
            raise EngineDownError("it is not there")
        self.listeners.append(listener)
        self.connected += 1
        try:
            async with super().connect(listener) as connection:
                yield connection
        finally:
            self.connected -= 1

    @property
    def subscribed(self) -> set[str]:
        return {name for name, channel in self._channels.items() if channel.connections}


def serving(engine: MemoryEngine, *declared: Group) -> App:
    app = App(groups=Groups(engine, declared))

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("tea")
        async for _ in session:
            pass

    return app


async def test_the_engine_is_there_while_the_application_is() -> None:
    """Connected in the lifespan, and no more behind it; the application can be started again."""
    engine = CountingEngine()
    app = serving(engine)
    for _ in range(2):
        async with AsyncTestClient(app):
            assert engine.connected == 1
            assert app.groups.state is EngineState.UP
        assert engine.connected == 0


async def test_an_engine_that_is_not_there_fails_the_start() -> None:
    """With its own error; the next start tries again."""
    engine = CountingEngine(failures=1)
    app = serving(engine)
    with pytest.raises(EngineDownError, match="it is not there"):
        async with AsyncTestClient(app):
            pass
    async with AsyncTestClient(app):
        assert engine.connected == 1


async def test_one_subscription_serves_all_members() -> None:
    """It is there from the first to the last of them."""
    engine = CountingEngine()
    async with AsyncTestClient(serving(engine)) as client:
        async with client.connect("/") as ann:
            async with client.connect("/") as bob:
                await ann.expect_nothing()
                await bob.expect_nothing()
                assert engine.subscribed == {"c:everybody", "g:tea"}
            assert "g:tea" in engine.subscribed
        with anyio.fail_after(5):
            while "g:tea" in engine.subscribed:
                await anyio.lowlevel.checkpoint()


def test_sessions_of_several_event_loops_hear_each_other() -> None:
    """Outside of its `with`, a TestClient runs each session in a loop and thread of its own."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("tea")
        await session.send(Said(n=0))
        async for message in session:
            await app.groups.publish("tea", message)

    client = TestClient(app)
    with client.websocket_connect("/") as ann, client.websocket_connect("/") as bob:
        assert [peer.receive_json()["n"] for peer in (ann, bob)] == [0, 0]
        for n in (1, 2, 3):
            ann.send_json({"type": "said", "n": n})
        assert [bob.receive_json()["n"] for _ in range(3)] == [1, 2, 3]
        assert [ann.receive_json()["n"] for _ in range(3)] == [1, 2, 3]


class SlowToUnsubscribe(CountingEngine):
    """Answers an unsubscription when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = anyio.Event(), anyio.Event()

    @asynccontextmanager
    async def connect(self, listener: Listener) -> AsyncIterator[Connection]:
        async with super().connect(listener) as connection:
            unsubscribe = connection.unsubscribe

            async def slowly(channel: str) -> None:
                self.asked.set()
                await self.go_on.wait()
                await unsubscribe(channel)

            connection.unsubscribe = slowly  # type: ignore[method-assign]
            yield connection


async def test_who_joins_while_the_last_one_leaves_is_in() -> None:
    """The subscription of the one does not end with that of the other."""
    engine = SlowToUnsubscribe()
    app = serving(engine)
    async with AsyncTestClient(app) as client:
        async with client.connect("/") as ann:
            await ann.expect_nothing()
        await engine.asked.wait()
        async with client.connect("/") as bob:
            await anyio.lowlevel.checkpoint()
            engine.go_on.set()
            await bob.expect_nothing()
            assert (await app.groups.publish("tea", Said(n=1))).delivered == 1
            await bob.expect(Said)


async def test_who_tries_again_at_once_takes_no_failure_from_others() -> None:
    """Each waits for its own attempt to connect."""
    hub = Hub(CountingEngine(failures=1), history_of=lambda name: None, changed=lambda state, reason: None)
    seen: list[str] = []

    async def stubborn() -> None:
        with pytest.raises(EngineDownError):
            await hub.open()
        await hub.open()
        seen.append("connected")

    async def patient() -> None:
        with pytest.raises(EngineDownError):
            await hub.open()
        seen.append("refused")

    async with anyio.create_task_group() as tasks:
        for function in (stubborn, patient, patient):
            tasks.start_soon(function)
    assert sorted(seen) == ["connected", "refused", "refused"]
    await hub.close()


class Gate:
    """Subscriptions to groups wait at it, and fail behind it if they are to."""

    def __init__(self, patch: pytest.MonkeyPatch, *, fails: bool = False) -> None:
        self.asked, self.go_on = anyio.Event(), anyio.Event()
        subscribe = MemoryConnection.subscribe

        async def slowly(connection: MemoryConnection, channel: str) -> Position:
            if channel.startswith("g:"):
                self.asked.set()
                await self.go_on.wait()
                if fails:
                    raise EngineDownError("it is down")
            return await subscribe(connection, channel)

        patch.setattr(MemoryConnection, "subscribe", slowly)


def held(app: App) -> list[Session[Said, Said]]:
    """The sessions of an application, which do nothing by themselves."""
    sessions: list[Session[Said, Said]] = []

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        sessions.append(session)
        async for _ in session:
            pass

    return sessions


async def empty(hub: Hub) -> None:
    """Return when nothing is held for sessions any more."""
    with anyio.fail_after(5):
        while hub._groups or hub.sessions or len(hub._detached._tasks) > 1:
            await anyio.lowlevel.checkpoint()


async def test_who_waits_for_another_ones_subscription_fails_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told to be in a group that the engine does not deliver."""
    app, failures = App(), list[str]()
    sessions, gate = held(app), Gate(monkeypatch, fails=True)

    async def join(session: Session[Said, Said]) -> None:
        with pytest.raises(EngineDownError):
            await session.join("tea")
        failures.append(session.id)

    async with AsyncTestClient(app) as client, client.connect("/") as ann, client.connect("/") as bob:
        await ann.expect_nothing()
        await bob.expect_nothing()
        async with anyio.create_task_group() as tasks:
            for session in sessions:
                tasks.start_soon(join, session)
            while len(app.groups._hub().group("tea").members) < 2:
                await anyio.lowlevel.checkpoint()
            gate.go_on.set()
        assert sorted(failures) == sorted(session.id for session in sessions)
        assert [session.groups for session in sessions] == [frozenset()] * 2


async def test_a_join_that_is_cancelled_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits behind it subscribes in its place."""
    app = App()
    sessions, gate = held(app), Gate(monkeypatch)
    async with AsyncTestClient(app) as client, client.connect("/") as ann, client.connect("/") as bob:
        await ann.expect_nothing()
        await bob.expect_nothing()
        scope = anyio.CancelScope()

        async def join_in_vain() -> None:
            with scope:
                await sessions[0].join("tea")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(join_in_vain)
            await gate.asked.wait()
            tasks.start_soon(sessions[1].join, "tea")
            while len(app.groups._hub().group("tea").members) < 2:
                await anyio.lowlevel.checkpoint()
            scope.cancel()
            gate.go_on.set()
        assert (await app.groups.publish("tea", Said(n=1))).delivered == 1
        await bob.expect(Said)
        await ann.expect_nothing()


async def test_a_session_that_ends_while_it_joins_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a task that is not its own does it: neither a group, nor a subscription, nor the session."""
    engine = CountingEngine()
    app = App(engine=engine)
    sessions, gate = held(app), Gate(monkeypatch)
    async with AsyncTestClient(app) as client, anyio.create_task_group() as tasks:
        async with client.connect("/") as ann:
            await ann.expect_nothing()
            tasks.start_soon(sessions[0].join, "tea")
            await gate.asked.wait()
        gate.go_on.set()
        await empty(app.groups._hub())
        assert engine.subscribed == {"c:everybody"}


async def test_an_application_that_is_served_twice_hears_until_the_last_end() -> None:
    """Two servers on two ports in one event loop: the first that ends takes nothing from the other."""
    engine = CountingEngine()
    app = serving(engine, Group("other"))
    async with AsyncTestClient(app) as second:
        async with AsyncTestClient(app):
            pass
        async with second.connect("/") as peer:
            await peer.expect_nothing()
            async with AsyncTestClient(app):
                pass
            assert engine.connected == 1
            await app.groups.publish("tea", Said(n=1))
            assert (await peer.expect(Said)).n == 1
    assert engine.connected == 0


@pytest.mark.parametrize("history", [History(), None])
async def test_who_is_in_a_group_is_so_after_it_is_opened_again(history: History | None) -> None:
    """What came between is fetched, or told: nobody goes deaf without a word."""
    engine = MemoryEngine()
    declared = Group("tea", history=history, sends=[Said])
    app, others = serving(engine, declared), Groups(engine, [declared])
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        await others.publish("tea", Said(n=1))
        assert (await peer.expect(Said)).n == 1
        await app.groups.close()
        await others.publish("tea", Said(n=2))
        await peer.expect_nothing()
        await app.groups.open()
        if history is None:
            assert (await peer.expect(Gap)).reason == "engine"
        else:
            assert (await peer.expect(Said)).n == 2
        await others.publish("tea", Said(n=3))
        assert (await peer.expect(Said)).n == 3
        await others.close()


async def test_who_came_before_the_engine_is_a_member_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `delivers_alone`: heard in this process at once, told that something may be missing, and then as everybody."""
    monkeypatch.setattr("wscontrollers.groups.hub.AGAIN", 0.05)
    engine = CountingEngine(failures=10**6)
    app = App(groups=Groups(engine, delivers_alone=True))

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("tea")
        async for _ in session:
            pass

    others = Groups(engine)
    async with AsyncTestClient(mounted(app)) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        assert (await app.groups.publish("tea", Said(n=1))).delivered == 1
        assert (await peer.expect(Said)).n == 1
        engine.failures = 0
        assert await peer.expect(Gap) == Gap(0, "engine", "tea")
        await others.publish("tea", Said(n=2))
        assert (await peer.expect(Said)).n == 2
    await others.close()
    await app.groups.close()


def mounted(app: App) -> Starlette:
    """An application whose lifespan is not run: its engine is connected to at first use."""
    return Starlette(routes=[Mount("/", app)])


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio chooses who runs next by lot
async def test_who_only_publishes_lets_others_run() -> None:
    """Every 64th message does, though the engine waits for nothing; it can be cancelled there, and is not published then."""
    app = serving(CountingEngine())
    sent = 0
    async with AsyncTestClient(app), anyio.create_task_group() as tasks:
        await app.groups.publish("tea", Said(n=0))
        with anyio.CancelScope() as scope:
            tasks.start_soon(called, scope.cancel)
            while True:
                await app.groups.publish("tea", Said(n=0))
                sent += 1
    assert sent == 62
