"""Cancellations: which is meant for who is cancelled, and which is somebody else's that merely passes by."""

from __future__ import annotations

import asyncio

import anyio


def failure_of(error: BaseException) -> Exception | None:
    """What is to be answered and logged of whatever left an endpoint, a handler or a task of a session; None for what has to go
    on, as a cancellation has.

    On asyncio a session that awaits a cancelled task of somebody else's sees the same exception as one that is cancelled
    itself. Nobody takes that one further out, and the peer would see a broken connection.
    """
    if isinstance(error, Exception):
        return error
    if not isinstance(error, asyncio.CancelledError):
        return None
    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio, which has a cancellation of its own
        return None
    if task is None or task.cancelling():
        return None
    failure = RuntimeError(
        "a session awaited something that was cancelled, and was not cancelled itself. "
        "Fix: catch CancelledError around that await."
    )
    failure.__cause__ = error
    return failure


def is_cancellation(exception: BaseException) -> bool:
    """Whether the exception is the running event loop's cancellation."""
    try:
        return isinstance(exception, anyio.get_cancelled_exc_class())
    except Exception:  # no event loop: sniffio's error class is no dependency of this package
        return False
