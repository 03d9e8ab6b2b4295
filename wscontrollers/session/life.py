"""The life of a session: its tasks, its handshake, its reading and writing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVarTuple

import anyio

from ..cancellation import failure_of
from ..exceptions import WebSocketDisconnect
from ..websockets import ServedWebSocket
from .bounding import bound_messages
from .clock import clock_of
from .controls import NO_CONTROLS
from .ending import SERVICE_RESTART, Ended
from .framing import SPOKEN_KEY
from .intake import Intake
from .listener import Listener
from .loops import current_task, is_in_loop
from .memberships import Enrol, Memberships
from .outbox import Outbox
from .owner import Frame
from .parting import CLOSE_TIME, hang_up
from .questions import Questions
from .reading import Reading
from .sharing import share_with
from .timing import Timekeeper
from .watch import watch_of
from .wire import Wire

if TYPE_CHECKING:
    from .resuming.kept import Place
    from .resuming.line import Line

Args = TypeVarTuple("Args")


class Life(Listener):
    """One session as its machinery sees it; `Session` is what its users see of it.

    Attributes:
        framing: How this one does.
        subprotocol: The one that is chosen when it is accepted.
        is_direct: Whether its machinery may look past ASGI at a known server.
    """

    __slots__ = ("_enrol", "_id", "_memberships", "is_direct", "subprotocol")

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
        self.ended = None
        self.ended_at = 0.0
        self.is_gone = self.is_lost = False
        self.controls = NO_CONTROLS
        self.failure = None
        self.thrown = None
        self.line = line
        self.is_direct = direct
        self._id: str | None = None if line is None else line.id
        self._enrol = enrol
        self._memberships: Memberships | None = None
        self._task = None
        self._tasks = None
        self._timekeeper = None
        self._body = None
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
    def joined(self) -> Memberships | None:
        """The groups that it is in, if it ever asked for one and is not over."""
        return self._memberships

    @property
    def user(self) -> str | None:
        """Whose session it is, if it said so."""
        return None if self._memberships is None else self._memberships.user

    # Running

    @property
    def is_connecting(self) -> bool:
        """Whether the handshake has no answer yet."""
        return self.websocket.is_connecting

    async def accept(self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None) -> None:
        """Accept the handshake; a second call changes nothing.

        Raises:
            ValueError: The client does not offer the subprotocol.
        """
        if self.websocket.is_connecting:
            if subprotocol is not None and subprotocol != self.subprotocol:
                self._choose(subprotocol)
            try:
                await self.websocket.accept(self.subprotocol, headers)
            except WebSocketDisconnect as left:
                self.departed(left.code, "")
                raise
            self.websocket.accepted_early = True
            if self.wire.incoming is not None:
                self.reading.receive = self.websocket.receive_event
            self.reading.go_direct()
            if self.is_direct:
                share_with(self.websocket)
                bound_messages(self.websocket, self.limits.message)
            if self.line is not None and self._tasks is not None:
                await self._announce(self.line)

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
                if self.line is not None and not self.is_connecting:
                    await self._announce(self.line)
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

    async def _announce(self, line: Line) -> None:
        line.hold(self)
        kept = line.kept
        await line.announce()
        if kept is not None and (kept.groups or kept.user is not None):
            await self.memberships.restore(kept.groups, kept.user, since=kept.at)

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

    # While its client is away

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

    # When all is over

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
