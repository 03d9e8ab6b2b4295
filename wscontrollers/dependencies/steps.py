"""The steps of a plan: each makes one value out of those that are there.

A step that only calls, or only awaits, is done by the plan's own loop; `mode` says so. All others run by themselves.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import copy_context
from typing import Any
from weakref import WeakKeyDictionary

import anyio.to_thread
from anyio import CancelScope, CapacityLimiter, Semaphore
from anyio.lowlevel import RunVar

from ..callables import AnyCallable
from ..markers import ConcurrencyLimit, DependencyScope
from .invoking import Values
from .resolution import Resolution

Invoke = Callable[[Values], Any]

CALL, AWAIT, RUN = range(3)


class Step:
    """Makes the value of one slot.

    Attributes:
        mode: `CALL`: the value is what `invoke` returns; `AWAIT`: what that gives when awaited; `RUN`: see `run`.
        slot: Where the value goes.
        reads: The slots that are read; if one of them has no value because of invalid parameters, the step is left out.
        invoke: The call with its arguments taken from the values.
        what: What is called, for those who look at a plan.
    """

    __slots__ = ("invoke", "mode", "reads", "slot", "what")

    def __init__(self, mode: int, slot: int, reads: Sequence[int], invoke: Invoke, what: Any) -> None:
        self.mode = mode
        self.slot = slot
        self.reads = tuple(reads)
        self.invoke = invoke
        self.what = what

    async def run(self, values: Values, resolution: Resolution) -> None:
        """Make the value and put it into its slot."""
        value = self.invoke(values)
        values[self.slot] = await value if self.mode == AWAIT else value


class ThreadStep(Step):
    """A plain function in a worker thread, in a copy of the session's context, because it may block."""

    __slots__ = ()

    async def run(self, values: Values, resolution: Resolution) -> None:
        values[self.slot] = await anyio.to_thread.run_sync(self.invoke, values)


class SharedThreadStep(Step):
    """Plain functions that follow each other: one hop to a worker thread for all of them, each in its own copy of the context."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Step]) -> None:
        super().__init__(RUN, parts[-1].slot, [slot for part in parts for slot in part.reads], self._all, [p.what for p in parts])
        self.parts = tuple(parts)

    def _all(self, values: Values) -> None:
        for part in self.parts:
            values[part.slot] = copy_context().run(part.invoke, values)

    async def run(self, values: Values, resolution: Resolution) -> None:
        await anyio.to_thread.run_sync(self._all, values)


class ContextStep(Step):
    """A generator: its value is what it yields, and it goes on when its stack unwinds."""

    __slots__ = ("scope",)

    def __init__(self, slot: int, reads: Sequence[int], invoke: Invoke, what: Any, *, scope: DependencyScope | None) -> None:
        super().__init__(RUN, slot, reads, invoke, what)
        self.scope = scope

    async def run(self, values: Values, resolution: Resolution) -> None:
        stack = resolution.function_stack if self.scope == "function" else resolution.scope.stack
        values[self.slot] = await stack.enter_async_context(self.invoke(values))


class LimitedStep(Step):
    """A call that waits until fewer than `limit` of its declaration run."""

    __slots__ = ("inner", "limit")

    def __init__(self, inner: Step, limit: ConcurrencyLimit) -> None:
        super().__init__(RUN, inner.slot, inner.reads, inner.invoke, inner.what)
        self.inner = inner
        self.limit = limit

    async def run(self, values: Values, resolution: Resolution) -> None:
        async with semaphore_of(self.limit):
            await self.inner.run(values, resolution)


_semaphores: RunVar[WeakKeyDictionary[ConcurrencyLimit, Semaphore]] = RunVar("wscontrollers_dependency_semaphores")


def semaphore_of(limit: ConcurrencyLimit) -> Semaphore:
    """The semaphore of a declaration in the running event loop."""
    semaphores = _semaphores.get(None)
    if semaphores is None:
        semaphores = WeakKeyDictionary()
        _semaphores.set(semaphores)
    if limit not in semaphores:
        semaphores[limit] = Semaphore(limit.calls)
    return semaphores[limit]


def in_thread(call: AnyCallable) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """A generator function as an asynchronous context manager whose two halves run in worker threads."""
    managed = contextmanager(call)

    @asynccontextmanager
    async def entered(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        manager = managed(*args, **kwargs)
        value = await anyio.to_thread.run_sync(manager.__enter__)
        try:
            yield value
        except BaseException as error:
            if not await _exit_in_thread(manager, error):
                raise
        else:
            await _exit_in_thread(manager, None)

    return entered


async def _exit_in_thread(manager: AbstractContextManager[Any], error: BaseException | None) -> bool | None:
    # A clean-up that waits for a free thread, while those who hold the threads wait for what it would release, never ends:
    # it gets a limiter of its own. It is shielded so that a cancelled session still cleans up.
    limiter = CapacityLimiter(1)
    with CancelScope(shield=True):
        if error is None:
            return await anyio.to_thread.run_sync(manager.__exit__, None, None, None, limiter=limiter)
        return await anyio.to_thread.run_sync(manager.__exit__, type(error), error, error.__traceback__, limiter=limiter)


def inline(call: AnyCallable) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """A generator function as an asynchronous context manager that runs in the event loop."""
    managed = contextmanager(call)

    @asynccontextmanager
    async def entered(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        with managed(*args, **kwargs) as value:
            yield value

    return entered


def limited(
    manager: Callable[..., AbstractAsyncContextManager[Any]], limit: ConcurrencyLimit
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """A context manager that holds a place of the declaration's limit from its entry to its exit."""

    @asynccontextmanager
    async def entered(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        async with semaphore_of(limit), manager(*args, **kwargs) as value:
            yield value

    return entered
