"""Entering what cleans up behind itself, and leaving it: logged, never swallowing, never stopping the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TypeVar

from wscontrollers.container.appscope import is_cancellation
from wscontrollers.container.scopes import Scope

T = TypeVar("T")
_log = logging.getLogger("wscontrollers.container")


def enter_generator(scope: Scope, generator: Generator[T, None, None], name: str) -> T:
    """The first value of a generator; the rest runs when the scope closes."""
    try:
        value = next(generator)
    except StopIteration:
        raise _no_yield(name) from None

    def leave(_: type[BaseException] | None, exception: BaseException | None, _traceback: TracebackType | None) -> bool:
        with _Leaving(scope, name, exception):
            try:
                if exception is None:
                    next(generator)
                else:
                    generator.throw(exception)
            except StopIteration:
                return False
            generator.close()
            raise _second_yield(name)
        return False

    scope.push(leave)
    return value


async def enter_async_generator(scope: Scope, generator: AsyncGenerator[T, None], name: str) -> T:
    """The first value of an async generator; the rest runs when the scope closes."""
    try:
        value = await anext(generator)
    except StopAsyncIteration:
        raise _no_yield(name) from None

    async def leave(_: type[BaseException] | None, exception: BaseException | None, _traceback: TracebackType | None) -> bool:
        with _Leaving(scope, name, exception):
            try:
                if exception is None:
                    await anext(generator)
                else:
                    await generator.athrow(exception)
            except StopAsyncIteration:
                return False
            await generator.aclose()
            raise _second_yield(name)
        return False

    scope.push_async(leave)
    return value


def enter(scope: Scope, manager: AbstractContextManager[T], name: str) -> T:
    """The value of a context manager, which is closed with the scope."""
    value = manager.__enter__()

    def leave(kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None) -> bool:
        with _Leaving(scope, name, exception) as leaving:
            leaving.finished = bool(manager.__exit__(kind, exception, traceback))
        return False

    scope.push(leave)
    return value


async def enter_async(scope: Scope, manager: AbstractAsyncContextManager[T], name: str) -> T:
    """The value of an async context manager, which is closed with the scope."""
    value = await manager.__aenter__()

    async def leave(kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None) -> bool:
        with _Leaving(scope, name, exception) as leaving:
            leaving.finished = bool(await manager.__aexit__(kind, exception, traceback))
        return False

    scope.push_async(leave)
    return value


class _Leaving:
    """Judges how one clean-up ended.

    The exception that ended the tier goes on by itself, so it is dropped here; every other error is logged and dropped.
    What is no `Exception` (a cancellation, Ctrl-C) goes on. A cancellation that does not come back out was taken by a
    cancel scope or task group that the provider holds over its `yield`: the scope remembers that and its failure.
    """

    __slots__ = ("exception", "finished", "name", "scope")

    def __init__(self, scope: Scope, name: str, exception: BaseException | None) -> None:
        self.scope = scope
        self.name = name
        self.exception = exception
        self.finished = True

    def __enter__(self) -> _Leaving:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None) -> bool:
        if error is None:
            if self.finished and self._was_own_cancellation():
                self.scope.absorbed = True
            return True
        if self.exception is not None and _is_only(error, self.exception):
            return True
        if not isinstance(error, Exception):
            return False
        if isinstance(error, BaseExceptionGroup) and self._was_own_cancellation():
            self.scope.failure = error  # its task group had failed, which was the cancellation: `Scope.close` raises it
            return True
        _log.error("clean-up of %s failed: %s", self.name, type(error).__name__, exc_info=error)
        return True

    def _was_own_cancellation(self) -> bool:
        """Whether the tier was cancelled, and nobody outside wants it to be."""
        if self.exception is None or not is_cancellation(self.exception):
            return False
        try:
            task = asyncio.current_task()
        except RuntimeError:
            return True  # trio, which raises a cancellation from outside again at the next checkpoint
        # anyio takes its own requests back when their scope is left; what remains comes from further out.
        return task is None or task.cancelling() == 0


def _is_only(error: BaseException, cause: BaseException) -> bool:
    """Whether an error is the cause itself, bare or in the groups that task groups wrap it in."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_only(part, cause) for part in error.exceptions)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
    return error is cause


def _no_yield(name: str) -> RuntimeError:
    return RuntimeError(f"the provider of {name} ended without a yield. Fix: let every path through it reach its yield.")


def _second_yield(name: str) -> RuntimeError:
    return RuntimeError(f"the provider of {name} yielded a second time. Fix: yield once, and clean up behind it.")
