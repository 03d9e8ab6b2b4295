"""What sessions of an application see of an engine that goes away, on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio
import pytest

from wscontrollers import App, Message, Session
from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups import EngineState, Groups, Publisher
from wscontrollers.groups.engines.engine import Engine
from wscontrollers.testing import AsyncTestClient

from .cable import Cable
from .listening import PATIENCE, eventually
from .servers import Shaky

TIMEOUT = 0.5
"""Seconds that the engines of these tests wait."""


@pytest.fixture
def anyio_backend() -> str:
    """The clients of Redis and NATS know asyncio only."""
    return "asyncio"


class Said(Message):
    n: int


class Process:
    """An application whose sessions say whose they are: `/ann`.

    Args:
        engine: Its engine.
    """

    def __init__(self, engine: Engine) -> None:
        self.app = App(groups=Groups(engine))
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
    await session.send(Said(n=0))
    async for _ in session:
        pass


class Scene(NamedTuple):
    """A process whose line to the engine can be cut, and somebody whose line holds."""

    process: Process
    cable: Cable
    publisher: Groups


@asynccontextmanager
async def scene(shaky: Shaky) -> AsyncIterator[Scene]:
    async with Cable(shaky.server.port) as cable:
        process = Process(shaky.make(cable.port, timeout=TIMEOUT))
        async with process.client, Publisher(shaky.make(timeout=TIMEOUT)) as publisher:
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
