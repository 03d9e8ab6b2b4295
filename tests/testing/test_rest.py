"""When an event loop is at rest."""

from __future__ import annotations

import asyncio
import socket
import threading
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from wscontrollers.testing import NotAtRest, at_rest

pytestmark = pytest.mark.anyio

ASYNCIO = [pytest.param(("asyncio", {"use_uvloop": use}), id=name) for name, use in (("asyncio", False), ("uvloop", True))]
on_asyncio = pytest.mark.parametrize("anyio_backend", ASYNCIO, indirect=True)
every_loop = pytest.mark.parametrize("anyio_backend", [*ASYNCIO, pytest.param(("trio", {}), id="trio")], indirect=True)


@every_loop
async def test_a_chain_of_tasks_is_waited_for() -> None:
    """Work that begets work is over when rest is: any number of hops through tasks, events and callbacks."""
    done: list[int] = []

    async with anyio.create_task_group() as tasks:

        async def hop(left: int) -> None:
            for _ in range(left % 7):
                await anyio.lowlevel.checkpoint()
            done.append(left)
            if left:
                tasks.start_soon(hop, left - 1)

        tasks.start_soon(hop, 50)
        await at_rest()

    assert done == list(range(50, -1, -1))


@every_loop
async def test_who_waits_for_the_test_is_at_rest() -> None:
    """An event that nobody sets, and a timer that lies ahead, hold nothing up."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        tasks.start_soon(anyio.sleep, 3600)
        with anyio.fail_after(1):
            await at_rest()
        tasks.cancel_scope.cancel()


@every_loop
async def test_a_worker_thread_is_waited_for() -> None:
    """A plain function that runs in a thread for a task is work of that task."""
    go_on = threading.Event()
    done: list[str] = []

    async def work() -> None:
        await anyio.to_thread.run_sync(go_on.wait, 5)
        done.append("done")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        threading.Timer(0.02, go_on.set).start()
        await at_rest()
        assert done == ["done"]


@every_loop
async def test_two_may_wait_at_once() -> None:
    """Who waits for rest does not keep others from it."""
    seen: list[str] = []

    async def wait(name: str) -> None:
        await at_rest()
        seen.append(name)

    with anyio.fail_after(2):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, "a")
            tasks.start_soon(wait, "b")
            await at_rest()

    assert sorted(seen) == ["a", "b"]


@every_loop
async def test_another_takes_over_from_one_who_gave_up() -> None:
    """A cancelled wait does not leave the others waiting."""
    async with anyio.create_task_group() as tasks:
        busy = anyio.CancelScope()

        async def spin() -> None:
            with busy:
                while True:
                    await anyio.lowlevel.checkpoint()

        async def second() -> None:
            await at_rest()
            tasks.cancel_scope.cancel()

        tasks.start_soon(spin)
        tasks.start_soon(second)
        with pytest.raises(NotAtRest):
            await at_rest(0.01)
        busy.cancel()
        with anyio.fail_after(2):
            await anyio.sleep_forever()


@every_loop
async def test_what_never_rests_is_told() -> None:
    """A loop without a wait is an error with its fix, not a hang."""
    async with anyio.create_task_group() as tasks:

        async def spin() -> None:
            while True:
                await anyio.lowlevel.checkpoint()

        tasks.start_soon(spin)
        with pytest.raises(NotAtRest, match=r"did not come to rest within 0\.01 s. Fix: "):
            await at_rest(0.01)
        tasks.cancel_scope.cancel()


@every_loop
async def test_a_thread_that_never_rests_is_told() -> None:
    """The error says that it is a thread."""
    go_on = threading.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, go_on.wait, 5)
        with pytest.raises(NotAtRest, match="1 worker threads did not"):
            await at_rest(0.05)
        go_on.set()


@every_loop
async def test_a_loop_that_lets_nobody_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """anyio's own way serves there."""
    monkeypatch.setattr("wscontrollers.testing.rest.running_loop", object)
    done: list[str] = []

    async def work() -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        done.append("done")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await at_rest()
        assert done == ["done"]


@on_asyncio
@pytest.mark.parametrize("links", [1, 2, 7, 50])
@pytest.mark.parametrize("way", ["call_soon", "call_later"])
async def test_callbacks_without_a_task_are_waited_for(links: int, way: str) -> None:
    """A chain of them, of any length, is work, and so is what comes of it: also where the loop keeps what is ready to itself."""
    loop = asyncio.get_running_loop()

    def next_soon() -> Any:
        return loop.call_soon if way == "call_soon" else partial(loop.call_later, 0)

    end = loop.create_future()
    done: list[str] = []

    def link(left: int) -> None:
        if left:
            next_soon()(link, left - 1)
        else:
            end.set_result(None)

    async def work() -> None:
        await end
        done.append("done")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await at_rest()
        loop.call_soon_threadsafe(link, links)
        await at_rest()
        assert done == ["done"]
    assert not {"call_soon", "call_soon_threadsafe", "call_later"} & vars(loop).keys()


class Lost(asyncio.Protocol):
    """Hears of the end of a connection."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.set_result(None)


@on_asyncio
@pytest.mark.parametrize("end", ["close", "abort"])
async def test_the_end_of_a_transport_is_waited_for(end: str) -> None:
    """uvloop calls who is to hear of it past all that can be replaced."""
    done: list[str] = []
    ours, theirs = socket.socketpair()
    with theirs:
        transport, protocol = await asyncio.get_running_loop().create_connection(Lost, sock=ours)

        async def work() -> None:
            await anyio.lowlevel.checkpoint()
            getattr(transport, end)()
            await protocol.heard
            done.append("done")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            await at_rest()
            assert done == ["done"]


@on_asyncio
async def test_what_somebody_else_put_into_the_loop_stays() -> None:
    """It is called meanwhile, and is there behind it."""
    loop: Any = asyncio.get_running_loop()
    asked: list[Any] = []

    def call_soon(callback: Any, *args: Any, **options: Any) -> Any:
        asked.append(callback)
        return type(loop).call_soon(loop, callback, *args, **options)

    loop.call_soon = call_soon
    try:
        asked.clear()
        await at_rest()
        assert asked
        assert vars(loop)["call_soon"] is call_soon
    finally:
        del loop.call_soon
