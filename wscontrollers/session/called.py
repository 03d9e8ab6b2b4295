"""A session whose peer waits for a response to each of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .session import Session

if TYPE_CHECKING:
    from .session import In, Out
else:
    In = Out = Any


class CalledSession(Session[In, Out]):
    """A session of JSON-RPC.

    A call that the endpoint leaves unanswered gets the result null when the next message is taken: the specification (section 5)
    asks for a response to each, and the other calls of a batch wait for it.
    """

    __slots__ = ()

    async def __anext__(self) -> In:
        await self._finish()
        return await super().__anext__()

    async def receive(self) -> In:
        """See `Session.receive`."""
        await self._finish()
        return await super().receive()

    async def _finish(self) -> None:
        current = self._current
        if current is not None:
            await self._life.answer(None, current.ref)
