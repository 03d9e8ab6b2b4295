"""What differs between the event loops."""

from __future__ import annotations

import anyio
import anyio.to_thread

from wscontrollers.session.loops import current_task, is_in_loop, start_detached


async def test_the_running_task_is_known_by_identity() -> None:
    """The same within a task, another one in another task."""
    tasks = [current_task(), current_task()]

    async def other() -> None:
        tasks.append(current_task())

    async with anyio.create_task_group() as group:
        group.start_soon(other)
    assert tasks[0] is tasks[1]
    assert tasks[0] is not tasks[2]


async def test_a_detached_task_belongs_to_nobody() -> None:
    """It runs although the group in which it was started has ended."""
    ran, go = anyio.Event(), anyio.Event()

    async def detached() -> None:
        await go.wait()
        ran.set()

    async with anyio.create_task_group():
        kept = start_detached(detached)
    go.set()
    await ran.wait()
    assert kept is not None


async def test_threads_are_told_from_the_loop() -> None:
    """A worker thread is not in the loop that waits for it."""
    assert is_in_loop()
    assert await anyio.to_thread.run_sync(is_in_loop) is False
