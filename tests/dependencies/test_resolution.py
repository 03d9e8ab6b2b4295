"""The state of one run: two lists of clean-ups, which run in reverse whatever happened, and the exception that they leave."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.dependencies.sessions import handshake
from wscontrollers import Container
from wscontrollers.dependencies import Resolution

pytestmark = pytest.mark.anyio


def resolution(shield: anyio.CancelScope | None = None) -> Resolution:
    return Resolution(handshake(), Container().graph.session(), shield)


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


class Failure(Exception):
    pass


async def test_without_clean_ups_there_is_nothing_to_unwind() -> None:
    """Lists of clean-ups are made when they are needed: most sessions have none. The scope is closed all the same."""
    state, error = resolution(), Failure()
    with pytest.raises(Failure) as raised:
        async with state:
            raise error
    assert raised.value is error
    assert not state.scope.has_stack
    assert state.scope.closed


async def test_function_clean_ups_go_before_request_clean_ups() -> None:
    """Whatever was entered first."""
    events = list[Any]()
    async with resolution() as state:
        await state.function_exits.enter_async_context(noting(events, "function"))
        await state.scope.stack.enter_async_context(noting(events, "request"))
    assert [name for name, _ in events] == ["function", "request"]
    assert state.scope.closed


async def test_each_clean_up_sees_what_the_one_before_left() -> None:
    """The endpoint's exception, then another one in its place, then none."""
    events = list[Any]()
    first, second = ValueError("first"), LookupError("second")
    async with resolution() as state:
        await state.scope.stack.enter_async_context(noting(events, "last"))
        await state.scope.stack.enter_async_context(noting(events, "swallows", swallow=True))
        await state.function_exits.enter_async_context(noting(events, "replaces", swallow=True, fail=second))
        raise first
    assert events == [("replaces", first), ("swallows", second), ("last", None)]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_failing_clean_up_does_not_keep_the_others_from_running(fails: bool) -> None:
    """Its exception is what is left, in place of that of the work."""
    events = list[Any]()
    failure, seen = RuntimeError("failed"), Failure() if fails else None
    with pytest.raises(RuntimeError) as raised:  # noqa: PT012 - the block is what is looked at
        async with resolution() as state:
            await state.scope.stack.enter_async_context(noting(events, "request"))
            await state.function_exits.enter_async_context(noting(events, "function", swallow=True, fail=failure))
            if seen is not None:
                raise seen
    assert raised.value is failure
    assert events == [("function", seen), ("request", failure)]


async def test_an_exception_that_nobody_swallows_goes_on_as_it_was() -> None:
    """It is the same one, seen by each clean-up."""
    events, failure = list[Any](), Failure()
    with pytest.raises(Failure) as raised:  # noqa: PT012 - see above
        async with resolution() as state:
            await state.scope.stack.enter_async_context(noting(events, "request"))
            raise failure
    assert raised.value is failure
    assert events == [("request", failure)]


async def test_the_shield_is_up_while_clean_ups_run() -> None:
    """Clean-ups of cancelled work run to their end behind the shield, and the cancellation goes on."""
    notes: list[str] = []

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await anyio.lowlevel.checkpoint()
            notes.append("cleaned up")

    with anyio.CancelScope() as outer:
        with anyio.CancelScope() as shield:
            outer.cancel()
            async with resolution(shield) as state:
                await state.scope.stack.enter_async_context(slow())
                await anyio.sleep_forever()
        notes.append("not reached")
    assert notes == ["cleaned up"]
    assert not shield.shield


async def test_a_cancellation_that_a_clean_up_takes_is_not_lost() -> None:
    """A clean-up that swallows the cancellation of the whole session does not keep it from ending."""
    notes: list[str] = []
    with anyio.CancelScope() as outer:
        with anyio.CancelScope() as shield:
            outer.cancel()
            async with resolution(shield) as state:
                await state.scope.stack.enter_async_context(noting([], "swallows", swallow=True))
                await anyio.sleep_forever()
            notes.append("not reached")
    assert outer.cancelled_caught
    assert notes == []
