"""Calls in the executors of an event loop, which asyncio's own way to threads are, and which nothing else tells of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from anyio.lowlevel import RunVar


class _Calls:
    """The calls of one event loop that are not done.

    Attributes:
        users: How many want to know of them.
        pending: The calls, as the futures that the loop gives for them.
    """

    def __init__(self, run: Callable[..., asyncio.Future[Any]]) -> None:
        self.users = 0
        self.pending: set[asyncio.Future[Any]] = set()
        self._run = run

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """What the loop's own does, with the call noted until it is done."""
        call = self._run(executor, function, *args)
        self.pending.add(call)
        call.add_done_callback(self.pending.discard)
        return call


_calls: RunVar[_Calls | None] = RunVar("wscontrollers.testing.executors", None)


@contextmanager
def executor_calls_noted() -> Generator[None]:
    """Have the running event loop's calls of `run_in_executor` and `asyncio.to_thread` counted; see `executor_calls`.

    A loop that lets nobody change it, and trio, which has no executors, are left as they are.
    """
    loop: Any
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        yield
        return
    calls = _calls.get()
    if calls is None:
        calls = _Calls(loop.run_in_executor)
        try:
            loop.run_in_executor = calls.run_in_executor
        except AttributeError:  # one with slots
            yield
            return
        _calls.set(calls)
    calls.users += 1
    try:
        yield
    finally:
        calls.users -= 1
        if not calls.users:
            del loop.run_in_executor  # what is below is the class's own
            _calls.set(None)


def executor_calls() -> int:
    """How many calls of the running event loop are in executors and not done, as far as they are counted."""
    calls = _calls.get()
    return 0 if calls is None else len(calls.pending)
