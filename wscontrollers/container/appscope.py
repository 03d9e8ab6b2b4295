"""The running scope of an app, and of each override: singletons and resources until the container closes."""

from __future__ import annotations

import threading
from typing import Any

import anyio

from wscontrollers.container.exits import AsyncExit, Exit
from wscontrollers.container.scopes import Scope, Tier


class AppScope(Scope):
    """Keeps its clean-ups as a list, because a synchronous end of an override runs the synchronous ones alone.

    Attributes:
        lock: Makes the first use of an override's singletons single-flight; injector's own lock does that for the base.
        ended: Whether it was closed, so that error texts can tell "closed" from "not open yet".
    """

    __slots__ = ("_exits", "ended", "lock")

    tier = Tier.APP

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.ended = False
        self._exits: list[tuple[Exit | None, AsyncExit | None]] = []

    @property
    def session(self) -> Scope | None:
        """None: the app lives without sessions."""
        return None

    @property
    def has_stack(self) -> bool:
        """Whether a clean-up was registered."""
        return bool(self._exits)

    def push(self, leave: Exit) -> None:
        """Register a clean-up."""
        self._exits.append((leave, None))

    def push_async(self, leave: AsyncExit) -> None:
        """Register a clean-up that is awaited."""
        self._exits.append((None, leave))

    def forget(self) -> None:
        """Drop the clean-ups without running them: the event loop that they belong to has ended."""
        self._exits.clear()

    def close_sync(self) -> None:
        """Run the clean-ups that need no await, in reverse; the others stay for `close`."""
        exits, self._exits = self._exits, []
        for leave, leave_async in reversed(exits):
            if leave is not None:
                leave(None, None, None)
            else:
                self._exits.insert(0, (None, leave_async))

    async def close(self, exception: BaseException | None = None) -> bool:
        """Run the clean-ups in reverse. The scope can be used again afterwards: an app may be started twice."""
        details: tuple[Any, Any, Any] = (type(exception), exception, exception.__traceback__) if exception else (None, None, None)
        failure: BaseException | None = None
        while self._exits:
            leave, leave_async = self._exits.pop()
            try:
                if leave is not None:
                    leave(*details)
                elif leave_async is not None:
                    await leave_async(*details)
            # Only what is no Exception gets here (a cancellation, Ctrl-C): the rest must be closed before it goes on.
            except BaseException as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return self.took()

    def message(self) -> Scope:
        """A message belongs to a session, and the app has none."""
        raise TypeError("AppScope.message(): a message belongs to a session. Fix: make the session's scope with Graph.session().")


def is_cancellation(exception: BaseException) -> bool:
    """Whether the exception is the running event loop's cancellation."""
    try:
        return isinstance(exception, anyio.get_cancelled_exc_class())
    except Exception:  # no event loop: sniffio's error class is no dependency of this package
        return False
