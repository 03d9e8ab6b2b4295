"""Start and end of the application in a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from wscontrollers.testing import AsyncTestClient, LifespanStillRunning

pytestmark = pytest.mark.anyio


async def test_the_lifespan_is_around_the_client() -> None:
    """It runs in the loop of the test: start on entering, end on leaving, also when the test fails."""
    steps: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        steps.append("start")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            yield
            tasks.cancel_scope.cancel()
        steps.append("end")

    with pytest.raises(KeyError):
        async with AsyncTestClient(Starlette(lifespan=lifespan)):
            steps.append("test")
            raise KeyError

    assert steps == ["start", "test", "end"]


@pytest.mark.parametrize("when", ["start", "end"])
async def test_what_the_lifespan_raises_is_raised(when: str) -> None:
    """With its own type and traceback, not as a message."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if when == "start":
            raise ValueError("no database")
        yield
        raise ValueError("no database")

    with pytest.raises(ValueError, match="no database") as raised:
        async with AsyncTestClient(Starlette(lifespan=lifespan)):
            pass
    assert [entry for entry in raised.traceback if entry.name == "lifespan"]


async def test_a_bug_at_shutdown_does_not_hide_the_failure() -> None:
    """The test's own failure stays, with a note of the other."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        raise ValueError("at shutdown")

    with pytest.raises(AssertionError, match="the test's own") as failed:
        async with AsyncTestClient(Starlette(lifespan=lifespan)):
            raise AssertionError("the test's own")
    assert "at shutdown, ValueError: at shutdown" in failed.value.__notes__[0]


@pytest.mark.parametrize("when", ["startup", "shutdown"])
async def test_a_failure_that_is_only_said(when: str) -> None:
    """An application that reports its failure and returns fails the test too."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            step = (await receive())["type"].removeprefix("lifespan.")
            if step == when:
                await send({"type": f"lifespan.{step}.failed", "message": "no database"})
                return
            await send({"type": f"lifespan.{step}.complete"})

    with pytest.raises(RuntimeError, match=f"lifespan, {when}: the application said that it failed: no database"):
        async with AsyncTestClient(app):
            pass


async def test_an_application_without_a_lifespan_is_told_how_to_answer() -> None:
    """It ends without an answer: an error with its fix."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(RuntimeError, match=r"ended without an answer. Fix: answer lifespan\.startup\.complete"):
        async with AsyncTestClient(app):
            pass


@pytest.mark.parametrize("when", ["start", "end"])
async def test_a_lifespan_that_hangs_ends(when: str) -> None:
    """The time-out holds for the start and for the end; the lifespan is cancelled and cleans up."""
    cleaned_up: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            if when == "start":
                await anyio.sleep_forever()
            yield
            await anyio.sleep_forever()
        finally:
            cleaned_up.append("yes")

    with pytest.raises(LifespanStillRunning, match=r"within 0\.05 s"):
        async with AsyncTestClient(Starlette(lifespan=lifespan), timeout=0.05):
            pass
    assert cleaned_up == ["yes"]


async def test_the_application_may_start_twice() -> None:
    """One client after the other."""
    starts: list[Any] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        starts.append(app)
        yield

    client = AsyncTestClient(Starlette(lifespan=lifespan))
    for _ in range(2):
        async with client:
            with pytest.raises(RuntimeError, match="entered already"):
                await client.__aenter__()
    assert len(starts) == 2
