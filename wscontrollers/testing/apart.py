"""A task that a test can leave behind, should it not end even when it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from anyio.abc import TaskGroup

_left_behind: set[asyncio.Task[Any]] = set()
"""Such tasks: one that is collected as garbage would be closed, and say that it ignores that."""


class TaskApart:
    """Runs a function in a task that is no task of a group: nobody has to wait for its end.

    On trio, where every task is one of a nursery, it is one of the group, and cannot be left behind.

    Args:
        tasks: The group for trio.
        function: What is run; it raises nothing but its cancellation.
    """

    def __init__(self, tasks: TaskGroup, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._task: asyncio.Task[None] | None = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            tasks.start_soon(function)
            return
        self._task = loop.create_task(function())

    def leave_behind(self) -> None:
        """See the function of this name; nothing happens on trio."""
        if self._task is not None:
            leave_behind(self._task)


def leave_behind(task: asyncio.Task[Any]) -> None:
    """Let a task, and those of its groups, go on for as long as the event loop does, which does not wait for them at its end."""
    if task.done():
        return
    for each in (task, *_below(task)):
        # What a loop that closes cancels, and waits for, are the tasks that are registered.
        asyncio.tasks._unregister_task(each)
        _left_behind.add(each)
        each.add_done_callback(_left_behind.discard)


def _below(task: asyncio.Task[Any]) -> list[asyncio.Task[Any]]:
    """The tasks of the groups of a task, at any depth."""
    parents = {info.id: info.parent_id for info in anyio.get_running_tasks()}
    return [other for other in asyncio.all_tasks() if _is_below(id(other), id(task), parents)]


def _is_below(task: int, ancestor: int, parents: dict[int, int | None]) -> bool:
    parent = parents.get(task)
    while parent is not None and parent != ancestor:
        parent = parents.get(parent)
    return parent is not None
