"""What the application sent on a session and the test has not received yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio
from starlette.types import Message

HIGH_WATER_MARK = 64 * 1024
"""Bytes that wait for a peer which does not read, beyond which a server makes `send` wait.

Source: asyncio's default for transports, which uvicorn keeps.
"""


class Arrivals:
    """Frames in their order. While reading is paused they wait out of the test's sight, as in a server's buffer."""

    def __init__(self) -> None:
        self._frames: deque[Message] = deque()
        self._held: deque[Message] = deque()
        self._more = anyio.Event()
        self._room = anyio.Event()
        self._is_note: Callable[[Message], bool] = _is_none
        self.held_bytes = 0
        self.is_paused = False

    def sift(self, is_note: Callable[[Message], bool]) -> None:
        """Keep some frames from the test: those of which somebody takes a note, also of what has arrived already."""
        self._is_note = is_note
        self._frames = deque(message for message in self._frames if not is_note(message))

    def put(self, message: Message) -> None:
        """Take an ASGI message of the application: `websocket.send` or `websocket.close`."""
        if self.is_paused:
            self._held.append(message)
            self.held_bytes += _size(message)
            return
        if self._is_note(message):
            return
        self._frames.append(message)
        self._more.set()
        self._more = anyio.Event()

    def pause(self) -> None:
        """Read nothing any more."""
        self.is_paused = True

    def resume(self) -> list[Message]:
        """Read on.

        Returns:
            What had been held until now.
        """
        held = list(self._held)
        self._held.clear()
        self.held_bytes = 0
        self.is_paused = False
        self._room.set()
        self._room = anyio.Event()
        for message in held:
            self.put(message)
        return held

    @property
    def is_full(self) -> bool:
        """Whether so much is held that a server makes the application wait."""
        return self.held_bytes > HIGH_WATER_MARK

    async def room(self) -> None:
        """Wait until reading goes on, or `release` is called."""
        await self._room.wait()

    def release(self) -> None:
        """Wake who waits for room."""
        self._room.set()
        self._room = anyio.Event()

    async def next(self) -> Message:
        """Wait for the first frame and take it."""
        while not self._frames:
            await self.more()
        return self._frames.popleft()

    async def more(self) -> None:
        """Wait until another frame has arrived."""
        await self._more.wait()

    def waiting(self) -> list[Message]:
        """The frames that can be received, which stay where they are."""
        return list(self._frames)

    def take(self, message: Message) -> None:
        """Take one of the waiting frames out of its order."""
        for index, other in enumerate(self._frames):
            if other is message:
                del self._frames[index]
                return


def _size(message: Message) -> int:
    text = message.get("text")
    return len(message.get("bytes") or b"") if text is None else len(text.encode())


def _is_none(message: Message) -> bool:
    return False
