"""What is to be done at an end: generators go on, functions are called, context managers are left; in reverse, whatever happened.

It does what `contextlib.AsyncExitStack` does, with less for what sessions have most: a generator is kept as it is, and goes on
without a manager, a method and a coroutine around it. As soon as something fails, contextlib itself does the rest.

Source: `AsyncExitStack` and `_AsyncGeneratorContextManager` in Python's contextlib, to which it is held by
`tests/container/test_exits.py`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, TypeAlias, TypeVar

T = TypeVar("T")
Exit: TypeAlias = Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], bool | None]
AsyncExit: TypeAlias = Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], Awaitable[bool | None]]


# A generator stands for itself; whatever else there is, behind the method of contextlib's stack that takes it.
Entry: TypeAlias = AsyncGenerator[Any, None] | tuple[Callable[[AsyncExitStack, Any], object], Any]


class Exits(list[Entry]):
    """Clean-ups in the order of their registration; a list, for each object of a session is one for the garbage collector."""

    __slots__ = ()

    def push(self, leave: Exit) -> None:
        """Register a function that is called with the details of the exception, and that swallows it if it returns True."""
        self.append((AsyncExitStack.push, leave))

    def push_async_exit(self, leave: AsyncExit) -> None:
        """Register one that is awaited."""
        self.append((AsyncExitStack.push_async_exit, leave))

    def push_generator(self, generator: AsyncGenerator[Any, None]) -> None:
        """Register a generator that has yielded once: it goes on, with the exception raised at its yield if there is one."""
        self.append(generator)

    async def enter_async_context(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter a context manager, and register that it is left."""
        value = await manager.__aenter__()
        self.push_async_exit(manager.__aexit__)
        return value

    async def leave(self, error: BaseException | None) -> bool:
        """Run all clean-ups in reverse.

        Args:
            error: What they see.

        Returns:
            Whether it was swallowed.

        Raises:
            BaseException: What they leave in its place.
        """
        received = error
        while error is None and self:
            entry = self.pop()
            try:
                if not isinstance(entry, tuple):
                    try:
                        await anext(entry)
                    except StopAsyncIteration:
                        continue
                    await _refuse_second_yield(entry)
                elif entry[0] is AsyncExitStack.push_async_exit:
                    await entry[1](None, None, None)
                else:
                    entry[1](None, None, None)
            except BaseException as raised:
                error = raised
        if not self and error is received:
            return False
        try:
            swallowed = await self._leave_by_contextlib(error)
            if error is not received and not swallowed:
                _raise_as_it_is(error)
            return swallowed and error is received
        finally:
            del error  # a frame that holds the exception it raises is a cycle

    async def _leave_by_contextlib(self, error: BaseException | None) -> bool:
        stack = AsyncExitStack()
        for entry in self:
            if isinstance(entry, tuple):
                push, leave = entry
                push(stack, leave)
            else:
                stack.push_async_exit(partial(_go_on, entry))
        self.clear()
        if error is None:
            await stack.aclose()
            return False
        return bool(await stack.__aexit__(type(error), error, error.__traceback__))


async def _go_on(
    generator: AsyncGenerator[Any, None],
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> bool:
    """Let a generator go on, with the exception raised at its yield if there is one.

    Returns:
        Whether the generator swallowed the exception.

    Raises:
        RuntimeError: It yields again.
        BaseException: What it raises itself.
    """
    try:
        await (anext(generator) if error is None else generator.athrow(error))
    except StopAsyncIteration as raised:
        return raised is not error
    except BaseException as raised:
        if error is not None and (raised is error or _wraps(raised, error)):
            error.__traceback__ = traceback
            return False
        raise
    await _refuse_second_yield(generator, "" if error is None else " after athrow()")
    return False


async def _refuse_second_yield(generator: AsyncGenerator[Any, None], when: str = "") -> None:
    try:
        raise RuntimeError(f"generator didn't stop{when}")
    finally:
        await generator.aclose()


def _raise_as_it_is(error: BaseException | None) -> NoReturn:
    """Raise an exception without the one that is being handled as its context: that is none of its causes."""
    assert error is not None
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context
        del error


def _wraps(raised: BaseException, error: BaseException) -> bool:
    """Whether it is the RuntimeError that Python makes of a StopIteration which leaves a generator (PEP 479)."""
    return (
        isinstance(raised, RuntimeError) and isinstance(error, StopIteration | StopAsyncIteration) and raised.__cause__ is error
    )
