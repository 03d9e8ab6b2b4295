"""What one session's run of a plan works on: the connection, the container's scope and the stacks of clean-ups."""

from __future__ import annotations

from contextlib import AsyncExitStack

from starlette.websockets import WebSocket

from ..container import Scope


class Resolution:
    """The state of one run. Both stacks are made when the first clean-up is registered: most sessions have none.

    Attributes:
        connection: The handshake, later the session.
        scope: The container's scope; its stack holds the clean-ups of services and of scope "request".
    """

    __slots__ = ("_function_stack", "connection", "scope")

    def __init__(self, connection: WebSocket, scope: Scope) -> None:
        self.connection = connection
        self.scope = scope
        self._function_stack: AsyncExitStack | None = None

    @property
    def function_stack(self) -> AsyncExitStack:
        """Clean-ups of scope "function", which come before all others."""
        if self._function_stack is None:
            self._function_stack = AsyncExitStack()
        return self._function_stack

    @property
    def needs_unwinding(self) -> bool:
        """Whether anything registered a clean-up."""
        return self._function_stack is not None or self.scope.has_stack

    async def unwind(self, error: BaseException | None) -> BaseException | None:
        """Run all clean-ups in reverse, and return the exception that they leave: the one given, another one, or none."""
        if self._function_stack is not None:
            error = await _left(self._function_stack, error)
        try:
            return None if await self.scope.close(error) else error
        except BaseException as raised:  # a clean-up's own exception takes the place of the one it saw
            return raised


async def _left(stack: AsyncExitStack, error: BaseException | None) -> BaseException | None:
    try:
        if error is None:
            await stack.aclose()
            return None
        return None if await stack.__aexit__(type(error), error, error.__traceback__) else error
    except BaseException as raised:  # see above; the stacks further out have to run all the same
        return raised
