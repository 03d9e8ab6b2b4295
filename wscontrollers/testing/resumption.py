"""What a peer has to know to resume its session: the last ticket, and how many frames arrived."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
from starlette.types import Message

from ..messages import Resumable, Resumed
from .wire import ClientWire


class Resumption:
    """Takes note of the frames about resuming, which a test does not receive, and counts all others as they arrive.

    Args:
        wire: The session's codec.
        before: That of the session that is resumed; it ends here if it is another session that begins.

    Attributes:
        ticket: The last ticket; None where the session cannot be resumed.
        received: How many frames arrived in the session, on all its connections.
        resumed: The frame with which the session went on; None where it is a new one.
    """

    def __init__(self, wire: ClientWire, before: Resumption | None = None) -> None:
        self._wire = wire
        self._before = before
        self.ticket: str | None = None
        self.received = 0
        self.resumed: Resumed | None = None
        self._told = anyio.Event()

    async def told(self) -> None:
        """Wait until the application said whether the session goes on, or is a new one."""
        await self._told.wait()

    def is_note(self, event: Message) -> bool:
        """Whether a frame is about resuming; otherwise it counts."""
        if event["type"] != "websocket.send":
            return False
        frame: str | bytes = event.get("text") or event.get("bytes") or b""
        told = self._wire.control(frame) if ("resum" in frame if isinstance(frame, str) else b"resum" in frame) else None
        if isinstance(told, Resumable | Resumed):
            self.ticket = told.ticket
            self._told.set()
            if isinstance(told, Resumed):
                self.resumed = told
                self.received = told.missed + (0 if self._before is None else self._before.received)
            return True
        self.received += self.ticket is not None  # what comes before the first ticket has no number
        return False

    @property
    def params(self) -> Mapping[str, str]:
        """The parameters of the URL with which the session is resumed.

        Raises:
            RuntimeError: There is no ticket.
        """
        if self.ticket is None:
            raise RuntimeError(
                "the session cannot be resumed: it has no ticket. Fix: write resume = Resume() in the controller, and let a "
                "frame arrive before the connection is lost."
            )
        return {"resume": self.ticket, "received": str(self.received)}
