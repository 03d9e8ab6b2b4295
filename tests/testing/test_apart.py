"""A task that a test can leave behind."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from wscontrollers.testing import apart
from wscontrollers.testing.apart import TaskApart, leave_behind


async def test_it_runs_beside_the_tasks_of_the_test() -> None:
    """On each event loop; it may end by itself."""
    done = anyio.Event()

    async def work() -> None:
        done.set()

    async with anyio.create_task_group() as tasks:
        task = TaskApart(tasks, work)
        await done.wait()
    task.leave_behind()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio's nurseries wait for all that is theirs
async def test_nobody_waits_for_what_is_left_behind() -> None:
    """Neither the group of the test, nor an event loop that closes: it and the tasks of its groups are nobody's any more."""
    go_on, inside = anyio.Event(), anyio.Event()

    async def inner() -> None:
        inside.set()
        await go_on.wait()

    async def work() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(inner)

    async with anyio.create_task_group() as tasks:
        task = TaskApart(tasks, work)
        await inside.wait()
        before = asyncio.all_tasks()
        task.leave_behind()
        gone = before - asyncio.all_tasks()
    assert len(gone) == 2
    assert gone <= apart._left_behind
    go_on.set()
    await asyncio.wait(gone)
    await asyncio.sleep(0)
    assert not gone & apart._left_behind


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_has_ended_is_not_left_behind() -> None:
    """There is nothing to be waited for."""
    task = asyncio.ensure_future(asyncio.sleep(0))
    await task
    leave_behind(task)
    assert task not in apart._left_behind
