"""Leaving what was entered: logged, never swallowing, never stopping the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import anyio
import pytest

from wscontrollers.container import cleanup
from wscontrollers.container.scopes import Scope


def sloppy() -> Iterator[int]:
    """Swallows everything."""
    with suppress(BaseException):
        yield 1


def twice() -> Iterator[int]:
    """Yields once too often."""
    yield 1
    yield 2


async def twice_async() -> AsyncIterator[int]:
    """Yields once too often."""
    yield 1
    yield 2


def never() -> Iterator[int]:
    """Yields nothing."""
    yield from ()


@pytest.mark.anyio
async def test_a_generator_that_swallows_does_not_hide_the_exception_from_the_next() -> None:
    """A unit of work behind a sloppy provider still rolls back."""
    seen: list[BaseException] = []

    def work() -> Iterator[int]:
        try:
            yield 1
        except ValueError as error:
            seen.append(error)
            raise

    scope = Scope()
    cleanup.enter_generator(scope, work(), cleanup.GeneratorEnding("work"))
    cleanup.enter_generator(scope, sloppy(), cleanup.GeneratorEnding("sloppy"))
    error = ValueError("lost")
    assert not await scope.close(error)
    assert seen == [error]


@pytest.mark.anyio
async def test_a_second_yield_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It is a mistake of the provider, and nobody else's."""
    scope = Scope()
    cleanup.enter_generator(scope, twice(), cleanup.GeneratorEnding("twice"))
    await scope.stack.enter_generator(twice_async(), cleanup.AsyncGeneratorEnding("twice, async"))
    await scope.close()
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_a_generator_without_a_yield_fails_at_once() -> None:
    """There is no value to inject."""
    with pytest.raises(RuntimeError, match="ended without a yield"):
        cleanup.enter_generator(Scope(), never(), cleanup.GeneratorEnding("never"))


@pytest.mark.anyio
async def test_a_cancellation_by_a_providers_own_cancel_scope_ends_there() -> None:
    """`close` says that it was taken, so that the frame does not raise it again."""

    async def limited() -> AsyncIterator[int]:
        with anyio.CancelScope() as cancel:
            scopes.append(cancel)
            yield 1

    scopes: list[anyio.CancelScope] = []
    scope = Scope()
    await scope.stack.enter_generator(limited(), cleanup.AsyncGeneratorEnding("limited"))
    scopes[0].cancel()
    taken = False
    try:
        await anyio.sleep_forever()
    except BaseException as error:  # the frame of a session does the same
        taken = await scope.close(error)
    assert taken


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio raises a cancellation again by itself
async def test_a_cancellation_from_outside_cannot_be_swallowed() -> None:
    """Neither a task's own `cancel` nor that of a scope around the session: `close` says that it goes on."""
    outcomes: list[bool] = []

    async def session() -> None:
        scope = Scope()
        cleanup.enter_generator(scope, sloppy(), cleanup.GeneratorEnding("sloppy"))
        try:
            await anyio.sleep_forever()
        except BaseException as error:
            outcomes.append(await scope.close(error))
            raise

    task = asyncio.ensure_future(session())
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert outcomes == [False, False]
