"""How a session comes to its end: by whom, what grace what runs has then, and what is cancelled."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVarTuple

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup

from ..logs import logger_of
from ..messages import FrameError
from ..websockets import ServedWebSocket, WebSocketState
from .clock import Clock
from .delivery import Delivery
from .ending import Ended, ended_by, shortened
from .intake import POLICY_VIOLATION
from .limits import Limits
from .loss import code_of
from .questions import Questions
from .reading import Reading
from .speaker import Speaker
from .timing import GOING_AWAY, TRY_AGAIN_LATER, Timekeeper
from .wire import event_of

if TYPE_CHECKING:
    from .resuming.line import Line

Args = TypeVarTuple("Args")
logger = logger_of("wscontrollers.session")

NORMAL, INTERNAL_ERROR = 1000, 1011
FLUSH_TIME = 10.0
"""Seconds that the last messages have to go out where no limit says it."""


class Fate(Speaker):
    """The part of a session that comes to its end; `Life` is the whole of it.

    Attributes:
        websocket: The WebSocket below.
        ended: By whom, with what code and why it ended; None while it lasts.
        ended_at: The clock's seconds then.
        is_gone: Whether the peer, or the server's connection, is known to be gone.
        is_lost: Whether a write failed.
        line: What it has in place of a connection, if it can be resumed.
        failure: What a task of the session failed with.
        thrown: What ended the session, while its endpoint deals with it at its yield; None otherwise.
    """

    __slots__ = (
        "_body",
        "_task",
        "_tasks",
        "_timekeeper",
        "clock",
        "ended",
        "ended_at",
        "failure",
        "is_gone",
        "is_lost",
        "limits",
        "line",
        "questions",
        "reading",
        "thrown",
        "websocket",
    )

    websocket: ServedWebSocket
    limits: Limits
    clock: Clock
    ended: Ended | None
    ended_at: float
    is_gone: bool
    is_lost: bool
    failure: Exception | None
    thrown: Exception | None
    line: Line | None
    questions: Questions
    reading: Reading
    _body: CancelScope | None
    _task: object
    _tasks: TaskGroup | None
    _timekeeper: Timekeeper | None

    @property
    @abstractmethod
    def id(self) -> str:
        """The session's id, for log lines."""

    def end(self, ended: Ended) -> None:
        """Note how the session ended; the first one counts. Nothing is received any more."""
        if self.ended is not None:
            return
        self.ended = ended
        self.ended_at = self.clock.now()
        if self.has_grace:
            self.websocket.closing = (ended.code, shortened(ended.reason))
        else:
            self.outbox.close()
            self.give_up()
        if self.line is not None:
            self.line.let_go()
        self.wake()
        self.reading.stop()
        self.framing.stop()
        self.questions.end()

    def fail(self, error: Exception) -> None:
        """End the session with what something of it failed with; the first one counts."""
        if self.failure is None:
            self.failure = error
        self.end(ended_by(error))
        self.interrupt()

    @property
    def has_grace(self) -> bool:
        """Whether it was ended here, and its peer is there to be told: what runs is given time to finish then."""
        return self.ended is not None and self.ended.by == "server" and not self.is_gone

    def stop(self, code: int, reason: str) -> None:
        """End the session; what runs has its grace. An endpoint that deals with an exception says by it how the session ends."""
        if self.thrown is None:
            self.end(Ended("server", code, reason))
        else:
            self.dealt_with(code, reason)

    def exceed(self, code: int, reason: str) -> None:
        """End the session, for a limit is exceeded; a line in the log says which."""
        if self.ended is None:
            path = self.websocket.scope["path"]
            logger.info("session %s at %r: closed with %d, %s", self.id, path, code, reason, extra={"kind": reason})
        self.stop(code, reason)

    def refused(self, error: FrameError) -> None:
        """Say in the log that a bad frame came, and of which kind, but nothing of what it held."""
        path = self.websocket.scope["path"]
        logger.info("session %s at %r: a bad frame, %s", self.id, path, error.code, extra={"kind": error.code})

    def dealt_with(self, code: int = NORMAL, reason: str = "") -> None:
        """The endpoint dealt with what was thrown into it: that is no failure any more, though it is why the session ended."""
        if self.thrown is not None:
            self.ended = Ended("server", code, reason, self.thrown)
            self.thrown = None
            self.websocket.closing = (code, shortened(reason))

    async def last_words(self, message: Any) -> Delivery:
        """Send what an endpoint has to say while it deals with an exception; otherwise nothing is sent behind the end.

        A peer that does not take it is not waited for as long as it likes: nobody looks at how its writes get on any more.
        """
        if self.thrown is None:
            return await self.outbox.refuse()
        with anyio.move_on_after(self.limits.stall or FLUSH_TIME):
            return await self.outbox.send(*event_of(self.framing.message(message)))
        self.outbox.close()
        return Delivery.CLOSED

    def closed(self, code: int, reason: str) -> None:
        """The endpoint closed the WebSocket itself, beside the session."""
        self.end(Ended("server", code, reason))
        self.outbox.close()

    def departed(self, code: int, reason: str) -> None:
        """The peer is gone: what runs is cancelled; an endpoint that waits for a message goes on behind its loop."""
        self.websocket.client_state = WebSocketState.DISCONNECTED
        is_waiting = self.reading.waiter is not None and self.reading.waiter is self._task
        self.is_gone = True
        self.end(Ended.by_peer(code_of(code, self.websocket.send_event, self.reading.source), reason))
        self.outbox.close()  # also where the session comes to its end already: nobody takes what is left
        if not is_waiting:
            self.interrupt()

    def lost(self) -> None:
        """A write failed. The disconnect event has the better story; if there is none soon, the connection broke."""
        self.is_lost = True
        self.wake()
        if self._tasks is not None:
            self.reading.read_ahead()

    def flooded(self) -> None:
        """Messages pile up behind one that waits for the client itself."""
        self.exceed(POLICY_VIOLATION, "too many messages wait")

    def overflown(self) -> None:
        """The outbox is full."""
        self.exceed(TRY_AGAIN_LATER, "too slow")

    # What runs

    async def interruptible(self, endpoint: Callable[[*Args], Awaitable[Any]], *args: *Args) -> None:
        """Run an endpoint that is cancelled as a whole when the peer is gone, or at the end of the grace."""
        with self.interruption():
            await endpoint(*args)

    def interruption(self) -> CancelScope:
        """The scope of a part of the endpoint that is cancelled so."""
        self._body = scope = CancelScope()
        return scope

    def interrupt(self) -> None:
        """Cancel the part that runs; behind the end of the session also what is being delivered."""
        if self._body is not None:
            self._body.cancel()
        if self.ended is not None:
            self.give_up()

    def wake(self) -> None:
        """There is something to see for the look-out again."""
        if self._timekeeper is not None:
            self._timekeeper.wake()

    # Behind the endpoint

    async def _see_off(self) -> None:
        self.end(Ended("server", NORMAL))
        for frame in self.framing.unanswered():
            self.outbox.send_nowait(*event_of(frame))
        with anyio.move_on_after(self.limits.stall or FLUSH_TIME):
            await self.outbox.flush()

    def _over(self, failure: Exception | None) -> None:
        self.end(Ended("server", GOING_AWAY if failure is None else INTERNAL_ERROR, exception=failure))
        self._tasks = None
        self.outbox.close()
        if self.has_grace and self.websocket.application_state is WebSocketState.CONNECTED:
            self.websocket.client_state = WebSocketState.CONNECTED  # who read the WebSocket itself was told of a disconnect
