"""Rest: the moment at which nothing goes on in an event loop until the test, a timer or the outside world acts again."""

from __future__ import annotations

import asyncio
from collections.abc import Sized

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from .executors import executor_calls

_THREAD_POLL = 0.001
"""Seconds between two looks at worker threads: an event loop is not told when one of them ends."""


class NotAtRest(TimeoutError, AssertionError):  # noqa: N818 - says what happened, as ReceiveTimeout
    """The application, or another task of the test, is still at work."""


async def at_rest(timeout: float | None = None) -> None:
    """Return once every other task of the event loop is blocked, and no worker thread runs for one.

    A task that waits for a timer in the future, for a network or for another process, counts as blocked. Worker threads are
    those of `anyio.to_thread` under its default limiter and, while a test client is entered, those of `asyncio.to_thread` and
    `run_in_executor`; a thread that the application started by itself is not seen. On asyncio the loop is stepped until
    nothing is ready; on trio, and on a loop that does not show what is ready, anyio's `wait_all_tasks_blocked` says so.

    Args:
        timeout: Seconds it may take; None waits for ever.

    Raises:
        NotAtRest: Something is still at work after that time.
    """
    with anyio.move_on_after(timeout):
        while True:
            await _idle()
            if not _threads():
                return
            await anyio.sleep(_THREAD_POLL)
    working = _threads()
    who = f"{working} worker threads" if working else "a task of the application or the test"
    raise NotAtRest(
        f"at_rest(): {who} did not come to rest within {timeout:g} s. Fix: let what runs for ever wait for something; "
        "a loop that only sends or polls never rests."
    )


def _threads() -> int:
    return anyio.to_thread.current_default_thread_limiter().borrowed_tokens + executor_calls()


async def _idle() -> None:
    loop = asyncio.get_running_loop() if _is_asyncio() else None
    # A private list, but as old as asyncio: anyio's own way sleeps for 0.1 s whenever it finds a task that runs.
    ready = getattr(loop, "_ready", None)
    if ready is None:
        await anyio.wait_all_tasks_blocked()
    else:
        await _stepped(ready)


def _is_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Stepper:
    """The one task of a loop that steps it; two would keep each other busy."""

    def __init__(self) -> None:
        self.stopped = anyio.Event()
        self.found_rest = False


_stepper: RunVar[_Stepper | None] = RunVar("wscontrollers.testing.stepper", None)


async def _stepped(ready: Sized) -> None:
    while (other := _stepper.get()) is not None:
        await other.stopped.wait()
        if other.found_rest:
            return
    stepper = _Stepper()
    _stepper.set(stepper)
    try:
        await asyncio.sleep(0)
        # While this task runs, the list holds all that is to run before or after it: a blocked task is not in it.
        while ready:  # noqa: ASYNC110 - each turn is one step of the loop; nothing would set an event
            await asyncio.sleep(0)
        stepper.found_rest = True
    finally:
        _stepper.set(None)
        stepper.stopped.set()
