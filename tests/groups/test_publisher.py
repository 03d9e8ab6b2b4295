"""`Publisher`."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio.to_thread
import pytest

from wscontrollers import App, DeclarationError, Message, Session
from wscontrollers.groups import Group, History, Kept, MemoryEngine, Publisher
from wscontrollers.testing import AsyncTestClient


class Said(Message):
    n: int


NEWS = Group("news", history=History(), sends=[Said])


def serving(engine: MemoryEngine) -> App:
    app = App(engine=engine, groups=[NEWS])

    @app.websocket("/")
    async def endpoint(session: Session[Said, Said]) -> None:
        await session.join("news")
        async for _ in session:
            pass

    return app


async def test_an_async_publisher() -> None:
    """What is entered is `Groups`: it publishes to the sessions of an application that it knows nothing of but the engine."""
    engine = MemoryEngine()
    async with AsyncTestClient(serving(engine)) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        publisher = Publisher(engine, groups=[NEWS])
        for n in (1, 2):  # it can be entered again
            async with publisher as groups:
                published = await groups.publish("news", Said(n=n))
            assert await peer.expect(Said) == Said(n=n)
            assert published.mark is not None


async def test_a_sync_publisher() -> None:
    """For code without an event loop: from any thread, each call returns when the engine has taken it."""
    engine = MemoryEngine()

    def work() -> list[Kept]:
        with Publisher(engine, groups=[NEWS]) as groups:
            groups.publish("news", Said(n=1))
            thread = threading.Thread(target=groups.publish, args=("news", Said(n=2)))
            thread.start()
            thread.join()
            groups.disconnect("user:ann")
            return list(groups.history("news"))

    async with AsyncTestClient(serving(engine)) as client, client.connect("/") as peer:
        await peer.expect_nothing()
        kept = await anyio.to_thread.run_sync(work)
        assert [each.message for each in kept] == [Said(n=1), Said(n=2)]
        assert [(await peer.expect(Said)).n, (await peer.expect(Said)).n] == [1, 2]


@pytest.mark.parametrize("make", [lambda: Publisher("memory://"), lambda: Publisher("soup://x")])
def test_an_engine_that_reaches_nobody_is_refused(make: Callable[[], Publisher]) -> None:
    """A memory engine of its own would publish into the void."""
    with pytest.raises(DeclarationError, match="Fix:"):
        make()
