"""What stands between a session that can be resumed and its connection, which may be another one after a while."""

from __future__ import annotations

from collections import deque
from secrets import token_hex

from anyio import CancelScope

from ...messages import ControlFrame, Resumable, Resumed
from ...websockets import ServedWebSocket
from ..outbox import GONE
from ..owner import Frame
from ..timing import GOING_AWAY
from .connection import Connection, PeerGone
from .handing import Handing
from .held import Held
from .issuing import Issuing
from .kept import Asked, Kept
from .resume import Resume
from .sent import Sent


class Line(Handing):
    """Is ASGI's `receive` and `send` to a session, and carried by one connection after the other.

    The session runs in a task of its own. Each connection pumps what it receives into the line, from the task in which the
    server called the application. While there is none, whoever sends waits, as for a slow client.

    Args:
        resume: What is declared.
        connection: The first connection.
        owner: The application that serves the session.
        kept: The session as another process kept it, if it goes on here.
        has: How many frames its client received in that.

    Attributes:
        owner: The same.
        kept: The same, until the client is told that it is moved.
        replayed: How many frames its client was sent when it came back.
        running: What runs in the session's task.
        task: That task.
        carrier: The connection whose server waits for the session.
    """

    __slots__ = (
        "_begun",
        "_has",
        "_repeated",
        "_written",
        "carrier",
        "kept",
        "owner",
        "replayed",
        "running",
        "task",
    )

    def __init__(self, resume: Resume, connection: Connection, owner: object, *, kept: Kept | None = None, has: int = 0) -> None:
        super().__init__(resume, connection)
        self.id = token_hex(8) if kept is None else kept.session
        self.owner = owner
        self.kept = kept
        self.received = 0 if kept is None else kept.received
        self.resumed = 0 if kept is None else kept.resumed
        self.replayed = 0
        self.sent = Sent(resume.frames, resume.size, last=0 if kept is None else kept.last - len(kept.frames))
        self.running = CancelScope()
        self.task: object = None
        self.carrier: Connection | None = None
        self._has = has
        self._issuing = Issuing(self.id, resume)
        self._event: Frame | None = None
        self._preface: list[Frame] = []
        self._repeated: deque[Frame] = deque()
        self._begun = self._written = 0
        if kept is not None:
            self._go_on_from(kept)

    # For the session

    def hold(self, held: Held) -> None:
        """See `Reach.hold`."""
        super().hold(held)
        self._repeated.clear()

    async def announce(self) -> None:
        """Send the client a ticket, if it is there; if the session comes from another process, also what it missed."""
        connection = self._connection
        if connection is None:
            return
        if self.kept is not None:
            self.resumed += 1
            connection.spent = self._issuing.spend()
            try:
                await self._replay(connection, self._has)
            except GONE:
                self.lose(connection)
        elif not connection.is_behind:
            await self._tell(connection, Resumable(self._issuing.issue(self._clock.now()), self._resume.grace))

    @property
    def websocket(self) -> ServedWebSocket | None:
        """The WebSocket of the session, while it can be resumed."""
        return None if self._held is None else self._held.websocket

    def is_due(self, now: float) -> bool:
        """Whether the client should get another ticket."""
        return self._connection is not None and self._issuing.is_due(now)

    def stop(self) -> None:
        """End the session, if it does not come to its end already: the application ends."""
        if self._held is not None:
            self._held.stop(GOING_AWAY, "the server ends")
        elif not self._was_held:
            self.running.cancel()

    async def receive(self) -> Frame:
        """ASGI's `receive`, for the session."""
        if self._repeated:
            return self._repeated.popleft()
        while self._event is None:
            if self._end is not None:
                return self._end
            await self._changed.wait()
        event, self._event = self._event, None
        self._wake()
        if self._held is None:
            self._note(event)
        return event

    def _note(self, event: Frame) -> None:
        """Note what comes before the session begins, for it is needed again where that begins in another process."""
        if event["type"] == "websocket.receive":
            self._preface.append(event)
        elif event["type"] == "websocket.connect":
            self._repeated.extend(self._preface)

    async def send(self, event: Frame) -> None:
        """ASGI's `send`, for the session.

        Raises:
            OSError: The client is gone.
        """
        kind = event["type"]
        if kind == "websocket.send" and self._held is not None:
            await self._send(event)
            return
        while self._was_held and self._connection is not None and self._connection.is_behind:
            await self._changed.wait()  # what comes to an end while its client is sent what it missed comes behind that
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
                if connection is None or connection.is_behind or connection.failed_at is not None:
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
            if self._held is None:
                self.lose(connection)
            else:  # it may have been closed by its client: that, and what was said before, may still be read
                connection.failed_at = self._clock.now()
        finally:
            connection.writing = None

    # For who carries it (see `carrying`)

    def claim(self, connection: Connection, asked: Asked) -> bool:
        """Let a connection take the place of the one that was, if its ticket is good; `carry` has to follow.

        Args:
            connection: The new one.
            asked: What its client asks for.

        Returns:
            Whether it may.
        """
        if (
            self._held is None
            or not self._issuing.is_good(asked.ticket, self._clock.now())
            or (self._origin, self._place) != (asked.origin, asked.place)
            or self._subprotocol not in (None, *asked.subprotocols)
            or not 0 <= asked.received <= self.sent.last
        ):
            return False
        self._replace(connection)
        connection.spent = self._issuing.spend()
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
            await connection.receive()
            await connection.send({"type": "websocket.accept", "subprotocol": self._subprotocol, "headers": []})
            self._lost_at = None
            self.resumed += 1
            await self._replay(connection, received)
        except GONE:
            self.lose(connection)
        return self._connection is connection

    def lose(self, connection: Connection, event: Frame | None = None) -> None:
        """See `Reach.lose`; what its client may not know of, it can use again."""
        if self._connection is connection and not connection.is_proven:
            self._issuing.give_back(connection.spent)
        super().lose(connection, event)

    async def offer(self, event: Frame) -> None:
        """Hand the session what its connection received; wait for it to take what came before."""
        while self._event is not None:
            await self._changed.wait()
        if event["type"] == "websocket.receive":
            self.received += 1
            if self._connection is not None:
                self._connection.is_proven = True
        self._event = event
        self._wake()

    async def _replay(self, connection: Connection, received: int) -> None:
        """Send a client its next ticket, and what it missed; another connection may come meanwhile."""
        with self.sent.held():
            missed = self.sent.missing(received)
            ticket = self._issuing.issue(self._clock.now())
            if self._held is not None:
                self._held.came_back()
            moved = self.kept is not None
            await self._tell(connection, Resumed(ticket, self._resume.grace, received=self.received, missed=missed, moved=moved))
            if self._connection is connection:
                self.kept = None
            number = received + missed + 1
            while self._connection is connection and (frame := self.sent.get(number)) is not None:
                self._begun = max(self._begun, number)
                await connection.send(frame)
                self.replayed += 1
                number += 1
        if self._connection is connection:
            self._written = number - 1
            connection.is_behind = False
            self._wake()

    async def _tell(self, connection: Connection, frame: ControlFrame) -> None:
        event = None if self._held is None else self._held.written(frame)
        if event is None:
            return
        try:
            await connection.send(event)
        except GONE:
            self.lose(connection)
