"""What is to be done at an end: generators go on, context managers are left; in reverse, whatever happened.

It does what `contextlib.AsyncExitStack` does, with less for what sessions and messages have most: an async generator goes on
without a manager, a method and a coroutine around it. As soon as something fails, contextlib itself does the rest.

Source: `AsyncExitStack` and `_AsyncGeneratorContextManager` in Python's contextlib, to which it is held by
`tests/container/test_exits.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeAlias, TypeVar

if TYPE_CHECKING:
    from wscontrollers.container.scopes import Scope

T = TypeVar("T")


class Ending(ABC):
    """How something is left that was entered; one for all things that are left alike.

    Attributes:
        goes_on: Whether what was entered is an async generator. `Exits` lets it go on by itself where nothing failed.
    """

    __slots__ = ()

    goes_on: ClassVar[bool] = False

    @abstractmethod
    async def leave(self, entered: Any, scope: Scope, error: BaseException | None) -> bool:
        """Leave it; what it raises goes on unless it `drops` that.

        Args:
            entered: The generator, or whatever else was entered.
            scope: The scope that ends.
            error: What it sees.

        Returns:
            Whether it was swallowed.
        """

    def drops(self, raised: BaseException, scope: Scope, error: BaseException | None = None) -> bool:
        """Whether what comes out of it goes no further.

        Args:
            raised: What came out.
            scope: The scope that ends.
            error: What it saw.
        """
        return False

    def no_yield(self) -> RuntimeError:
        """The error for a generator that ends before its yield."""
        return RuntimeError("generator didn't yield")

    async def refuse_second_yield(self, generator: AsyncGenerator[Any, None], when: str = "") -> NoReturn:
        """Close a generator that yielded again.

        Args:
            generator: It.
            when: What made it go on.

        Raises:
            RuntimeError: It did.
        """
        try:
            raise self.second_yield(when)
        finally:
            await generator.aclose()

    def second_yield(self, when: str = "") -> RuntimeError:
        """The error for a generator that yields again."""
        return RuntimeError(f"generator didn't stop{when}")


Entry: TypeAlias = tuple[Ending, Any]

ENTERED = """\
generator = {call}
try:
    {value} = await anext(generator)
except StopAsyncIteration:
    raise {ending}.no_yield() from None
{exits}.append(({ending}, generator))"""
"""`Exits.enter_generator`, for a function that is generated: the lines that enter a generator, without a coroutine around it."""


class Exits(list[Entry]):
    """Clean-ups in the order of their registration; a list, for each object of a session is one for the garbage collector."""

    __slots__ = ()

    async def enter_generator(self, generator: AsyncGenerator[T, None], ending: Ending) -> T:
        """Have the value that a generator yields, and register that it goes on.

        Raises:
            RuntimeError: It ends before.
        """
        try:
            value = await anext(generator)
        except StopAsyncIteration:
            raise ending.no_yield() from None
        self.append((ending, generator))
        return value

    async def enter_async_context(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter a context manager, and register that it is left."""
        value = await manager.__aenter__()
        self.append((MANAGER, manager.__aexit__))
        return value

    async def leave(self, error: BaseException | None, scope: Scope) -> bool:
        """Run all clean-ups in reverse.

        Args:
            error: What they see.
            scope: The scope that they belong to.

        Returns:
            Whether it was swallowed.

        Raises:
            BaseException: What they leave in its place.
            BaseExceptionGroup: that of a provider's task group which had failed and thereby had cancelled the tier.
        """
        received = error
        while error is None and self:
            ending, entered = self.pop()
            try:
                if ending.goes_on:
                    try:
                        await anext(entered)
                    except StopAsyncIteration:
                        continue
                    await ending.refuse_second_yield(entered)
                else:
                    await ending.leave(entered, scope, None)
            except BaseException as raised:
                if not ending.drops(raised, scope):
                    error = raised
        if not self and error is received:
            return False
        try:
            swallowed = await self._leave_by_contextlib(error, scope)
            if error is not received and not swallowed:
                _raise_as_it_is(error)
            return (swallowed and error is received) or scope.took()
        finally:
            del error  # a frame that holds the exception it raises is a cycle

    async def _leave_by_contextlib(self, error: BaseException | None, scope: Scope) -> bool:
        stack = AsyncExitStack()
        for ending, entered in self:
            stack.push_async_exit(partial(_left, ending, entered, scope))
        self.clear()
        if error is None:
            await stack.aclose()
            return False
        return bool(await stack.__aexit__(type(error), error, error.__traceback__))


async def _left(
    ending: Ending,
    entered: Any,
    scope: Scope,
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> bool:
    try:
        return await ending.leave(entered, scope, error)
    except BaseException as raised:
        if not ending.drops(raised, scope, error):
            raise
        if error is not None and raised is error:  # it was raised where it was, and not here
            error.__traceback__ = traceback
        return False


class _Generator(Ending):
    """An async generator goes on, with the exception raised at its yield if there is one, as `asynccontextmanager` has it."""

    __slots__ = ()

    goes_on = True

    async def leave(self, entered: AsyncGenerator[Any, None], scope: Scope, error: BaseException | None) -> bool:
        traceback = None if error is None else error.__traceback__
        try:
            await (anext(entered) if error is None else entered.athrow(error))
        except StopAsyncIteration as raised:
            return raised is not error
        except BaseException as raised:
            if error is not None and (raised is error or _wraps(raised, error)):
                error.__traceback__ = traceback
                return False
            raise
        return await self.refuse_second_yield(entered, "" if error is None else " after athrow()")


GENERATOR: Ending = _Generator()


class _Manager(Ending):
    """An async context manager, of which the method that leaves it was kept."""

    __slots__ = ()

    async def leave(self, entered: Any, scope: Scope, error: BaseException | None) -> bool:
        return bool(await (entered(None, None, None) if error is None else entered(type(error), error, error.__traceback__)))


MANAGER: Ending = _Manager()


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
