"""`Publisher`."""

from __future__ import annotations

import os
import subprocess
import sys
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


async def test_one_with_at_a_time() -> None:
    """The second would end what the first one uses; it says so in place of that, and can be entered when the first is left."""
    publisher = Publisher(MemoryEngine())

    def twice() -> None:
        for _ in range(2):
            with publisher as groups:
                with pytest.raises(RuntimeError, match=r"entered already\. Fix: "):
                    publisher.__enter__()
                groups.publish("news", Said(n=1))

    await anyio.to_thread.run_sync(twice)
    async with publisher as groups:
        with pytest.raises(RuntimeError, match=r"entered already\. Fix: "):
            await publisher.__aenter__()
        await groups.publish("news", Said(n=1))


FORKING = """
import os
import sys
from wscontrollers import Message
from wscontrollers.groups import MemoryEngine, Publisher

class Said(Message):
    n: int

publisher = Publisher(MemoryEngine())
with publisher as groups:
    groups.publish("news", Said(n=1))
    child = os.fork()
    if not child:
        try:
            groups.publish("news", Said(n=2))
        except RuntimeError as error:
            print(error)
        publisher.__exit__(None, None, None)
        with publisher as own:
            print(own.publish("news", Said(n=3)))
        sys.exit(0)  # nothing is waited for at the end of the child either
    print(os.waitpid(child, 0)[1])
    print(groups.publish("news", Said(n=4)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nobody forks here")
def test_a_fork_of_who_entered_it() -> None:
    """Nothing would answer it, so it is told; it enters one for itself, and who entered first goes on."""
    done = subprocess.run(
        [sys.executable, "-u", "-W", "ignore", "-c", FORKING], check=True, capture_output=True, text=True, timeout=30
    )
    told, own, status, first = done.stdout.splitlines()
    assert status == "0"
    assert "before this process forked. Fix: enter it in the process that uses it" in told
    assert own == first == "Published(delivered=0, dropped=0, mark=None, displaced=0)"
