"""What sessions of an application see of an engine that goes away, on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, NamedTuple

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from wscontrollers import App, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import EngineState, Group, Groups, History, Publisher
from wscontrollers.groups.engines.engine import Engine
from wscontrollers.messages import Gap
from wscontrollers.testing import AsyncTestClient

from .cable import Cable
from .listening import PATIENCE, eventually
from .servers import Shaky

TIMEOUT = 1.0
"""Seconds that the engines of these tests wait."""


@pytest.fixture
def anyio_backend() -> str:
    """The clients of Redis and NATS know asyncio only."""
    return "asyncio"


class Said(Message):
    n: int


tea = Group("tea", history=History(), sends=[Said])


class Process:
    """An application whose sessions say whose they are: `/ann`; all of them are in the group "tea".

    Args:
        engine: Its engine.
        options: Of its groups.
    """

    def __init__(self, engine: Engine, **options: Any) -> None:
        self.app = App(groups=Groups(engine, [tea], **options))
        self.client = AsyncTestClient(self.app, timeout=PATIENCE)
        self._states: list[EngineState] = []
        self._news = anyio.Event()
        self.app.groups.on_state(self._changed)
        self.app.add_api_websocket_route("/{user}", _serve)

    async def until(self, *states: EngineState) -> None:
        """Wait until the engine was in these states, one after the other; the next call waits for those behind."""
        with anyio.fail_after(PATIENCE):
            while len(self._states) < len(states):
                await self._news.wait()
        seen, self._states = self._states[: len(states)], self._states[len(states) :]
        assert seen == list(states)

    def _changed(self, state: EngineState) -> None:
        self._states.append(state)
        self._news.set()
        self._news = anyio.Event()


async def _serve(session: Session[Said, Said], user: str) -> None:
    await session.identify(user)
    await session.join("tea")
    await session.send(Said(n=0))
    async for _ in session:
        pass


class Scene(NamedTuple):
    """A process whose line to the engine can be cut, and somebody whose line holds."""

    process: Process
    cable: Cable
    publisher: Groups


@asynccontextmanager
async def scene(shaky: Shaky, **options: Any) -> AsyncIterator[Scene]:
    async with Cable(shaky.server.port) as cable:
        process = Process(shaky.make(cable.port, timeout=TIMEOUT), **options)
        async with process.client, Publisher(shaky.make(timeout=TIMEOUT), groups=[tea]) as publisher:
            yield Scene(process, cable, publisher)


async def test_an_order_reaches_a_process_that_was_cut_off(shaky: Shaky) -> None:
    """When its line is back it ends who was meant, with the code and the reason that were said, and nobody else."""
    async with (
        scene(shaky) as (process, cable, publisher),
        process.client.connect("/ann") as ann,
        process.client.connect("/bob") as bob,
    ):
        for peer in (ann, bob):
            await peer.expect(Said)
        await cable.cut()
        await process.until(EngineState.DOWN)
        await publisher.disconnect("user:ann", 4001, "signed out")
        await ann.expect_nothing()
        await cable.mend()
        assert await ann.expect_closed(4001) == "signed out"
        await process.until(EngineState.UP)
        async with process.client.connect("/ann") as again:  # it is obeyed once
            await again.expect(Said)
            await cable.snap()
            await process.until(EngineState.DOWN, EngineState.UP)
            await publisher.disconnect("user:bob", 4002)
            await bob.expect_closed(4002)
            await again.expect_nothing()


async def test_an_order_that_the_engine_did_not_take_raises(shaky: Shaky) -> None:
    """Whoever gave it knows that it may not have been heard, and can give it again: twice does no harm."""
    async with scene(shaky) as (process, _, publisher), process.client.connect("/ann") as ann:
        await ann.expect(Said)
        shaky.server.pause()
        try:
            with pytest.raises(EngineDownError):
                await publisher.disconnect("user:ann", 4001)
        finally:
            shaky.server.go_on()

        async def is_up() -> bool:
            return publisher.state is EngineState.UP

        await eventually(is_up)
        await publisher.disconnect("user:ann", 4001)
        await ann.expect_closed(4001)


async def test_a_message_that_was_delivered_alone_comes_once(shaky: Shaky) -> None:
    """The server takes it, and its answer does not come: when the line is back, who has it already is not sent it again."""
    async with scene(shaky, delivers_alone=True) as (process, cable, publisher), process.client.connect("/ann") as ann:
        assert await ann.expect(Said) == Said(n=0)
        await process.app.groups.publish("tea", Said(n=1))
        assert await ann.expect(Said) == Said(n=1)
        cable.mute()
        await process.app.groups.publish("tea", Said(n=2))
        assert await ann.expect(Said) == Said(n=2)
        await cable.snap()
        await process.until(EngineState.DOWN, EngineState.UP)
        assert [kept.message.n for kept in await process.app.groups.history("tea")] == [1, 2]
        await publisher.publish("tea", Said(n=3))
        assert await ann.expect(Said) == Said(n=3)
        await ann.expect_nothing()


async def test_a_server_stands_still_while_sessions_go_on_alone(shaky: Shaky) -> None:
    """When it goes on it takes what it was sent meanwhile, or not: whatever it does, no session hears anything twice."""
    process = Process(shaky.make(timeout=TIMEOUT), delivers_alone=True)
    other = Process(shaky.make(timeout=TIMEOUT))
    async with process.client, other.client, process.client.connect("/ann") as ann, other.client.connect("/bob") as bob:
        for peer in (ann, bob):
            assert await peer.expect(Said) == Said(n=0)
        await process.app.groups.publish("tea", Said(n=1))
        for peer in (ann, bob):
            assert await peer.expect(Said) == Said(n=1)
        shaky.server.pause()
        try:
            await process.app.groups.publish("tea", Said(n=2))
            assert await ann.expect(Said) == Said(n=2)
        finally:
            shaky.server.go_on()
        numbers = count(3)

        async def is_taken() -> bool:
            """One that raises may be taken too."""
            try:
                await other.app.groups.publish("tea", Said(n=next(numbers)))
            except EngineDownError:
                return False
            return True

        await eventually(is_taken)
        kept: list[int] = []

        async def is_read() -> bool:
            try:
                kept[:] = [each.message.n for each in await other.app.groups.history("tea")]
            except EngineDownError:
                return False
            return True

        await eventually(is_read)
        heard: dict[Any, list[int]] = {ann: [1, 2], bob: [1]}
        for peer, words in heard.items():
            while set(kept) - set(words):
                words.append((await peer.expect(Said)).n)
            await peer.expect_nothing()
        assert heard[bob] == kept
        assert heard[ann] == [1, 2, *(n for n in kept if n > 2)]


async def test_a_line_that_breaks_again_while_what_was_missed_is_fetched(shaky: Shaky, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missed in the second fault is fetched too, though nobody publishes any more."""
    async with scene(shaky) as (process, cable, publisher), process.client.connect("/ann") as ann:
        await ann.expect(Said)
        connection: Any = process.app.groups._hub().connection
        read, begun, go_on = connection.read, anyio.Event(), anyio.Event()

        async def read_slowly(channel: str, *arguments: Any) -> Any:
            page = await read(channel, *arguments)
            if channel == "g:tea":
                begun.set()
                await go_on.wait()
            return page

        monkeypatch.setattr(connection, "read", read_slowly)
        for number in (1, 2):
            await cable.cut()
            await process.until(EngineState.DOWN)
            await publisher.publish("tea", Said(n=number))
            await cable.mend()
            await process.until(EngineState.UP)
            with anyio.fail_after(PATIENCE):
                await begun.wait()
        go_on.set()
        assert [(await ann.expect(Said)).n for _ in range(2)] == [1, 2]
        await ann.expect_nothing()


async def test_who_came_before_the_engine_did_hears_everybody_when_it_is_there(shaky: Shaky) -> None:
    """With `delivers_alone` and an engine that is away at first use: at first this process alone, then all."""
    async with Cable(shaky.server.port) as cable:
        process = Process(shaky.make(cable.port, timeout=TIMEOUT), delivers_alone=True)
        await cable.cut()
        client = AsyncTestClient(Starlette(routes=[Mount("/", process.app)]), timeout=PATIENCE)
        async with client, client.connect("/ann") as ann, Publisher(shaky.make(timeout=TIMEOUT), groups=[tea]) as publisher:
            await ann.expect(Said)
            assert (await process.app.groups.publish("tea", Said(n=1))).delivered == 1
            assert (await ann.expect(Said)).n == 1
            await cable.mend()
            for _ in range(2):  # she is in the group, and in that of her user
                assert (await ann.expect(Gap)).reason == "engine"
            await publisher.publish("tea", Said(n=2))
            assert (await ann.expect(Said)).n == 2
        await process.app.groups.close()
