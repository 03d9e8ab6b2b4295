"""Work with clean-ups behind it, of a session or of a message: they run in reverse, behind a shield, whatever happened."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import anyio
import anyio.lowlevel

from .resolution import Resolution

ResultT = TypeVar("ResultT")


async def unwinding(work: Awaitable[ResultT], resolution: Resolution, shield: anyio.CancelScope | None) -> ResultT | None:
    """Await the work, then run the clean-ups; what they raise takes the place of what the work raised.

    Args:
        work: What registers the clean-ups.
        resolution: Where they are registered.
        shield: A scope that was entered before any of them, and that is shielded while they run; None where nothing surrounds it.

    Returns:
        What the work gives; None if a clean-up swallowed its exception.
    """
    try:
        result = await work
    except BaseException as error:
        left = await _unwound(resolution, shield, error)
        try:
            if left is error:
                raise
            if left is not None:
                raise left from left.__cause__
        finally:
            del left  # a frame that holds the exception it raises is a cycle, and a peer that leaves is an exception
        # A task group of a clean-up can take a cancellation that was meant for the whole session while the shield was up.
        await anyio.lowlevel.checkpoint_if_cancelled()
        return None
    left = await _unwound(resolution, shield, None)
    if left is not None:
        raise left
    return result


async def _unwound(resolution: Resolution, shield: anyio.CancelScope | None, error: BaseException | None) -> BaseException | None:
    if not resolution.needs_unwinding:
        resolution.scope.closed = True
        return error
    if shield is None:
        return await resolution.unwind(error)
    shield.shield = True
    try:
        return await resolution.unwind(error)
    finally:
        shield.shield = False
