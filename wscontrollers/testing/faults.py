"""A peer that misbehaves: one that does not read, one that falls silent, one that breaks off, one that floods."""

from __future__ import annotations

from collections.abc import Iterable

from .transport import Transport


class FaultyPeer:
    """The verbs of bad manners, part of a test's session.

    Args:
        transport: What carries the session.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pause_reading(self) -> None:
        """Be a slow client: read nothing from now on.

        What the application sends piles up on its side; once more than 64 KiB wait, its `send` waits too, as with uvicorn.
        Over a real socket the buffers of the kernel come on top.
        """
        self._transport.pause()

    def resume_reading(self) -> None:
        """Read on: what piled up arrives, and the application's `send` goes on."""
        self._transport.resume()

    def vanish(self) -> None:
        """Be a half-open connection: from now on nothing goes either way, and the application is told nothing.

        A server notices at its ping time-out; `reset()` makes it notice now. What the application sends piles up as with
        `pause_reading`.
        """
        self._transport.vanish()

    def reset(self) -> None:
        """Break the connection off without a close; the application sees a loss.

        A session ends with 1006, by "network"; a plain `WebSocket` sees uvicorn's code for it, 1005.
        """
        self._transport.reset()

    async def flood(self, frames: Iterable[str | bytes]) -> int:
        """Send frames one after the other and wait for no answer.

        Returns:
            How many were sent before they ended, or before the application closed the session.

        Raises:
            SendTimeout: Over a real socket: the server does not read any more.
        """
        count = 0
        for frame in frames:
            if self._transport.is_over:
                break
            await self._transport.send(frame)
            count += 1
        return count

    @property
    def unread(self) -> int | None:
        """How many of the test's frames the application has not taken yet; over a real socket None, nobody knows."""
        return self._transport.unread
