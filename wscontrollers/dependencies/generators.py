"""An async generator as a context, without the objects in between.

It does what `asynccontextmanager` and `AsyncExitStack.enter_async_context` do together. Those make a manager, and a coroutine
each to enter it and to be entered; here the generator is entered by whoever runs it, and what is left of it goes on the stack.

Source: `_AsyncGeneratorContextManager` in Python's contextlib, to which it is held by `tests/dependencies/test_generators.py`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Any


class EnteredGenerator:
    """A generator at its yield; it goes on when its stack unwinds.

    Args:
        generator: It has yielded once.
    """

    __slots__ = ("_generator",)

    def __init__(self, generator: AsyncGenerator[Any, None]) -> None:
        self._generator = generator

    async def __aenter__(self) -> None:
        """Nothing: it has been entered."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Let the generator go on, with the exception raised at its yield if there is one.

        Returns:
            Whether the generator swallowed the exception.

        Raises:
            RuntimeError: It yields again.
            BaseException: What it raises itself.
        """
        generator = self._generator
        if error is None:
            try:
                await anext(generator)
            except StopAsyncIteration:
                return False
            try:
                raise RuntimeError("generator didn't stop")
            finally:
                await generator.aclose()
        try:
            await generator.athrow(error)
        except StopAsyncIteration as raised:
            return raised is not error
        except BaseException as raised:
            if raised is error or _wraps(raised, error):
                error.__traceback__ = traceback
                return False
            raise
        try:
            raise RuntimeError("generator didn't stop after athrow()")
        finally:
            await generator.aclose()


def _wraps(raised: BaseException, error: BaseException) -> bool:
    """Whether it is the RuntimeError that Python makes of a StopIteration which leaves a generator (PEP 479)."""
    return (
        isinstance(raised, RuntimeError) and isinstance(error, StopIteration | StopAsyncIteration) and raised.__cause__ is error
    )
