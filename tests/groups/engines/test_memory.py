"""What only the memory engine has; everything else is in the contract of all engines."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any

import anyio
import anyio.to_thread
import pytest

from tests.groups.engines.listening import Heard
from wscontrollers.groups.engines.engine import History, Position
from wscontrollers.groups.engines.memory import MemoryEngine
from wscontrollers.session import Clock


class Hands(Clock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds


async def test_a_channel_that_nobody_needs_is_forgotten() -> None:
    """When its last subscriber leaves and nothing of it is kept; what comes later has another epoch."""
    engine = MemoryEngine()
    async with engine.connect(Heard()) as connection:
        first = await connection.subscribe("a")
        await connection.publish("a", b"1")
        await connection.unsubscribe("a")
        assert engine._channels == {}
        second = await connection.subscribe("a")
        assert second.epoch != first.epoch
        await connection.unsubscribe("a")
        assert engine._channels == {}
        assert await connection.subscribe("a") == second  # nothing was published: nobody missed anything
    assert engine._channels == {}


async def test_what_is_kept_is_forgotten_by_its_age() -> None:
    """A group of which everything is too old is as if it had never been; nothing else is swept."""
    clock = Hands()
    engine = MemoryEngine(clock=clock)
    async with engine.connect(Heard()) as connection:
        await connection.publish("old", b"1", History(size=5, age=10))
        await connection.publish("kept", b"1", History(size=5, age=None))
        clock.seconds = 11
        assert (await connection.read("old")).entries == []
        for _ in range(1024):
            await connection.publish("new", b"1")
        assert "kept" in engine._channels
        assert "old" not in engine._channels


async def test_threads_share_one_numbering() -> None:
    """Each event loop hears everything in the order of the numbers, whoever published it."""
    engine = MemoryEngine()
    heard = Heard()

    def publish_elsewhere() -> None:
        async def publish() -> None:
            async with engine.connect(Heard()) as connection:
                for _ in range(100):
                    await connection.publish("a", b"")

        anyio.run(publish)

    async with engine.connect(heard) as connection:
        start = await connection.subscribe("a")
        threads = [threading.Thread(target=publish_elsewhere) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(100):
            await connection.publish("a", b"")
        for thread in threads:
            await anyio.to_thread.run_sync(thread.join)
        await heard.until(lambda: len(heard.arrivals) == 400)
    assert [arrival.position for arrival in heard.arrivals] == [Position(start.epoch, n) for n in range(1, 401)]


@pytest.mark.parametrize("finds", ["a message", "a connection"])
def test_a_loop_that_was_closed_under_its_connection_keeps_nothing(finds: str) -> None:
    """Whoever publishes or connects next finds that it has ended: nothing piles up for it, and it is let go."""
    engine = MemoryEngine()
    contexts: list[Any] = []

    async def begin() -> Any:
        contexts.append(engine.connect(Heard()))
        connection = await contexts[-1].__aenter__()
        await connection.subscribe("a")
        return weakref.ref(connection)

    async def find() -> None:
        if finds == "a message":
            _, connections = engine.publish("a", b"1", None)
            for each in connections:
                each.deliver()
                assert not each.pending
        else:
            async with engine.connect(Heard()):
                pass

    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(begin())
    loop.close()  # and nobody cancels its tasks
    contexts.clear()
    gc.collect()
    assert left() is not None
    asyncio.run(find())
    gc.collect()
    assert left() is None
    assert "a" not in engine._channels
