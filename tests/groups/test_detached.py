"""Tasks that belong to no session."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from wscontrollers.exceptions import EngineDownError
from wscontrollers.groups.detached import Detached


async def test_a_task_is_kept_until_it_ends() -> None:
    """Nobody else holds it, and the garbage collector leaves it alone; behind it nothing is left."""
    detached, go_on, done = Detached("tea"), anyio.Event(), anyio.Event()

    async def work() -> None:
        await go_on.wait()
        done.set()

    detached.start(work)
    await anyio.lowlevel.checkpoint()
    gc.collect()
    assert len(detached._tasks) == 1
    go_on.set()
    with anyio.fail_after(5):
        await done.wait()
        while detached._tasks:
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("error", "line"), [(EngineDownError("no answer"), "engine tea: no answer"), (ValueError("a bug"), "groups: a task failed")]
)
async def test_a_task_that_fails_is_logged(error: Exception, line: str, caplog: pytest.LogCaptureFixture) -> None:
    """An engine that is away by its own words, a bug with its traceback."""
    detached = Detached("tea")

    async def fail() -> None:
        raise error

    with caplog.at_level(logging.WARNING, "wscontrollers.groups"):
        detached.start(fail)
        with anyio.fail_after(5):
            while detached._tasks:
                await anyio.lowlevel.checkpoint()
    (record,) = caplog.records
    assert (record.getMessage(), record.exc_info is None) == (line, isinstance(error, EngineDownError))


async def test_no_task_is_kept_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that was over before it could be noted, as it may be where tasks begin eagerly."""

    def at_once(function: Callable[[], Coroutine[Any, Any, None]]) -> object:
        with pytest.raises(StopIteration):
            function().send(None)
        return object()

    detached = Detached("tea")
    done: list[str] = []

    async def work() -> None:
        done.append("done")

    with monkeypatch.context() as patch:
        patch.setattr("wscontrollers.groups.detached.start_detached", at_once)
        detached.start(work)
    detached.start(work)
    with anyio.fail_after(5):
        while detached._tasks:
            await anyio.lowlevel.checkpoint()
    assert done == ["done", "done"]
