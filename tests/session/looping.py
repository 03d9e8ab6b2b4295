"""An event loop for tests that are not async themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop that runs while the rules of a machine, which are not async, ask for something."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._calls: asyncio.Queue[tuple[Coroutine[Any, Any, Any], asyncio.Future[Any]] | None] = asyncio.Queue()
        self._task = self._loop.create_task(self._serve())

    def __call__(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine; all of them run in one task, as what is entered in one has to be left in it."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._calls.put_nowait((call, future))
        return self._loop.run_until_complete(future)

    async def _serve(self) -> None:
        while (called := await self._calls.get()) is not None:
            call, future = called
            try:
                future.set_result(await call)
            except BaseException as error:
                future.set_exception(error)

    def close(self) -> None:
        """End, and cancel what is left."""
        self._calls.put_nowait(None)
        self._loop.run_until_complete(self._task)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


async def called(function: Callable[..., T], *args: Any) -> T:
    """Call a plain function where an event loop runs."""
    return function(*args)
