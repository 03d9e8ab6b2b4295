"""What providers enter, and how that is left: logged, never swallowing, never stopping the next."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeVar

from wscontrollers.cancellation import is_cancellation
from wscontrollers.container.exits import Ending
from wscontrollers.container.scopes import Scope
from wscontrollers.logs import logger_of

T = TypeVar("T")
_log = logger_of("wscontrollers.container")


class ProviderEnding(Ending):
    """How what a provider entered is left, and how its end is judged.

    The exception that ended the tier goes on by itself, so it is dropped here; every other error is logged and dropped.
    What is no `Exception` (a cancellation, Ctrl-C) goes on. A cancellation that does not come back out was taken by a
    cancel scope or task group that the provider holds over its `yield`: the scope remembers that and its failure.

    Args:
        name: What is provided, for the log and errors.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def remember(self, scope: Scope, error: BaseException | None, *, taken: bool) -> None:
        """It was left without another exception: remember a cancellation that did not come back out.

        Args:
            scope: The scope that ends.
            error: What it saw.
            taken: Whether that did not come back out.
        """
        if taken and error is not None and _is_own_cancellation(error):
            scope.taken = True

    def drops(self, raised: BaseException, scope: Scope, error: BaseException | None = None) -> bool:
        """Whether what comes out of it goes no further; the log has what is lost so."""
        if error is not None and _is_only(raised, error):
            return True
        if not isinstance(raised, Exception):
            return False
        if isinstance(raised, BaseExceptionGroup) and error is not None and _is_own_cancellation(error):
            scope.failure = raised  # its task group had failed, which was the cancellation: `Scope.close` raises it
            return True
        _log.error("clean-up of %s failed: %s", self.name, type(raised).__name__, exc_info=raised)
        return True

    def no_yield(self) -> RuntimeError:
        return RuntimeError(f"the provider of {self.name} ended without a yield. Fix: let every path through it reach its yield.")

    def second_yield(self, when: str = "") -> RuntimeError:
        return RuntimeError(f"the provider of {self.name} yielded a second time. Fix: yield once, and clean up behind it.")


class SyncEnding(ProviderEnding):
    """One that waits for nothing."""

    __slots__ = ()

    async def leave(self, entered: Any, scope: Scope, error: BaseException | None) -> bool:
        self.leave_now(entered, scope, error)
        return False

    def leave_now(self, entered: Any, scope: Scope, error: BaseException | None) -> None:
        """See `leave`."""
        self.remember(scope, error, taken=self.takes(entered, error))

    @abstractmethod
    def takes(self, entered: Any, error: BaseException | None) -> bool:
        """Whether the exception does not come back out."""


class AsyncEnding(ProviderEnding):
    """One that is awaited."""

    __slots__ = ()

    async def leave(self, entered: Any, scope: Scope, error: BaseException | None) -> bool:
        self.remember(scope, error, taken=await self.takes(entered, error))
        return False

    @abstractmethod
    async def takes(self, entered: Any, error: BaseException | None) -> bool:
        """Whether the exception does not come back out."""


class GeneratorEnding(SyncEnding):
    """A generator goes on."""

    __slots__ = ()

    def takes(self, entered: Generator[Any, None, None], error: BaseException | None) -> bool:
        try:
            if error is None:
                next(entered)
            else:
                entered.throw(error)
        except StopIteration:
            return True
        entered.close()
        raise self.second_yield()


class AsyncGeneratorEnding(AsyncEnding):
    """An async generator goes on."""

    __slots__ = ()

    goes_on = True

    async def takes(self, entered: AsyncGenerator[Any, None], error: BaseException | None) -> bool:
        try:
            await (anext(entered) if error is None else entered.athrow(error))
        except StopAsyncIteration:
            return True
        return await self.refuse_second_yield(entered)


class ManagerEnding(SyncEnding):
    """A context manager is left."""

    __slots__ = ()

    def takes(self, entered: AbstractContextManager[Any], error: BaseException | None) -> bool:
        return bool(entered.__exit__(*_details(error)))


class AsyncManagerEnding(AsyncEnding):
    """An async context manager is left."""

    __slots__ = ()

    async def takes(self, entered: AbstractAsyncContextManager[Any], error: BaseException | None) -> bool:
        return bool(await entered.__aexit__(*_details(error)))


def enter_generator(scope: Scope, generator: Generator[T, None, None], ending: Ending) -> T:
    """The first value of a generator; the rest runs when the scope closes."""
    try:
        value = next(generator)
    except StopIteration:
        raise ending.no_yield() from None
    scope.stack.append((ending, generator))
    return value


def enter(scope: Scope, manager: AbstractContextManager[T], ending: Ending) -> T:
    """The value of a context manager, which is left when the scope closes."""
    value = manager.__enter__()
    scope.stack.append((ending, manager))
    return value


async def enter_async(scope: Scope, manager: AbstractAsyncContextManager[T], ending: Ending) -> T:
    """The value of an async context manager, which is left when the scope closes."""
    value = await manager.__aenter__()
    scope.stack.append((ending, manager))
    return value


def _details(error: BaseException | None) -> tuple[Any, Any, Any]:
    return (None, None, None) if error is None else (type(error), error, error.__traceback__)


def _is_own_cancellation(error: BaseException) -> bool:
    """Whether it is the tier's cancellation, and nobody outside wants it to be."""
    if not is_cancellation(error):
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
