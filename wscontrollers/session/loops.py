"""The event loop that a session runs on: what anyio would ask at each call is asked once here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any


def current_task() -> Any:
    """The running task, of asyncio or of trio; compared by identity."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop of asyncio
        task = None
    if task is not None:
        return task
    from trio.lowlevel import current_task as current_trio_task

    return current_trio_task()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The running loop of asyncio; None on trio.

    Who has it asks `asyncio.current_task(loop)` without a system call: Python 3.11 asks for the process id wherever it has to
    find the loop by itself.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def is_in_loop() -> bool:
    """Whether the running thread is that of an event loop, and not one that works for it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        trio = sys.modules.get("trio")
        return trio is not None and bool(trio.lowlevel.in_trio_run())
    return True


def start_detached(function: Callable[[], Awaitable[None]]) -> object:
    """Start a task that belongs to no session; what it returns keeps it alive."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        from trio.lowlevel import spawn_system_task

        return spawn_system_task(function, context=copy_context())  # as on asyncio: who starts it is seen by it

    async def run() -> None:
        await function()

    return loop.create_task(run())
