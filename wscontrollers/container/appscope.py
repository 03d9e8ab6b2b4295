"""The running scope of an app, and of each override: singletons and resources until the container closes."""

from __future__ import annotations

import threading

from wscontrollers.container.cleanup import SyncEnding
from wscontrollers.container.exits import Entry, Exits
from wscontrollers.container.scopes import Scope, Tier


class AppScope(Scope):
    """Closes all, whatever fails, and can be used again; an override that ends at once runs the synchronous clean-ups alone.

    Attributes:
        lock: Makes the first use of an override's singletons single-flight; injector's own lock does that for the base.
        ended: Whether it was closed, so that error texts can tell "closed" from "not open yet".
    """

    __slots__ = ("ended", "lock")

    tier = Tier.APP

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.ended = False
        self._stack = Exits()  # several threads may be the first to ask for it

    @property
    def session(self) -> Scope | None:
        """None: the app lives without sessions."""
        return None

    def forget(self) -> None:
        """Drop the clean-ups without running them: the event loop that they belong to has ended."""
        self.stack.clear()

    def close_sync(self) -> None:
        """Run the clean-ups that need no await, in reverse; the others stay for `close`."""
        exits, kept = self.stack, list[Entry]()
        failure: BaseException | None = None
        while exits:
            ending, entered = exits.pop()
            if not isinstance(ending, SyncEnding):
                kept.append((ending, entered))
                continue
            try:
                ending.leave_now(entered, self, None)
            except BaseException as error:
                if not ending.drops(error, self):  # Ctrl-C: the rest is closed before it goes on
                    failure = failure or error
        exits.extend(reversed(kept))
        if failure is not None:
            raise failure

    async def close(self, exception: BaseException | None = None) -> bool:
        """Run the clean-ups in reverse. The scope can be used again afterwards: an app may be started twice."""
        failure: BaseException | None = None
        exits = self.stack
        while exits:
            ending, entered = exits.pop()
            try:
                await ending.leave(entered, self, exception)
            except BaseException as error:
                if not ending.drops(error, self, exception):  # a cancellation, Ctrl-C: the rest is closed before it goes on
                    failure = failure or error
        if failure is not None:
            raise failure
        return self.took()

    def message(self) -> Scope:
        """A message belongs to a session, and the app has none."""
        raise TypeError("AppScope.message(): a message belongs to a session. Fix: make the session's scope with Graph.session().")
