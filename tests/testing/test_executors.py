"""Calls in the executors of an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from wscontrollers import App, Controller, Message, Session, receive, websocket
from wscontrollers.testing import AsyncTestClient, UnexpectedFrame
from wscontrollers.testing.executors import executor_calls, executor_calls_noted

on_asyncio = pytest.mark.parametrize(  # executors are asyncio's alone
    "anyio_backend", [("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})], ids=["asyncio", "uvloop"]
)


class Work(Message):
    how: str


class Done(Message):
    pass


@on_asyncio
async def test_calls_are_counted_until_they_are_done() -> None:
    """Those of `asyncio.to_thread` and those in an executor of one's own; behind the last user the loop is as it was."""
    go_on = threading.Event()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as own, executor_calls_noted(), executor_calls_noted():
        calls = [asyncio.ensure_future(asyncio.to_thread(go_on.wait, 5)), loop.run_in_executor(own, go_on.wait, 5)]
        await asyncio.sleep(0)
        assert executor_calls() == 2
        go_on.set()
        await asyncio.gather(*calls)
        assert executor_calls() == 0
    assert "run_in_executor" not in vars(loop)
    assert executor_calls() == 0


async def test_where_there_are_no_executors_nothing_is_counted() -> None:
    """Trio has threads, which are counted elsewhere."""
    with executor_calls_noted():
        assert executor_calls() == 0


@on_asyncio
async def test_a_loop_that_cannot_be_changed_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls are not seen."""

    class Rigid:
        __slots__ = ()

        def run_in_executor(self) -> None: ...

    monkeypatch.setattr(asyncio, "get_running_loop", Rigid)
    with executor_calls_noted():
        assert executor_calls() == 0


@on_asyncio
@pytest.mark.parametrize("how", ["to_thread", "run_in_executor"])
async def test_what_comes_from_a_thread_is_no_nothing(how: str) -> None:
    """`expect_nothing` waits for what the application does in executors."""
    go_on = threading.Event()

    class Works(Controller):
        sends = (Done,)

        @websocket("/")
        async def open(self) -> AsyncIterator[None]:
            yield

        @receive
        async def work(self, message: Work, session: Session[Any, Any]) -> None:
            async def work() -> None:
                if message.how == "to_thread":
                    await asyncio.to_thread(go_on.wait, 5)
                else:
                    await asyncio.get_running_loop().run_in_executor(None, go_on.wait, 5)
                await session.send(Done())

            session.start_soon(work)

    async with AsyncTestClient(App(controllers=[Works])) as client, client.connect("/") as peer:
        await peer.send(Work(how=how))
        threading.Timer(0.05, go_on.set).start()
        with pytest.raises(UnexpectedFrame, match=r"nothing was expected, but .*done"):
            await peer.expect_nothing()
        assert await peer.expect(Done) == Done()
