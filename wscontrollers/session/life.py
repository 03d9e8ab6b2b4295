"""The life of a session: its tasks, its reading and writing, and how it comes to its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVarTuple

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup

from ..cancellation import failure_of
from ..exceptions import WebSocketDisconnect
from ..messages import Credit, FrameError, Incoming, Recover, Reply
from ..websockets import ServedWebSocket, WebSocketState
from .clock import clock_of
from .controls import NO_CONTROLS, Controls
from .delivery import Delivery
from .ending import Ended, ended_by, shortened
from .framing import SPOKEN_KEY
from .intake import POLICY_VIOLATION, Intake
from .loops import current_task, is_in_loop
from .memberships import Enrol, Memberships
from .outbox import Outbox
from .owner import Frame
from .parting import hang_up
from .questions import Questions
from .reading import Reading
from .speaker import Speaker
from .timing import GOING_AWAY, TRY_AGAIN_LATER, Timekeeper
from .watch import watch_of
from .wire import Wire, event_of

if TYPE_CHECKING:
    from .resuming.kept import Place
    from .resuming.line import Line

Args = TypeVarTuple("Args")

NORMAL, INTERNAL_ERROR, SERVICE_RESTART = 1000, 1011, 1012
FLUSH_TIME = 10.0
"""Seconds that the last messages have to go out where no limit says it."""
CLOSE_TIME = 5.0
"""Seconds that the close frame has to go out, and what was written before it; then the connection is broken."""


class Life(Speaker):
    """One session as its machinery sees it; `Session` is what its users see of it.

    Attributes:
        websocket: The WebSocket below.
        wire: What the endpoint's sessions speak.
        framing: How this one does.
        subprotocol: The one that is chosen when it is accepted.
        ended: By whom, with what code and why it ended; None while it lasts.
        ended_at: The clock's seconds then.
        is_direct: Whether its machinery may look past ASGI at a known server.
        is_gone: Whether the peer, or the server's connection, is known to be gone.
        is_lost: Whether a write failed.
        line: What it has in place of a connection, if it can be resumed.
        controls: Who deals with control frames.
        failure: What a task of the session failed with.
        thrown: What ended the session, while its endpoint deals with it at its yield; None otherwise.
    """

    __slots__ = (
        "_body",
        "_enrol",
        "_id",
        "_memberships",
        "_task",
        "_tasks",
        "_timekeeper",
        "clock",
        "controls",
        "ended",
        "ended_at",
        "failure",
        "intake",
        "is_direct",
        "is_gone",
        "is_lost",
        "limits",
        "line",
        "questions",
        "reading",
        "subprotocol",
        "thrown",
        "websocket",
        "wire",
    )

    def __init__(
        self,
        websocket: ServedWebSocket,
        wire: Wire,
        enrol: Enrol | None = None,
        *,
        direct: bool = True,
        line: Line | None = None,
    ) -> None:
        limits = wire.limits
        self.websocket = websocket
        websocket.close_within, websocket.hang_up, websocket.told = CLOSE_TIME, hang_up, self.closed
        self.wire = wire
        self.limits = limits
        self.framing, self.subprotocol = wire.negotiate(websocket.scope.get("subprotocols") or ())
        self.clock = clock = clock_of(websocket.scope)
        self.ended: Ended | None = None
        self.ended_at = 0.0
        self.is_gone = self.is_lost = False
        self.controls: Controls = NO_CONTROLS
        self.failure: Exception | None = None
        self.thrown: Exception | None = None
        self.line = line
        self.is_direct = direct
        self._id: str | None = None if line is None else line.id
        self._enrol = enrol
        self._memberships: Memberships | None = None
        self._task: object = None
        self._tasks: TaskGroup | None = None
        self._timekeeper: Timekeeper | None = None
        self._body: CancelScope | None = None
        self._deliveries = None
        self.questions = Questions()
        self.intake = Intake(self, limits, clock, self.framing.read)
        receive = websocket.read_by(self.next_event) if wire.incoming is None else websocket.receive_event
        self.reading = Reading(
            receive,
            self.start,
            ahead=limits.inbox,
            size=limits.inbox_bytes,
            arrived=self.intake.arrived,
            flooded=self.flooded,
            direct=direct,
        )
        self.outbox = Outbox(websocket.send_event, self, frames=limits.outbox, size=limits.outbox_bytes, direct=direct)

    @property
    def id(self) -> str:
        """A name for the session: 16 random hexadecimal digits."""
        if self._id is None:
            self._id = token_hex(8)
        return self._id

    def is_named(self, name: str) -> bool:
        """Whether this is its id; one that nobody asked for its id has none."""
        return self._id == name

    @property
    def memberships(self) -> Memberships:
        """The groups that it is in.

        Raises:
            RuntimeError: Where it runs, there are no groups; or it is over.
        """
        if self._memberships is None:
            if self._enrol is None:
                raise RuntimeError("Session: there are no groups here. Fix: join groups while the session lasts.")
            self._memberships = self._enrol(self)
        return self._memberships

    @property
    def user(self) -> str | None:
        """Whose session it is, if it said so."""
        return None if self._memberships is None else self._memberships.user

    # Running

    async def accept(self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None) -> None:
        """Accept the handshake; a second call changes nothing.

        Raises:
            ValueError: The client does not offer the subprotocol.
        """
        if self.websocket.is_connecting:
            if subprotocol is not None and subprotocol != self.subprotocol:
                self._choose(subprotocol)
            await self.websocket.accept(self.subprotocol, headers)
            self.websocket.accepted_early = True
            if self.wire.incoming is not None:
                self.reading.receive = self.websocket.receive_event
            self.reading.go_direct()
            if self.line is not None and self._tasks is not None:
                await self._announce(self.line)

    def leave_accept(self) -> None:
        """Leave the accept to the endpoint; before it nothing can be received."""
        if self.is_connecting and self.wire.incoming is not None:
            self.reading.receive = self._first_event

    def _choose(self, subprotocol: str) -> None:
        offered = self.websocket.scope.get("subprotocols") or ()
        if subprotocol not in offered:
            raise ValueError(
                f"Session.accept({subprotocol!r}): the client does not offer it, and would have to fail (RFC 6455, section "
                '4.1). Fix: choose one of websocket.scope["subprotocols"], or leave it out.'
            )
        # The client goes by what it is told: a codec's name is that codec, any other one what is spoken without a name.
        self.subprotocol = subprotocol
        self.framing, _ = self.wire.negotiate((subprotocol,))
        self.intake.speak(self.framing.read)
        if SPOKEN_KEY in self.websocket.scope:
            self.websocket.scope[SPOKEN_KEY] = self.framing

    async def _first_event(self) -> Frame:
        if self.is_connecting:
            raise RuntimeError(
                "Session: nothing can be received before the handshake is accepted. Fix: with accept=False call "
                "session.accept() first."
            )
        self.reading.receive = receive = self.websocket.receive_event
        return await receive()

    async def run(self, body: Callable[[*Args], Awaitable[Any]], *args: *Args) -> None:
        """Run an endpoint with all of the session's tasks, which end with it.

        Args:
            body: The endpoint; it makes its interruptible parts known by `interruption`.
            args: Its arguments.

        Raises:
            Exception: What the endpoint raised, or a task of the session; never a group of it.
        """
        watch = watch_of(self.clock)
        self._timekeeper = timekeeper = Timekeeper(self, watch)
        self._task = current_task()
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            watch.add(timekeeper)
            try:
                if self.line is not None:
                    await self._hold(self.line)
                await body(*args)
                failure = self.failure
                await self._see_off()
            except BaseException as left:
                failure = failure_of(left)
                if failure is None:
                    raise
                # That the session ended is no news where a task of it failed: the failure is.
                if self.failure is not None and isinstance(failure, WebSocketDisconnect):
                    failure = self.failure
            finally:
                watch.remove(timekeeper)
                self._timekeeper = None
                tasks.cancel_scope.cancel()
                self._over(failure)
        if failure is not None:
            try:
                raise failure
            finally:
                self.failure = failure = None

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

    async def _hold(self, line: Line) -> None:
        if not self.is_connecting:
            await self._announce(line)

    async def _announce(self, line: Line) -> None:
        line.hold(self)
        kept = line.kept
        await line.announce()
        if kept is not None and (kept.groups or kept.user is not None):
            await self.memberships.restore(kept.groups, kept.user, since=kept.at)

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

    # Tasks

    def start(self, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task that ends with the session; what it raises ends the session.

        Raises:
            RuntimeError: The session does not run, or does in another thread.
        """
        if self._tasks is None:
            raise RuntimeError("Session: it does not run. Fix: start tasks in an endpoint, a handler or a task of the session.")
        if not is_in_loop():
            raise RuntimeError(
                "Session: it was used by a thread, and belongs to its event loop. Fix: anyio.from_thread.run(session.send, "
                "message) in a thread of anyio, loop.call_soon_threadsafe(session.send_nowait, message) in any other."
            )
        self._tasks.start_soon(self._guarded, function, args)

    async def _guarded(self, function: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        try:
            await function(*args)
        except BaseException as left:
            error = failure_of(left)
            if error is None:
                raise
            self.fail(error)

    # Ending

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

    def came_back(self) -> None:
        """The client of a session that can be resumed is there again: it was not silent, it was away."""
        self.intake.last = self.intake.heard = self.clock.now()

    def places(self) -> Sequence[Place]:
        """The groups that it is in, and up to where it has their messages."""
        return () if self._memberships is None else self._memberships.places()

    def waiting(self) -> Sequence[Frame]:
        """The frames that wait to be sent."""
        return self.outbox.queued

    def unread(self) -> int:
        """How many frames of the client wait for a handler."""
        return self.reading.unread

    def move(self) -> None:
        """End the session, which goes on in another process; what is to be sent is sent there."""
        self.end(Ended("server", SERVICE_RESTART, "resumed in another process"))
        self.outbox.close()
        if self._memberships is not None:
            self._memberships.release()
        self.interrupt()

    def stop(self, code: int, reason: str) -> None:
        """End the session; what runs has its grace. An endpoint that deals with an exception says by it how the session ends."""
        if self.thrown is None:
            self.end(Ended("server", code, reason))
        else:
            self.dealt_with(code, reason)

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
        self.end(Ended.by_peer(code, reason))
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
        self.stop(POLICY_VIOLATION, "too many messages wait")

    def overflown(self) -> None:
        """The outbox is full."""
        self.stop(TRY_AGAIN_LATER, "too slow")

    def release(self) -> None:
        """Let go of everything when all is over: what held each other would be garbage to be searched for."""
        self.controls = NO_CONTROLS
        self.websocket.told = None
        self._task = self._enrol = self.line = None
        if self._memberships is not None:
            self._memberships.release()
            self._memberships = None
        if self.is_connecting and self.wire.incoming is not None:
            self.reading.receive = self.websocket.receive_event
        if not self.websocket.is_open:
            hang_up(self.websocket.send_event, CLOSE_TIME)  # else there is a close frame to come
        self.outbox.release()
        self.websocket.read_by(self.reading.release())
        self.intake.release()

    @property
    def is_connecting(self) -> bool:
        """Whether the handshake has no answer yet."""
        return self.websocket.is_connecting

    def wake(self) -> None:
        """There is something to see for the look-out again."""
        if self._timekeeper is not None:
            self._timekeeper.wake()

    # What comes in

    def owes(self, incoming: Incoming) -> bool:
        """Whether this side gave occasion to a control frame or a reply, which counts as no message of the client's then."""
        message = incoming.message
        if isinstance(message, Reply):
            return self.questions.owes()
        return isinstance(message, Credit) and self.controls.owes()

    def controlled(self, incoming: Incoming) -> None:
        """Deal with a control frame or a reply."""
        message = incoming.message
        if isinstance(message, Reply):
            try:
                self.questions.answer(incoming.re, message.frame)
            except FrameError as error:
                self.intake.refuse(error)
        elif isinstance(message, Recover):
            self.start(self.memberships.recover, message.marks)
        else:
            self.controls.control(message)

    def keep(self, messages: deque[Incoming]) -> None:
        """Have the messages of one frame wait for their turn."""
        self.reading.keep(messages)

    async def next_event(self) -> Frame:
        """The next ASGI event, for who reads the WebSocket itself."""
        event: Frame | None = await self.reading.next()
        if event is not None:
            return event
        ended = self.ended
        assert ended is not None
        return {"type": "websocket.disconnect", "code": ended.code, "reason": ended.reason}
