"""Rest: the moment at which nothing goes on in an event loop until the test, a timer or the outside world acts again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sized
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from ..session.loops import running_loop
from .executors import executor_calls

_THREAD_POLL = 0.001
"""Seconds between two looks at worker threads: an event loop is not told when one of them ends."""


class NotAtRest(TimeoutError, AssertionError):  # noqa: N818 - says what happened, as ReceiveTimeout
    """The application, or another task of the test, is still at work."""


async def at_rest(timeout: float | None = None) -> None:
    """Return once every other task of the event loop is blocked, and no worker thread runs for one.

    A task that waits for a timer in the future, for a network or for another process, counts as blocked. Worker threads are
    those of `anyio.to_thread` under its default limiter and, while a test client is entered, those of `asyncio.to_thread` and
    `run_in_executor`; a thread that the application started by itself is not seen. On asyncio the loop is stepped until nothing
    is ready, with uvloop, which does not show that, until nothing was asked of it for some turns; on trio, and on a loop that
    lets nobody look, anyio's `wait_all_tasks_blocked` says so.

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
    # anyio's own way sleeps for 0.1 s whenever it finds a task that runs, and knows nothing of callbacks.
    loop = running_loop()
    ready = getattr(loop, "_ready", None)  # private, but as old as asyncio
    if ready is not None:
        await _stepped(partial(_Listed, ready))
    elif hasattr(loop, "__dict__"):  # as uvloop's, which keeps the list to itself
        await _stepped(partial(_Counted, loop))
    else:
        await anyio.wait_all_tasks_blocked()


class _Stepper:
    """The one task of a loop that steps it; two would keep each other busy."""

    def __init__(self) -> None:
        self.stopped = anyio.Event()
        self.found_rest = False


_stepper: RunVar[_Stepper | None] = RunVar("wscontrollers.testing.stepper", None)


class _Listed:
    """Turns of a loop whose list of ready callbacks can be seen."""

    def __init__(self, ready: Sized) -> None:
        self._ready = ready

    async def turn(self) -> bool:
        """Let the loop turn once; returns whether nothing else is ready behind it."""
        await asyncio.sleep(0)
        # While this task runs, the list holds all that is to run before or after it: a blocked task is not in it.
        return not self._ready

    def leave(self) -> None:
        """Leave the loop as it was."""


class _Counted:
    """Turns of a loop that shows only what it is asked to do soon, when its methods are replaced for a while."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._asked = self._quiet = 0
        self._before: dict[str, object] = {name: vars(loop)[name] for name in _SOON if name in vars(loop)}
        for name in _SOON:
            setattr(loop, name, self._counting(name, getattr(loop, name)))

    def _counting(self, name: str, soon: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **options: Any) -> Any:
            if name != "call_later" or (args[0] if args else options["delay"]) <= 0:
                self._asked += 1
            return soon(*args, **options)

        return counting

    async def turn(self) -> bool:
        """Let the loop turn once; returns whether nothing else is ready behind it."""
        before = self._asked
        await asyncio.sleep(0)
        # Callbacks run in the order in which they were asked for. Where this task alone was since its last turn, all that was
        # ready before it has run, and has asked for nothing.
        self._quiet = self._quiet + 1 if self._asked == before + 1 else 0
        return self._quiet == _QUIET

    def leave(self) -> None:
        """Leave the loop as it was."""
        for name in _SOON:
            delattr(self._loop, name)
        for name, before in self._before.items():
            setattr(self._loop, name, before)


_QUIET: Final = 8
"""So many turns without anything are rest: what such a loop does by itself, to close a transport for one, takes a few."""

_SOON: Final = ("call_soon", "call_soon_threadsafe", "call_later")
"""The methods by which a callback becomes ready."""


async def _stepped(turns_of: Callable[[], _Listed | _Counted]) -> None:
    while (other := _stepper.get()) is not None:
        await other.stopped.wait()
        if other.found_rest:
            return
    stepper = _Stepper()
    _stepper.set(stepper)
    try:
        turns = turns_of()
        try:
            while not await turns.turn():
                pass
        finally:
            turns.leave()
        stepper.found_rest = True
    finally:
        _stepper.set(None)
        stepper.stopped.set()
