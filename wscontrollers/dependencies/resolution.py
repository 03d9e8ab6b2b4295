"""What one run of a plan works on, of a session or of a message: the connection, the container's scope, and the clean-ups."""

from __future__ import annotations

from collections.abc import Awaitable
from types import TracebackType
from typing import Self

import anyio
from starlette.websockets import WebSocket

from ..container import Scope
from ..container.exits import Exits


class Resolution:
    """The state of one run.

    `async with` it is around what registers clean-ups: behind it they run in reverse, behind a shield, whatever happened. What
    they raise takes the place of what was raised there. Most sessions have none, so both lists of them are made with the first.

    Args:
        connection: The handshake, later the session.
        scope: The container's scope; it holds the clean-ups of services and of scope "request".
        shield: A scope that was entered before any clean-up was registered, and that is shielded while they run; None where
            nothing surrounds it.
    """

    __slots__ = ("_function_exits", "_shield", "connection", "scope")

    def __init__(self, connection: WebSocket, scope: Scope, shield: anyio.CancelScope | None = None) -> None:
        self.connection = connection
        self.scope = scope
        self._shield = shield
        self._function_exits: Exits | None = None

    @property
    def function_exits(self) -> Exits:
        """Clean-ups of scope "function", which come before all others."""
        if self._function_exits is None:
            self._function_exits = Exits()
        return self._function_exits

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """See `unwind`."""
        return await self.unwind(error)

    async def unwind(self, error: BaseException | None) -> bool:
        """Run the clean-ups.

        Args:
            error: What they see.

        Returns:
            Whether one of them swallowed the exception.

        Raises:
            BaseException: What they leave in its place.
        """
        scope, shield = self.scope, self._shield
        if self._function_exits is None and not scope.has_stack:
            scope.closed = True
            return False
        left = error
        if shield is not None:
            shield.shield = True
        try:
            if self._function_exits is not None:
                left = await _what_is_left(self._function_exits.leave(left, scope), left)
            left = await _what_is_left(scope.close(left), left)
        finally:
            if shield is not None:
                shield.shield = False
        if left is error:
            return False
        if left is not None:
            context, suppressed = left.__context__, left.__suppress_context__
            try:
                raise left
            finally:
                # Raised here, it would forget the other clean-ups' exceptions that it came behind.
                left.__context__, left.__suppress_context__ = context, suppressed
                del left  # a frame that holds the exception it raises is a cycle
        # A task group of a clean-up can take a cancellation that was meant for the whole session while the shield was up.
        from anyio.lowlevel import checkpoint_if_cancelled  # takes a while to import, and is seldom needed

        await checkpoint_if_cancelled()
        return True


async def _what_is_left(clean_ups: Awaitable[bool], error: BaseException | None) -> BaseException | None:
    """Run clean-ups, and give what they leave of an exception, or in its place: those further out have to run all the same."""
    try:
        return None if await clean_ups else error
    except BaseException as raised:
        return raised
