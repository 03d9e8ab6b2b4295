"""Many calls at once, but not too many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import anyio

SIZE: Final = 64
"""How many calls are on their way at once."""


async def all_of(calls: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    """Make all these calls.

    Raises:
        Exception: The first that one of them raised, as it was, when those that were begun with it have ended.
    """
    if len(calls) == 1:
        await calls[0]()
        return
    failures: list[Exception] = []

    async def make(call: Callable[[], Awaitable[Any]]) -> None:
        try:
            await call()
        except Exception as error:
            failures.append(error)

    for start in range(0, len(calls), SIZE):
        async with anyio.create_task_group() as tasks:
            for call in calls[start : start + SIZE]:
                tasks.start_soon(make, call)
        if failures:
            raise failures[0]
