"""What stands between a session that can be resumed and its connection, which may be another one after a while."""

from __future__ import annotations

from secrets import token_hex
from typing import Protocol

from anyio import CancelScope, Event

from ...messages import ControlFrame, Resumable, Resumed
from ...websockets import ServedWebSocket
from ..clock import clock_of
from ..ending import LOSS
from ..outbox import GONE
from ..owner import Frame
from ..timing import GOING_AWAY
from .connection import Connection
from .issuing import Issuing
from .resume import Resume
from .sent import Sent


class PeerGone(OSError):  # noqa: N818 - says what happened, as ASGI has it for a send to a peer that left
    """The session writes, and its client does not come back."""


class Held(Protocol):
    """The session on a line."""

    @property
    def websocket(self) -> ServedWebSocket:
        """The WebSocket that it has."""
        ...

    def written(self, frame: ControlFrame) -> Frame | None:
        """A control frame as the session writes it."""
        ...

    def came_back(self) -> None:
        """The client is there again."""
        ...

    def stop(self, code: int, reason: str) -> None:
        """End the session."""
        ...


class Line:
    """Is ASGI's `receive` and `send` to a session, and carried by one connection after the other.

    The session runs in a task of its own. Each connection pumps what it receives into the line, from the task in which the
    server called the application. While there is none, whoever sends waits, as for a slow client.

    Args:
        resume: What is declared.
        connection: The first connection.
        owner: The application that serves the session.

    Attributes:
        id: The session's id.
        owner: The same.
        received: How many frames of the client arrived.
        sent: What the session sent.
        resumed: How often its client came back.
        scope: That of the first connection.
        running: What runs in the session's task.
        task: That task.
        carrier: The connection whose server waits for the session.
        done: Set when the session is over.
    """

    __slots__ = (
        "__weakref__",
        "_begun",
        "_changed",
        "_clock",
        "_connection",
        "_end",
        "_event",
        "_held",
        "_issuing",
        "_lost_at",
        "_origin",
        "_place",
        "_resume",
        "_subprotocol",
        "_written",
        "carrier",
        "done",
        "id",
        "owner",
        "received",
        "resumed",
        "running",
        "scope",
        "sent",
        "task",
    )

    def __init__(self, resume: Resume, connection: Connection, owner: object) -> None:
        self.id = token_hex(8)
        self.owner = owner
        self.received = self.resumed = 0
        self.sent = Sent(resume.frames, resume.size)
        self.scope = connection.scope
        self.task: object = None
        self.done = Event()
        self._resume = resume
        self._issuing = Issuing(self.id, resume)
        self._clock = clock_of(connection.scope)
        self._origin, self._place = connection.origin, connection.place
        self._subprotocol: str | None = None
        self._connection: Connection | None = connection
        self.carrier: Connection | None = None
        self._held: Held | None = None
        self._event: Frame | None = None
        self._end: Frame | None = None
        self._lost_at: float | None = None
        self._begun = self._written = 0
        self._changed = Event()
        self.running = CancelScope()

    @property
    def is_detached(self) -> bool:
        """Whether the session waits for its client."""
        return self._connection is None and self._end is None

    # For the session

    def hold(self, held: Held) -> None:
        """From now on a loss of the connection is not the end."""
        self._held = held

    def let_go(self) -> None:
        """The session comes to its end: a loss is one, too."""
        self._held = None
        if self.is_detached:
            self.over()

    async def announce(self) -> None:
        """Send the client a ticket, if it is there."""
        connection = self._connection
        if connection is not None and not connection.is_behind:
            await self._tell(connection, Resumable(self._issuing.issue(self._clock.now()), self._resume.grace))

    @property
    def websocket(self) -> ServedWebSocket | None:
        """The WebSocket of the session, while it can be resumed."""
        return None if self._held is None else self._held.websocket

    def is_due(self, now: float) -> bool:
        """Whether the client should get another ticket."""
        return self._connection is not None and self._issuing.is_due(now)

    def stop(self) -> None:
        """End the session: the application ends."""
        if self._held is not None:
            self._held.stop(GOING_AWAY, "the server ends")
        else:
            self.running.cancel()

    def expire(self, now: float) -> None:
        """End the session if its client did not come back in time.

        Args:
            now: The clock's seconds.
        """
        if self.is_detached and self._lost_at is not None and now - self._lost_at >= self._resume.grace:
            self.over()

    async def receive(self) -> Frame:
        """ASGI's `receive`, for the session."""
        while self._event is None:
            if self._end is not None:
                return self._end
            await self._changed.wait()
        event, self._event = self._event, None
        self._wake()
        return event

    async def send(self, event: Frame) -> None:
        """ASGI's `send`, for the session.

        Raises:
            OSError: The client is gone.
        """
        kind = event["type"]
        if kind == "websocket.send":
            await self._send(event)
            return
        connection = self._connection
        if kind == "websocket.close":
            self.let_go()
            if connection is None:
                return
        elif connection is None:
            raise PeerGone
        elif kind == "websocket.accept":
            self._subprotocol = event.get("subprotocol")
        await connection.send(event)

    async def _send(self, event: Frame) -> None:
        number = self.sent.add(event)
        try:
            while self._written < number:
                connection = self._connection
                if self._end is not None:
                    raise PeerGone
                if connection is None or connection.is_behind:
                    await self._changed.wait()
                else:
                    await self._write(connection, event, number)
        except BaseException:
            if number > self._begun:
                self.sent.take_back(number)
            raise

    async def _write(self, connection: Connection, event: Frame, number: int) -> None:
        """Write a frame; where the connection is lost meanwhile, or another one comes, that one is sent it."""
        try:
            with CancelScope() as connection.writing:
                await connection.send(event)
                if self._connection is connection:
                    self._begun = self._written = number
        except GONE:
            self.lose(connection)
        finally:
            connection.writing = None

    # The server's tasks

    def claim(self, connection: Connection, number: int, received: int) -> bool:
        """Let a connection take the place of the one that was, if its ticket is good; `carry` has to follow.

        Args:
            connection: The new one.
            number: That of its ticket.
            received: How many frames its client received.

        Returns:
            Whether it may.
        """
        if (
            self._held is None
            or not self._issuing.is_good(number, self._clock.now())
            or (self._origin, self._place) != (connection.origin, connection.place)
            or (self._subprotocol is not None and self._subprotocol not in connection.scope["subprotocols"])
            or not 0 <= received <= self.sent.last
        ):
            return False
        connection.is_behind = True
        before, self._connection = self._connection, connection
        if before is not None:
            before.is_replaced = True
            before.abandon()
        return True

    async def took_up(self, connection: Connection, received: int) -> bool:
        """Accept a connection that was let in, and send its client what it missed.

        Args:
            connection: The connection.
            received: How many frames its client received before.

        Returns:
            Whether it is still there.
        """
        try:
            with self._issuing.used():
                await connection.receive()
                await connection.send({"type": "websocket.accept", "subprotocol": self._subprotocol, "headers": []})
            self._lost_at = None
            self.resumed += 1
            await self._replay(connection, received)
        except GONE:
            self.lose(connection)
        return self._connection is connection

    async def _replay(self, connection: Connection, received: int) -> None:
        missed = self.sent.missing(received)
        ticket = self._issuing.issue(self._clock.now())
        if self._held is not None:
            self._held.came_back()
        await self._tell(connection, Resumed(ticket, self._resume.grace, received=self.received, missed=missed))
        self._written = received + missed
        while self._connection is connection and (frame := self.sent.get(self._written + 1)) is not None:
            self._begun = self._written + 1
            await connection.send(frame)
            self._written += 1
        connection.is_behind = False
        self._wake()

    async def offer(self, event: Frame) -> None:
        """Hand the session what its connection received; wait for it to take what came before."""
        while self._event is not None:
            await self._changed.wait()
        if event["type"] == "websocket.receive":
            self.received += 1
        self._event = event
        self._wake()

    # Between them

    async def _tell(self, connection: Connection, frame: ControlFrame) -> None:
        event = None if self._held is None else self._held.written(frame)
        if event is None:
            return
        try:
            await connection.send(event)
        except GONE:
            self.lose(connection)

    def lose(self, connection: Connection, event: Frame | None = None) -> None:
        """A connection is gone; the session waits for another one, if it may."""
        if self._connection is not connection:
            return
        if self._held is None or self._end is not None or self.done.is_set():
            self.over(event)
            return
        self._connection = None
        if self._lost_at is None:
            self._lost_at = self._clock.now()
        connection.is_lost = True
        connection.abandon()
        self._wake()

    def over(self, event: Frame | None = None) -> None:
        """The client is gone for good."""
        if self._end is None:
            self._end = event or {"type": "websocket.disconnect", "code": LOSS, "reason": ""}
        self._connection = self._lost_at = None
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, Event()
        changed.set()
