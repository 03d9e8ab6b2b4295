"""One call of the application for one session: what it raised, and whether it has ended."""

from __future__ import annotations

from contextlib import suppress

import anyio
from anyio.abc import TaskGroup
from starlette.types import Scope

from ..reports import REPORT_KEY
from ..routing.failures import is_departure
from ..session.clock import SCOPE_KEY as CLOCK_KEY
from ..session.clock import Clock
from .rest import NotAtRest, at_rest


class ApplicationRun:
    """What the test has to know of the application's side of a session.

    Args:
        clock: The time that the session lives by.

    Attributes:
        clock: The same.
        scope: The scope of the call, once the application was called.
        ended: Set when the call is over.
        peer_left: Whether the test closed the session, broke it, or let it vanish.
        was_told: Set when the application received the disconnect.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.scope: Scope | None = None
        self.ended = anyio.Event()
        self.was_told = anyio.Event()
        self.peer_left = False
        self._failures: list[BaseException] = []
        self._was_raised = False

    def begin(self, scope: Scope) -> None:
        """Note the start; through the scope the application reports the bugs that it answers itself, and reads the clock."""
        scope[REPORT_KEY] = self.report
        scope[CLOCK_KEY] = self.clock
        self.scope = scope

    def report(self, failure: BaseException) -> None:
        """Note an exception of the application: one that it raised, or one that it answers itself."""
        if all(failure is not known for known in self._failures):
            self._failures.append(failure)

    def raised(self, error: BaseException, *, broken: type[OSError]) -> None:
        """Note what ended the application's call; that it noticed how the test left is no failure.

        Args:
            error: What it raised.
            broken: What its `send` raises when the peer has left.
        """
        if not (self.peer_left and (is_departure(error) or isinstance(error, broken))):
            self.report(error)

    @property
    def unseen_failure(self) -> BaseException | None:
        """The first exception of the application that the test neither expected nor has seen."""
        return self._failures[0] if self._failures and not self._was_raised else None

    def expect_failure(self) -> None:
        """The test expected what the application raised until now."""
        self._failures.clear()

    def raise_failure(self) -> None:
        """Raise what the application raised, if the test did not expect it, with the traceback that it has there."""
        if self._failures:
            self._was_raised = True
            raise self._failures[0]

    async def settle(self, timeout: float) -> bool:
        """Wait until the application has ended, or is at rest; what it raises after its close is known then.

        Args:
            timeout: Seconds after which neither is waited for any more.

        Returns:
            Whether it was one of them.
        """
        is_at_rest = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stop_at_end, tasks)
            with suppress(NotAtRest):  # perhaps another session's business
                await at_rest(timeout)
                is_at_rest = True
            tasks.cancel_scope.cancel()
        return is_at_rest or self.ended.is_set()

    async def _stop_at_end(self, tasks: TaskGroup) -> None:
        await self.ended.wait()
        tasks.cancel_scope.cancel()
