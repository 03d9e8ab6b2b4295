"""`Session`: one accepted WebSocket with its controller, resolved dependencies and clean-ups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Generic, TypeVarTuple, cast

import anyio

from ..container import session_type
from ..exceptions import RequestRefusedError, WebSocketDisconnect
from ..messages import End, ErrorFrame, Incoming, Ok, Ref
from ..websockets import ServedWebSocket
from .delivery import Delivery
from .ending import LOSS, Ended
from .life import Life
from .wire import RAW, Wire, event_of

if TYPE_CHECKING:
    from starlette.datastructures import State
    from typing_extensions import TypeVar

    In = TypeVar("In", covariant=True, default=Any)
    Out = TypeVar("Out", contravariant=True, default=Any)
else:
    from typing import TypeVar

    In = TypeVar("In", covariant=True)
    Out = TypeVar("Out", contravariant=True)

AnswerT = TypeVar("AnswerT")
Args = TypeVarTuple("Args")


@session_type
class Session(Life, Generic[In, Out]):
    """An accepted WebSocket: typed messages in, typed messages out, and everything that ends with it.

    `async for message in session` receives until the session ends. A parameter that is annotated with it receives it, also a
    constructor's; it is accepted just before the endpoint runs. `Session[Say | Rename, Said]` says what comes in and what goes
    out; `bytes` and `str` among them are raw frames.

    Attributes:
        websocket: The WebSocket below.
        ended: By whom, with what code and why it ended; None while it lasts.
        subprotocol: The one that is chosen when it is accepted.
        limits: What it may take.
    """

    __slots__ = ("__weakref__", "_current", "_id")

    if not TYPE_CHECKING:

        def __class_getitem__(cls, types: Any) -> Any:
            # `Session[In]` for `Session[In, Any]`: type checkers know the default, Python before 3.13 does not.
            return super().__class_getitem__(types if isinstance(types, tuple) else (types, Any))

    def __init__(self, websocket: ServedWebSocket, wire: Wire) -> None:
        super().__init__(websocket, wire)
        self._id: str | None = None
        self._current: Incoming | None = None

    @property
    def id(self) -> str:
        """A name for the session, in log lines and for other workers: 16 random hexadecimal digits."""
        if self._id is None:
            self._id = token_hex(8)
        return self._id

    @property
    def state(self) -> State:
        """What the lifespan yielded, and anything that the application keeps with this session."""
        return self.websocket.state

    async def accept(self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None) -> None:
        """Accept the handshake, for endpoints with `accept=False`; a second call changes nothing.

        Args:
            subprotocol: The one to choose of those offered; the codec's when left out.
            headers: Headers of the answer.
        """
        if self.websocket.is_connecting:
            if subprotocol is not None:
                self.subprotocol = subprotocol
            await self.websocket.accept(self.subprotocol, headers)
            self.websocket.accepted_early = True

    # Receiving

    def __aiter__(self) -> Session[In, Out]:
        return self

    async def __anext__(self) -> In:
        self._current = incoming = cast("Incoming | None", await self.reading.next())
        if incoming is None:
            raise StopAsyncIteration
        return cast(In, incoming.message)

    async def receive(self) -> In:
        """The next message.

        Raises:
            WebSocketDisconnect: The session has ended.
            RuntimeError: Another task receives.
        """
        self._current = incoming = cast("Incoming | None", await self.reading.next())
        if incoming is None:
            raise self._departure()
        return cast(In, incoming.message)

    # Sending

    async def send(self, message: Out) -> Delivery:
        """Send a message; a slow peer is waited for.

        Returns:
            `SENT`, or `CLOSED` if the session has ended: no exception.

        Raises:
            RuntimeError: The handshake is not accepted.
            TypeError: It is nothing that can be sent.
        """
        if self.ended is not None:
            return Delivery.CLOSED
        return await self.outbox.send(*event_of(self.written(message)))

    def send_nowait(self, message: Out) -> Delivery:
        """Queue a message; nobody waits, and when there is no room its policy holds.

        Returns:
            `QUEUED`, `DROPPED` or `CLOSED`.

        Raises:
            RuntimeError: The handshake is not accepted.
            TypeError: It is nothing that can be sent.
        """
        if self.ended is not None:
            return Delivery.CLOSED
        policy, key = self.wire.policy_of(message)
        return self.outbox.send_nowait(*event_of(self.written(message)), policy, key)

    async def reply(self, message: object, answer: Out) -> Delivery:
        """Answer the message that was received last: with its `ref`, if it asked with one.

        Raises:
            ValueError: It is not the message that was received last.
        """
        current = self._current
        if current is None or current.message is not message:
            raise ValueError(
                "Session.reply(): it is not the last message received. Fix: answer a message before the next one is taken."
            )
        return await self.answer(answer, current.ref)

    async def answer(self, answer: Any, ref: Ref | None) -> Delivery:
        """Send what answers a message.

        Args:
            answer: A message; None is `ok`, which goes out only where an answer is wanted.
            ref: The reference of the message; None if no answer is wanted.
        """
        if answer is None:
            if ref is None:
                return Delivery.SENT
            return await self.outbox.send(*event_of(self.bound.writer.control(Ok(ref))))
        return await self.outbox.send(*event_of(self.written(answer, ref)))

    async def answer_item(self, item: Any, ref: Ref | None) -> Delivery:
        """Send an item of the stream that answers a message."""
        return await self.outbox.send(*event_of(self.written(item, ref)))

    async def answer_end(self, ref: Ref) -> Delivery:
        """Send the end of the stream that answers a message."""
        return await self.outbox.send(*event_of(self.bound.writer.control(End(ref))))

    async def answer_error(self, error: ErrorFrame) -> Delivery:
        """Send an error."""
        return await self.outbox.send(*event_of(self.bound.writer.control(error)))

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
        if self.ended is not None:
            raise self._departure()
        with self.questions.asked(self.wire.answers(self.bound, reply)) as question:
            await self.outbox.send(*event_of(self.bound.writer.message(message, ref=question.ref)))
            with self.reading.awaiting(), anyio.fail_after(timeout):
                await question.answered.wait()
        answer = question.answer
        if answer is None:
            raise self._departure()
        if isinstance(answer, ErrorFrame):
            raise RequestRefusedError(answer.code, answer.message)
        if isinstance(answer, Ok) and cast(object, reply) is not Ok:
            raise RequestRefusedError("ok", "the client answered without a message")
        return cast(AnswerT, answer)

    # Ending

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session. Nothing is received any more; handlers that run have their grace, clean-ups run, what waits in the
        outbox is sent, and then the close frame.

        Args:
            code: The close code (RFC 6455, section 7.4).
            reason: At most 123 bytes of it are sent.
        """
        self.end(Ended("server", code, reason))

    def start_soon(self, function: Callable[[*Args], Awaitable[Any]], *args: *Args) -> None:
        """Start a task that ends with the session; an exception in it ends the session like one in its endpoint.

        Args:
            function: An async function.
            args: Its arguments.

        Raises:
            RuntimeError: The session does not run.
        """
        self.start(function, *args)

    def written(self, message: Any, ref: Ref | None = None) -> str | bytes:
        """The frame of a message, in answer to another one if that has a reference."""
        if type(message) in RAW:
            return cast("str | bytes", message)
        return self.bound.writer.message(message, re=ref)

    def _departure(self) -> WebSocketDisconnect:
        ended = self.ended or Ended("network", LOSS)
        return WebSocketDisconnect(ended.code, ended.reason)
