"""The state of one run: two stacks of clean-ups, and the exception that they leave."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.dependencies.sessions import handshake
from wscontrollers import Container
from wscontrollers.dependencies import Resolution

pytestmark = pytest.mark.anyio


def resolution() -> Resolution:
    return Resolution(handshake(), Container().graph.session())


@asynccontextmanager
async def noting(events: list[Any], name: str, *, swallow: bool = False, fail: Exception | None = None) -> AsyncIterator[None]:
    try:
        yield
    except BaseException as error:
        events.append((name, error))
        if not swallow:
            raise
    else:
        events.append((name, None))
    if fail is not None:
        raise fail


async def test_without_clean_ups_there_is_nothing_to_unwind() -> None:
    """Stacks are made when they are needed: most sessions have none."""
    state = resolution()
    error = ValueError()
    assert not state.needs_unwinding
    assert await state.unwind(error) is error
    assert await state.unwind(None) is None


async def test_function_clean_ups_go_before_request_clean_ups() -> None:
    """Whatever was entered first."""
    state, events = resolution(), list[Any]()
    await state.function_stack.enter_async_context(noting(events, "function"))
    await state.scope.stack.enter_async_context(noting(events, "request"))
    assert state.needs_unwinding
    assert await state.unwind(None) is None
    assert [name for name, _ in events] == ["function", "request"]


async def test_each_clean_up_sees_what_the_one_before_left() -> None:
    """The endpoint's exception, then another one in its place, then none."""
    state, events = resolution(), list[Any]()
    first, second = ValueError("first"), LookupError("second")
    await state.scope.stack.enter_async_context(noting(events, "last"))
    await state.scope.stack.enter_async_context(noting(events, "swallows", swallow=True))
    await state.function_stack.enter_async_context(noting(events, "replaces", swallow=True, fail=second))
    assert await state.unwind(first) is None
    assert events == [("replaces", first), ("swallows", second), ("last", None)]


async def test_a_failing_clean_up_does_not_keep_the_others_from_running() -> None:
    """Its exception is what is left."""
    state, events = resolution(), list[Any]()
    failure = RuntimeError("failed")
    await state.scope.stack.enter_async_context(noting(events, "request"))
    await state.function_stack.enter_async_context(noting(events, "function", fail=failure))
    assert await state.unwind(None) is failure
    assert events == [("function", None), ("request", failure)]
