"""`Session`: one accepted WebSocket with its controller, resolved dependencies and clean-ups."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVarTuple, cast

import anyio

from ..container import session_type
from ..exceptions import RequestRefusedError, WebSocketDisconnect
from ..messages import ErrorFrame, Incoming, Ok
from ..websockets import may_be_sent
from .delivery import Delivery
from .ending import LOSS, Ended
from .life import Life
from .questions import UNANSWERED
from .wire import event_of

if TYPE_CHECKING:
    from starlette.datastructures import State
    from typing_extensions import TypeVar

    from ..websockets import WebSocket
    from .limits import Limits
    from .memberships import Joined

    In = TypeVar("In", covariant=True, default=Any)
    Out = TypeVar("Out", contravariant=True, default=Any)
else:
    from typing import TypeVar

    In = TypeVar("In", covariant=True)
    Out = TypeVar("Out", contravariant=True)

AnswerT = TypeVar("AnswerT")
Args = TypeVarTuple("Args")


@session_type
class Session(Generic[In, Out]):
    """An accepted WebSocket: typed messages in, typed messages out, and everything that ends with it.

    `async for message in session` receives until the session ends. A parameter that is annotated with it receives it, also a
    constructor's; it is accepted just before the endpoint runs. `Session[Say | Rename, Said]` says what comes in and what goes
    out; `bytes` and `str` among them are raw frames.
    """

    __slots__ = ("__weakref__", "_current", "_life")

    if not TYPE_CHECKING:

        def __class_getitem__(cls, types: Any) -> Any:
            # `Session[In]` for `Session[In, Any]`: type checkers know the default, Python before 3.13 does not.
            return super().__class_getitem__(types if isinstance(types, tuple) else (types, Any))

    def __init__(self, life: Life) -> None:
        self._life = life
        self._current: Incoming | None = None

    @property
    def id(self) -> str:
        """A name for the session, in log lines and for other workers: 16 random hexadecimal digits."""
        return self._life.id

    @property
    def websocket(self) -> WebSocket:
        """The WebSocket below: its path, headers and client. Frames are received and sent by the session alone."""
        return self._life.websocket

    @property
    def state(self) -> State:
        """What the lifespan yielded, and anything that the application keeps with this session."""
        return self._life.websocket.state

    @property
    def ended(self) -> Ended | None:
        """By whom, with what code and why it ended; None while it lasts."""
        return self._life.ended

    @property
    def subprotocol(self) -> str | None:
        """The one that was chosen of those that the client offers, or will be when it is accepted."""
        return self._life.subprotocol

    @property
    def limits(self) -> Limits:
        """What it may take."""
        return self._life.limits

    @property
    def is_connected(self) -> bool:
        """Whether its client is there, as far as this side knows; one that can be resumed may have none for a while."""
        life = self._life
        return life.ended is None and life.websocket.is_open and (life.line is None or not life.line.is_detached)

    @property
    def resumed(self) -> int:
        """How often its client came back to it, on another connection."""
        return 0 if self._life.line is None else self._life.line.resumed

    async def accept(self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None) -> None:
        """Accept the handshake, for endpoints with `accept=False`; a second call changes nothing.

        Args:
            subprotocol: The one to choose of those offered; the codec's when left out. A codec's name is that codec from now on,
                any other one the codec that is spoken without a name.
            headers: Headers of the answer.

        Raises:
            ValueError: The client does not offer the subprotocol.
        """
        await self._life.accept(subprotocol, headers)

    # Receiving

    def __aiter__(self) -> Session[In, Out]:
        return self

    async def __anext__(self) -> In:
        reading = self._life.reading
        incoming: Incoming | None = None
        # What `Reading.next` does, without its coroutine: most messages come this way.
        while incoming is None and (task := reading.parks()) is not None:
            try:
                receive = reading.receive  # no method: see `Intake.arrived`
                frame = await receive()
                reading.parked = None
                arrived = reading.arrived
                incoming = arrived(frame)
            except CancelledError:
                if not reading.took_wake_up(task):
                    raise
            finally:
                reading.parked = reading.waiter = None
        if incoming is None:
            incoming = await reading.next()
        self._current = incoming
        if incoming is None:
            raise StopAsyncIteration
        message: In = incoming.message
        return message

    async def receive(self) -> In:
        """The next message.

        Raises:
            WebSocketDisconnect: The session has ended.
            RuntimeError: Another task receives, or the handshake is not accepted.
        """
        self._current = incoming = cast("Incoming | None", await self._life.reading.next())
        if incoming is None:
            raise self._departure()
        return cast(In, incoming.message)

    # Sending

    def send(self, message: Out) -> Coroutine[Any, Any, Delivery]:
        """Send a message; a slow peer is waited for.

        Returns:
            `SENT`, or `CLOSED` if the session has ended: no exception. An endpoint that deals with an exception at its `yield`
            still sends.

        Raises:
            RuntimeError: The handshake is not accepted.
            TypeError: It is nothing that can be sent.
        """
        life = self._life
        if life.ended is not None:
            return life.last_words(message)
        outbox, frame = life.outbox, life.framing.message(message)
        return outbox.post(frame) if outbox.is_direct else outbox.send(*event_of(frame))

    def send_nowait(self, message: Out) -> Delivery:
        """Queue a message; nobody waits, and when there is no room its policy holds.

        Returns:
            `QUEUED`, `DROPPED` or `CLOSED`.

        Raises:
            RuntimeError: The handshake is not accepted.
            TypeError: It is nothing that can be sent.
        """
        life = self._life
        if life.ended is not None and life.thrown is None:
            return Delivery.CLOSED
        policy, key = life.wire.policy_of(message)
        return life.outbox.send_nowait(*event_of(life.framing.message(message)), policy, key)

    async def reply(self, message: object, answer: Out) -> Delivery:
        """Answer the message that was received last: with its `ref`, if it asked with one.

        Raises:
            ValueError: It is not the message that was received last.
        """
        current = self._current
        if current is None or current.message is not message:
            if self._life.ended is not None:
                return Delivery.CLOSED
            raise ValueError(
                "Session.reply(): it is not the last message received. Fix: answer a message before the next one is taken."
            )
        return await self._life.answer(answer, current.ref)

    async def request(self, message: Out, *, reply: type[AnswerT], timeout: float | None = 10.0) -> AnswerT:  # noqa: ASYNC109
        """Ask the client, and wait for its reply.

        Args:
            message: The question.
            reply: The type of the reply.
            timeout: Seconds to wait; None waits until the session ends.

        Raises:
            TimeoutError: No reply came in time.
            RequestRefusedError: The client answered with an error, or with `ok` where a message was expected.
            WebSocketDisconnect: The session has ended, or ends first.
        """
        life = self._life
        if life.ended is not None:
            raise self._departure()
        with life.questions.asked(life.framing.answers(reply)) as question, anyio.fail_after(timeout):
            await life.outbox.send(*event_of(life.framing.message(message, question.ref)))
            with life.reading.awaiting():
                await question.answered.wait()
        answer = question.answer
        if answer is UNANSWERED:
            raise self._departure()
        if isinstance(answer, ErrorFrame):
            raise RequestRefusedError(answer.code, answer.message)
        if isinstance(answer, Ok) and cast(object, reply) is not Ok:
            raise RequestRefusedError("ok", "the client answered without a message")
        return cast(AnswerT, answer)

    # Groups

    async def join(self, group: str, presence: Any = None) -> Joined:
        """Join a group; on return every message that is published to it from now on comes to this session.

        If the client brought a mark of the group (`?recover=` in the URL), it is sent what it missed before anything newer.

        Args:
            group: Its name, for example "room:tea": 1 to 180 printable characters.
            presence: What the others may know of this session, for groups with presence: of the type that was declared. To join
                again with another one changes it.

        Raises:
            ValueError: It is no name of a group, the session is in as many groups as its limits allow, or the group has no
                presence and one is given.
            TypeError: The group has presence, and none is given or one of another type.
            Denied: The group's guard refuses it.
            EngineDownError: What carries groups does not answer; the session is not in the group.
            RuntimeError: The handshake is not accepted, or the session is over.
        """
        return await self._life.memberships.join(group, presence)

    async def leave(self, group: str) -> None:
        """Leave a group; nothing happens if the session is not in it. A session that ends leaves all of them."""
        if self._life.joined is not None:
            await self._life.joined.leave(group)

    async def identify(self, user: str) -> None:
        """Say whose session it is, so that the user can be reached wherever he is: `groups.publish("user:ann", ...)`.

        Args:
            user: An id of the application's own.

        Raises:
            ValueError: It is empty, longer than 160 characters or not printable, or the session is somebody else's already.
            RuntimeError: The handshake is not accepted yet: in a dependency, or a constructor.
            EngineDownError: What carries groups does not answer.
        """
        await self._life.memberships.identify(user)

    @property
    def groups(self) -> frozenset[str]:
        """The names of the groups that it is in."""
        return frozenset() if self._life.joined is None else self._life.joined.names

    @property
    def user(self) -> str | None:
        """Whose session it is, if it was said."""
        return self._life.user

    @property
    def dropped(self) -> int:
        """How many messages its client lost for being slow: such as found no room, or gave way to a `DISPLACED` one."""
        return self._life.outbox.dropped

    # Ending

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Nothing is received any more; handlers that run have their grace, clean-ups run, what waits in the
        outbox is sent, and then the close frame. An endpoint that deals with an exception at its `yield` says by it how the
        session ends, in place of 1000.

        Args:
            code: The close code (RFC 6455, section 7.4).
            reason: At most 123 bytes of it are sent.

        Raises:
            ValueError: A close frame must not hold this code.
        """
        if not may_be_sent(code):
            raise ValueError(
                f"Session.close(): {code} is no code that a close frame may hold. Fix: use one of 4000 to 4999 for reasons of "
                "your own, or one of RFC 6455, section 7.4, that is meant to be sent."
            )
        self._life.stop(code, reason)

    def start_soon(self, function: Callable[[*Args], Awaitable[Any]], *args: *Args) -> None:
        """Start a task that ends with the session; an exception in it ends the session like one in its endpoint.

        Args:
            function: An async function.
            args: Its arguments.

        Raises:
            RuntimeError: The session does not run.
        """
        self._life.start(function, *args)

    def _departure(self) -> WebSocketDisconnect:
        ended = self.ended or Ended("network", LOSS)
        return WebSocketDisconnect(ended.code, ended.reason)


def life_of(session: Session[Any, Any]) -> Life:
    """What the machinery of a session works on."""
    return session._life  # pyright: ignore[reportPrivateUsage] - this is how the machinery gets at it, and nobody else
