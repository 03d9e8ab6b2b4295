"""The life of a session: its tasks, its reading and writing, and how it comes to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup

from ..exceptions import WebSocketDisconnect
from ..messages import Cancel, Credit, FrameError, Gap, Incoming, Recover, Reply
from ..websockets import ServedWebSocket, WebSocketState
from .clock import clock_of
from .ending import LOSS, Ended, shortened
from .intake import POLICY_VIOLATION, Intake
from .loops import current_task
from .outbox import Outbox
from .owner import Frame
from .questions import Questions
from .reading import Reading
from .watch import watch_of
from .wire import Wire, event_of

NORMAL, GOING_AWAY, INTERNAL_ERROR, TRY_AGAIN_LATER = 1000, 1001, 1011, 1013
FLUSH_TIME = 10.0
"""Seconds that the last messages have to go out where no limit says it."""
CLOSE_TIME = 5.0
"""Seconds that the close frame has to go out."""


class Controls:
    """Who deals with the client's `cancel`, `credit` and `recover`."""

    __slots__ = ()

    def control(self, frame: Cancel | Credit | Recover) -> None:
        """A control frame came in."""


NO_CONTROLS = Controls()


class Life:
    """What a session does without being asked: see `Session` for what its users ask of it.

    Attributes:
        websocket: The WebSocket below.
        ended: By whom, with what code and why it ended; None while it lasts.
        controls: Who deals with control frames.
        failure: What a task of the session failed with.
    """

    __slots__ = (
        "_body",
        "_ended_at",
        "_epoch",
        "_is_lost",
        "_since",
        "_stalled_since",
        "_task",
        "_tasks",
        "_writes",
        "bound",
        "clock",
        "controls",
        "ended",
        "failure",
        "intake",
        "limits",
        "outbox",
        "questions",
        "reading",
        "subprotocol",
        "websocket",
        "wire",
    )

    def __init__(self, websocket: ServedWebSocket, wire: Wire) -> None:
        limits = wire.limits
        self.websocket = websocket
        websocket.close_within = CLOSE_TIME
        self.wire = wire
        self.limits = limits
        self.bound, self.subprotocol = wire.negotiate(websocket.scope.get("subprotocols") or ())
        self.clock = clock = clock_of(websocket.scope)
        self.ended: Ended | None = None
        self.controls: Controls = NO_CONTROLS
        self._since = clock.now()
        self._ended_at = 0.0
        self._epoch = -1
        self._writes = -1
        self._stalled_since = 0.0
        self._is_lost = False
        self.failure: Exception | None = None
        self._task: object = None
        self._tasks: TaskGroup | None = None
        self._body: CancelScope | None = None
        self.questions = Questions()
        self.intake = Intake(self, limits, clock, self.bound.read)
        receive = websocket.read_by(self.next_event) if wire.incoming is None else websocket.receive_event
        self.reading = Reading(receive, self.start, ahead=limits.inbox, arrived=self.intake.arrived, flooded=self.flooded)
        self.outbox = Outbox(websocket.send_event, self, frames=limits.outbox, size=limits.outbox_bytes)

    # Running

    async def run(self, body: Callable[[], Awaitable[Any]]) -> None:
        """Run an endpoint with all of the session's tasks, which end with it.

        Args:
            body: The endpoint; it makes its interruptible parts known by `interruptible`.

        Raises:
            Exception: What the endpoint raised, or a task of the session; never a group of it.
        """
        watch = watch_of(self.clock)
        self._task = current_task()
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            watch.add(self)
            try:
                await body()
                failure = self.failure
                await self._see_off()
            except Exception as error:
                # That the session ended is no news where a task of it failed: the failure is.
                is_consequence = self.failure is not None and isinstance(error, WebSocketDisconnect)
                failure = self.failure if is_consequence else error
            finally:
                watch.remove(self)
                tasks.cancel_scope.cancel()
                self._over(failure)
        if failure is not None:
            try:
                raise failure
            finally:
                self.failure = failure = None

    async def interruptible(self, part: Callable[[], Awaitable[Any]]) -> None:
        """Run a part of the endpoint that is cancelled when the peer is gone, or at the end of the grace."""
        with CancelScope() as self._body:
            if self.failure is None:
                await part()
        self._body = None

    def interrupt(self) -> None:
        """Cancel the part that runs."""
        if self._body is not None:
            self._body.cancel()

    async def _see_off(self) -> None:
        self.end(Ended("server", NORMAL))
        with anyio.move_on_after(self.limits.stall or FLUSH_TIME):
            await self.outbox.flush()

    def _over(self, failure: Exception | None) -> None:
        self.end(Ended("server", GOING_AWAY if failure is None else INTERNAL_ERROR, exception=failure))
        self._tasks = None
        self.outbox.close()
        if self.ended is not None and self.ended.by == "server" and self.websocket.application_state is WebSocketState.CONNECTED:
            self.websocket.client_state = WebSocketState.CONNECTED  # who read the WebSocket itself was told of a disconnect

    # Tasks

    def start(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task that ends with the session; what it raises ends the session."""
        if self._tasks is None:
            raise RuntimeError("Session: it does not run. Fix: start tasks in an endpoint, a handler or a task of the session.")
        self._tasks.start_soon(self._guarded, function, args)

    async def _guarded(self, function: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        try:
            await function(*args)
        except Exception as error:
            if self.failure is None:
                self.failure = error
            self.end(Ended("server", INTERNAL_ERROR, exception=error))
            self.interrupt()

    # Ending

    def end(self, ended: Ended) -> None:
        """Note how the session ended; the first one counts. Nothing is received any more."""
        if self.ended is not None:
            return
        self.ended = ended
        self._ended_at = self.clock.now()
        if ended.by == "server":
            self.websocket.closing = (ended.code, shortened(ended.reason))
        else:
            self.outbox.close()
        self.reading.stop()
        self.questions.end()

    def stop(self, code: int, reason: str) -> None:
        """End the session; what runs has its grace."""
        self.end(Ended("server", code, reason))

    def departed(self, code: int, reason: str) -> None:
        """The peer is gone: what runs is cancelled; an endpoint that waits for a message goes on behind its loop."""
        self.websocket.client_state = WebSocketState.DISCONNECTED
        is_waiting = self.reading.waiter is not None and self.reading.waiter is self._task
        self.end(Ended.by_peer(code, reason))
        if not is_waiting:
            self.interrupt()

    def lost(self) -> None:
        """A write failed. The disconnect event has the better story; if there is none soon, the connection broke."""
        self._is_lost = True
        if self._tasks is not None:
            self.reading.read_ahead()

    def flooded(self) -> None:
        """Messages pile up behind one that waits for the client itself."""
        self.stop(POLICY_VIOLATION, "too many messages wait")

    def overflown(self) -> None:
        """The outbox is full."""
        self.stop(TRY_AGAIN_LATER, "too slow")

    def release(self) -> None:
        """Let go of everything when all is over: what held each other would be garbage to be searched for."""
        self.controls = NO_CONTROLS
        self._task = None
        self.websocket.read_by(self.reading.receive)
        self.outbox.release()
        self.reading.release()
        self.intake.release()

    @property
    def is_connecting(self) -> bool:
        """Whether the handshake has no answer yet."""
        return self.websocket.is_connecting

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent, as far as this side knows."""
        return self.ended is None and self.websocket.is_open

    # What the look-out calls

    def glance(self) -> None:
        """Let somebody read if the endpoint is busy, and end what outlives its grace."""
        reading = self.reading
        if self.ended is not None:
            if self._body is not None and self.clock.now() - self._ended_at >= self.limits.grace:
                self.interrupt()
            return
        if self._is_lost:
            self.departed(LOSS, "")
        elif reading.epoch == self._epoch and self.websocket.is_open:
            reading.read_ahead()
        self._epoch = reading.epoch

    def inspect(self, now: float) -> None:
        """End the session if one of its times is over.

        Args:
            now: The clock's seconds.
        """
        limits = self.limits
        if self.ended is not None:
            self.glance()
        elif limits.lifetime is not None and now - self._since >= limits.lifetime:
            self.stop(GOING_AWAY, "life time over")
        elif limits.idle is not None and now - self.intake.last >= limits.idle:
            self.stop(GOING_AWAY, "idle")
        elif limits.stall is not None and self.outbox.writing:
            self._look_for_progress(now, limits.stall)

    def _look_for_progress(self, now: float, stall: float) -> None:
        if self.outbox.writes != self._writes:
            self._writes, self._stalled_since = self.outbox.writes, now
        elif now - self._stalled_since >= stall:
            self.stop(TRY_AGAIN_LATER, "too slow")
            self.outbox.close()
            self.interrupt()

    # What comes in

    def tell(self, frame: Any) -> None:
        """Send a control frame without waiting."""
        self.outbox.send_nowait(*event_of(self.bound.writer.control(frame)))

    def gap(self, dropped: int) -> Frame:
        """The frame that tells the peer how many messages it lost."""
        reason: Literal["slow"] = "slow"
        return event_of(self.bound.writer.control(Gap(dropped, reason)))[0]

    def controlled(self, incoming: Incoming) -> None:
        """Deal with a control frame or a reply."""
        message = incoming.message
        if isinstance(message, Reply):
            self._answered(incoming, message)
        else:
            self.controls.control(message)

    def _answered(self, incoming: Incoming, reply: Reply) -> None:
        question = self.questions.get(incoming.re)
        if question is None:
            return  # it came too late, or nobody asked: no fault that the peer could mend
        try:
            question.answer = question.read(reply.frame).message
        except FrameError as error:
            self.intake.refuse(error)
            return
        question.answered.set()

    async def next_event(self) -> Frame:
        """The next ASGI event, for who reads the WebSocket itself."""
        event: Frame | None = await self.reading.next()
        if event is not None:
            return event
        ended = self.ended
        assert ended is not None
        return {"type": "websocket.disconnect", "code": ended.code, "reason": ended.reason}
