"""One member of a room, and the frames that wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio

from wscontrollers import WebSocket, WebSocketDisconnect, status

PATIENCE = 5.0
"""Seconds that the close of a slow member may take: its connection may not take a single byte more."""


class Member:
    """A session in a room. What it is to hear waits in a bounded queue with one writer, so nobody waits for a slow member.

    Args:
        name: What the others call it.
        websocket: Its accepted session.
        outbox: Frames that may wait before the member counts as too slow.
    """

    def __init__(self, name: str, websocket: WebSocket, *, outbox: int) -> None:
        self.name = name
        self._websocket = websocket
        self._outbox = outbox
        self._waiting: deque[str] = deque()
        self._news = anyio.Event()
        self._life = anyio.CancelScope()
        self._farewell: tuple[int, str] | None = None

    def post(self, frame: str) -> None:
        """Have a frame sent, without waiting for it; a member that has fallen behind is dismissed instead."""
        if len(self._waiting) >= self._outbox:
            self.dismiss(status.WS_1013_TRY_AGAIN_LATER, "you fell behind")
            return
        self._waiting.append(frame)
        self._news.set()

    def dismiss(self, code: int, reason: str) -> None:
        """End the member's session, without waiting for that; the first reason holds."""
        self._farewell = self._farewell or (code, reason)
        self._life.cancel()

    async def attend(self, listen: Callable[[], Awaitable[None]]) -> None:
        """Write what is posted for as long as the member is listened to, or until it is dismissed."""
        with self._life:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._write)
                await listen()
                tasks.cancel_scope.cancel()

    async def part(self) -> None:
        """Tell a member that was dismissed; to be called when it is out of the room."""
        if self._farewell is not None:
            with anyio.move_on_after(PATIENCE):
                await self._websocket.close(*self._farewell)

    async def _write(self) -> None:
        with suppress(WebSocketDisconnect):  # who listens is told too, and ends the session
            while True:
                while self._waiting:
                    await self._websocket.send_text(self._waiting.popleft())
                self._news = anyio.Event()
                await self._news.wait()
