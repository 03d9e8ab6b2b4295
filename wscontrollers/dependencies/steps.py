"""The steps of a plan: each makes one value out of those that are there.

A step that only calls, only awaits, or enters a generator, is written out in the plan's routine; `mode` says so. All others run
by themselves.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import copy_context
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread

from ..callables import AnyCallable
from ..container.exits import GENERATOR, Exits
from ..markers import ConcurrencyLimit, DependencyScope
from .invoking import Invocation, Values
from .received import MISSING
from .resolution import Resolution

if TYPE_CHECKING:
    from anyio.lowlevel import RunVar

Making: TypeAlias = Invocation | Callable[[Values], Any]
"""How a step has its value: a call of which its plan knows the parts, or any function of the values."""

CONNECTION, SCOPE, FIRST_FREE = range(3)
"""The slots that are filled before the first step, and the first one after them."""

CALL, AWAIT, ENTER, RUN = range(4)


class Step:
    """Makes the value of one slot.

    Attributes:
        mode: `CALL`: the value is what `invoke` returns; `AWAIT`: what that gives when awaited; `ENTER`: what that
            yields first; `RUN`: see `run`.
        slot: Where the value goes.
        reads: The slots that are read; if one of them has no value because of invalid parameters, the step is left out.
        invocation: The call, and which values it takes; None for a step that runs by itself.
        invoke: The same as a function of the values.
        what: What is called, for those who look at a plan.
    """

    __slots__ = ("invocation", "invoke", "mode", "reads", "slot", "what")

    def __init__(self, mode: int, slot: int, reads: Sequence[int], invoke: Making, what: Any) -> None:
        self.mode = mode
        self.slot = slot
        self.reads = tuple(reads)
        self.invocation = invoke if isinstance(invoke, Invocation) else None
        self.invoke: Callable[[Values], Any] = invoke.function() if isinstance(invoke, Invocation) else invoke
        self.what = what

    accepts: ClassVar[bool] = False
    """Whether running it accepts the handshake."""

    def leave_out(self, values: Values) -> None:
        """Note that there is no value, so that what depends on it is left out too."""
        values[self.slot] = MISSING

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


def sharing_hops(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, with plain functions that follow each other joined so that they share one hop to a thread."""
    joined: list[Step] = []
    for threaded, neighbours in groupby(steps, key=lambda step: isinstance(step, ThreadStep)):
        parts = list(neighbours)
        joined += [SharedThreadStep(parts)] if threaded and len(parts) > 1 else parts
    return tuple(joined)


class ContextStep(Step):
    """A context manager: its value is what it is entered with, and it is left when its stack unwinds."""

    __slots__ = ("scope",)

    def __init__(self, slot: int, reads: Sequence[int], invoke: Making, what: Any, *, scope: DependencyScope | None) -> None:
        super().__init__(RUN, slot, reads, invoke, what)
        self.scope = scope

    async def run(self, values: Values, resolution: Resolution) -> None:
        values[self.slot] = await self.exits(resolution).enter_async_context(self.invoke(values))

    def exits(self, resolution: Resolution) -> Exits:
        """The stack that it is left with."""
        return resolution.function_exits if self.scope == "function" else resolution.scope.stack


class GeneratorStep(ContextStep):
    """An async generator: its value is what it yields, and it goes on when its stack unwinds."""

    __slots__ = ()

    def __init__(self, slot: int, reads: Sequence[int], invoke: Making, what: Any, *, scope: DependencyScope | None) -> None:
        super().__init__(slot, reads, invoke, what, scope=scope)
        self.mode = ENTER

    async def run(self, values: Values, resolution: Resolution) -> None:
        values[self.slot] = await self.exits(resolution).enter_generator(self.invoke(values), GENERATOR)


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


Semaphores: TypeAlias = WeakKeyDictionary[ConcurrencyLimit, "anyio.Semaphore"]


@cache
def _semaphores() -> RunVar[Semaphores]:
    from anyio.lowlevel import RunVar  # takes a while to import, and is seldom needed

    return RunVar("wscontrollers_dependency_semaphores")


def semaphore_of(limit: ConcurrencyLimit) -> anyio.Semaphore:
    """The semaphore of a declaration in the running event loop."""
    semaphores = _semaphores().get(None)
    if semaphores is None:
        semaphores = Semaphores()
        _semaphores().set(semaphores)
    if limit not in semaphores:
        semaphores[limit] = anyio.Semaphore(limit.calls)
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


async def _exit_in_thread(manager: AbstractContextManager[Any], error: BaseException | None) -> bool:
    # A clean-up that waits for a free thread, while those who hold the threads wait for what it would release, never ends:
    # it gets a limiter of its own. It is shielded so that a cancelled session still cleans up.
    limiter = anyio.CapacityLimiter(1)
    details = (None, None, None) if error is None else (type(error), error, error.__traceback__)
    swallowed: bool | None = None
    with anyio.CancelScope(shield=True):
        swallowed = await anyio.to_thread.run_sync(manager.__exit__, *details, limiter=limiter)
    return bool(swallowed)


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
