"""Answers that are not lost on their way when the handler that gave them is cancelled."""

from __future__ import annotations

from anyio import CancelScope

from .delivery import Delivery
from .outbox import Outbox
from .owner import Frame


class Deliveries:
    """The answers of one session that are on their way.

    Args:
        outbox: Where they go.
    """

    __slots__ = ("_outbox", "_scopes")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._scopes: set[CancelScope] = set()

    async def send(self, frame: Frame, size: int) -> Delivery:
        """Send a frame to its end, also where whoever sends it is cancelled meanwhile.

        Args:
            frame: An ASGI event.
            size: Its bytes.

        Returns:
            `SENT`, or `CLOSED` if it was given up.
        """
        with CancelScope(shield=True) as scope:
            self._scopes.add(scope)
            try:
                return await self._outbox.send(frame, size)
            finally:
                self._scopes.discard(scope)
        return Delivery.CLOSED

    def give_up(self) -> None:
        """Let go of what is on its way: the session is over, or its peer takes nothing any more."""
        for scope in self._scopes:
            scope.cancel()
