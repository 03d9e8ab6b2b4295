"""What carries the frames of one session between a test and the application."""

from __future__ import annotations

from abc import ABC, abstractmethod

import anyio
from anyio.abc import TaskGroup
from starlette.types import Message

from ..session.loss import NO_STATUS
from .answers import Accepted, Refusal
from .arrivals import Arrivals
from .clock import VirtualClock
from .run import ApplicationRun
from .transcript import Transcript

_GLANCES = 2
"""At the first one a session of this package notes where it stands, at the second it reads if it stands there still."""


class Transport(ABC):
    """One session's way to the application: in the test's own loop, or over a socket.

    Args:
        clock: The time that the session lives by.

    Attributes:
        arrivals: What the application sent.
        transcript: What went both ways.
        run: The application's side.
        closed_by_application: Whether its close has arrived.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.arrivals = Arrivals()
        self.transcript = Transcript()
        self.run = ApplicationRun(clock)
        self.closed_by_application = False

    @property
    def is_over(self) -> bool:
        """Whether either side has ended the session."""
        return self.run.peer_left or self.closed_by_application

    def arrive(self, message: Message) -> None:
        """Take a `websocket.send` or `websocket.close` of the application."""
        if message["type"] == "websocket.close":
            self.closed_by_application = True
        if not self.arrivals.is_paused:
            self.transcript.arrived(message)
        self.arrivals.put(message)

    @abstractmethod
    async def open(self, tasks: TaskGroup) -> Accepted | Refusal:
        """Send the handshake and wait for its answer.

        Args:
            tasks: Where the session's tasks run.
        """

    @abstractmethod
    async def send(self, content: str | bytes) -> None:
        """Send a frame; once the session has ended, nobody reads it."""

    @abstractmethod
    async def close(self, code: int | None, reason: str) -> None:
        """Close the session, as a peer does that takes its leave; with None for a code, by a close frame without one."""

    @abstractmethod
    def pause(self) -> None:
        """Stop reading: what the application sends piles up on its side until it has to wait."""

    @abstractmethod
    def resume(self) -> None:
        """Read on."""

    @abstractmethod
    def vanish(self) -> None:
        """Fall silent: nothing goes either way any more, and the server does not know."""

    @abstractmethod
    def reset(self) -> None:
        """Break the connection, so that the server knows at once."""

    @abstractmethod
    async def settle(self, timeout: float | None) -> None:
        """Wait until the application is at rest and all that it sent has arrived.

        Args:
            timeout: Seconds it may take.

        Raises:
            NotAtRest: It is still at work then.
        """

    @abstractmethod
    async def cancel(self) -> None:
        """Cancel the application's side of the session."""

    @property
    @abstractmethod
    def unread(self) -> int | None:
        """How many frames of the test the application has not taken yet; None where that cannot be known."""

    @abstractmethod
    async def release(self, patience: float) -> None:
        """Let go of the application's side. One that has not ended is cancelled, and left behind if it does not end then.

        Args:
            patience: Seconds that it has to end, whatever is cancelled meanwhile.
        """

    async def leave(self, *, moment: float, patience: float) -> bool:
        """End the session if it has not ended, let the application clean up, and cancel it if it does not end.

        Args:
            moment: Seconds that it has to notice that the peer left.
            patience: Seconds that it has to end, and once more after it was cancelled.

        Returns:
            Whether it has ended.
        """
        if not self.run.peer_left:
            await self.close(1000, "")
        elif not self.run.was_told.is_set():
            self.reset()
        is_settled = await self.run.settle(patience)
        for _ in range(_GLANCES):
            if is_settled and not self.run.was_told.is_set():
                self._clock.glance()
                is_settled = await self.run.settle(patience)
        with anyio.move_on_after(moment):
            await self.run.was_told.wait()
        if self.run.was_told.is_set():
            with anyio.move_on_after(patience):
                await self.run.ended.wait()
        if not self.run.ended.is_set():
            await self.cancel()
            with anyio.move_on_after(patience):
                await self.run.ended.wait()
        return self.run.ended.is_set()


def closed_with(code: int | None, reason: str) -> Message:
    """The event that tells the application of the test's close; without a code, with the one that says so (RFC 6455, 7.4.1)."""
    return {"type": "websocket.disconnect", "code": NO_STATUS if code is None else code, "reason": reason}
