"""A session of a test with the application, over memory or a real socket: typed messages on top of frames."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, NoReturn, TypeVar, overload

import anyio
from starlette.types import Message as Event

from ..messages import Codec, End, ErrorFrame, FrameError, Heartbeat, Incoming, Ok, Ref
from ..messages.errors import INTERNAL
from .answers import Accepted
from .failures import ErrorAnswer, Timeout
from .frames import described
from .peer import Peer
from .resumption import Resumption
from .transport import Transport
from .wire import Expected, declared, declared_of, wire_of

MessageT = TypeVar("MessageT")


class AsyncTestSession(Peer):
    """One accepted session seen from the peer's side; made by `AsyncTestClient.connect`.

    Where the endpoint declares what it sends, every frame is checked against that: when the test takes it, by whatever verb, or
    at the latest when it leaves the session.

    Args:
        transport: What carries the session.
        accepted: How the handshake was accepted.
        where: How failures name it.
        timeout: Seconds that each wait may take; None waits for ever.
        codecs: The codecs that the test speaks; JSON and MessagePack where it names none.
        before: The session that is resumed.

    Attributes:
        subprotocol: The subprotocol that the accept chose.
        accepted_headers: The headers of the accept.
        resumption: What is known for resuming it: the last `ticket`, how many frames were `received`, and, where it was resumed,
            with which frame (`resumed`).
    """

    __test__ = False

    def __init__(
        self,
        transport: Transport,
        accepted: Accepted,
        *,
        where: str,
        timeout: float | None,
        codecs: Sequence[Codec] = (),
        before: AsyncTestSession | None = None,
    ) -> None:
        super().__init__(transport, where=where, timeout=timeout)
        self.subprotocol = accepted.subprotocol
        self.accepted_headers = accepted.headers
        self._wire = wire_of(accepted.subprotocol, codecs)
        self._declared = declared(transport.run.scope)
        self._frames = declared_of(transport.run.scope)
        self._is_checked = self._frames is not None
        self.resumption: Resumption = Resumption(self._wire, None if before is None else before.resumption)
        transport.arrivals.sift(self.resumption.is_note)
        self._refs = 0
        self._questions: list[tuple[Any, Ref]] = []

    async def send(self, message: Any, *, ref: Ref | None = None) -> None:
        """Send anything that has a form on the wire: a message, a control frame such as `Cancel("1")`, a dict; text and bytes as
        they are.

        Args:
            message: What is sent.
            ref: What its answer has to carry.

        Raises:
            TypeError: It is no message.
        """
        await self._transport.send(self._wire.encode(message, ref=ref))

    async def flood(self, frames: Iterable[Any]) -> int:
        """Send things one after the other and wait for no answer; each is what `send` takes.

        Returns:
            How many were sent before they ended, or before the application closed the session.

        Raises:
            TypeError: One is no message.
            SendTimeout: Over a real socket: the server does not read any more.
        """
        return await super().flood(self._wire.encode(each) for each in frames)

    @overload
    async def expect(self, kind: type[MessageT], *, timeout: float | Timeout | None = ...) -> MessageT: ...
    @overload
    async def expect(self, kind: Any, *, timeout: float | Timeout | None = ...) -> Any: ...
    async def expect(self, kind: Any, *, timeout: float | Timeout | None = Timeout.CLIENT) -> Any:
        """The next frame, which must be of a type: `assert await bob.expect(Said) == Said(who="ann", text="hi")`.

        Args:
            kind: A message type, a control frame such as `Gap`, or a union of them.
            timeout: Seconds to wait; None waits for ever; the session's when left out.

        Raises:
            UnexpectedFrame: It is of another type, invalid, or not declared by the endpoint.
            ErrorAnswer: It is an error frame.
            ReceiveTimeout: Nothing arrived in time.
            SessionClosed: The application closed the session.
            Exception: What the application raised.
        """
        expected = Expected.of(kind)
        return self._read(await self._frame(expected.name, timeout), expected).message

    async def expect_error(self, code: str | None = None, *, timeout: float | Timeout | None = Timeout.CLIENT) -> ErrorFrame:
        """The next frame, which must be an error; `expect_error("internal")` takes the handler's exception for expected.

        An error object of JSON-RPC is one, too: its code is `data.code`, or ours for its number.

        Args:
            code: The code it must have; None takes any.
            timeout: Seconds to wait; None waits for ever; the session's when left out.

        Raises:
            UnexpectedFrame: It is no error, or has another code; otherwise it raises as `expect` does.
        """
        awaited = "an error" if code is None else f"the error {code!r}"
        event = await self._frame(awaited, timeout)
        error = self._wire.error(self._content_of(event))
        if error is not None and code in (None, error.code):
            if code == INTERNAL:
                self._transport.run.expect_failure()
            return error
        self._transport.run.raise_failure()
        raise self._unexpected(awaited, described(event))

    async def request(self, message: Any, *, reply: Any = None, timeout: float | Timeout | None = Timeout.CLIENT) -> Any:
        """Send a message with a `ref` and wait for its answer: `assert await ann.request(Say(text="hi")) == Accepted()`.

        Frames that come before the answer stay to be received; nobody has to.

        Args:
            message: The question.
            reply: The type of the answer; what the endpoint declares to send when left out.
            timeout: Seconds to wait; None waits for ever; the session's when left out.

        Returns:
            The answer; None for an `ok`.

        Raises:
            ErrorAnswer: An error answered.
            UnexpectedFrame: An answer of another type.
            ReceiveTimeout: No answer in time; otherwise it raises as `expect` does.
        """
        expected = self._answers(reply)
        ref = await self._ask(message)
        answer = self._read(await self._answer_to(ref, timeout), expected, or_else=(Ok,)).message
        return None if isinstance(answer, Ok) else answer

    async def stream(
        self, message: Any, *, item: Any = None, timeout: float | Timeout | None = Timeout.CLIENT
    ) -> AsyncGenerator[Any]:
        """Send a message with a `ref` and iterate over the stream that answers it, until its `end`.

        Args:
            message: The question.
            item: The type of the items; what the endpoint declares to send when left out.
            timeout: Seconds to wait for each item; None waits for ever; the session's when left out.

        Raises:
            ErrorAnswer: An error ended the stream; otherwise it raises as `request` does.
        """
        expected = self._answers(item)
        ref = await self._ask(message)
        while True:
            answer = self._read(await self._answer_to(ref, timeout), expected, or_else=(End,)).message
            if isinstance(answer, End):
                return
            yield answer

    async def reply(self, question: Any, answer: Any = None) -> None:
        """Answer a question of the server that `expect` returned, or a heartbeat; None answers `ok`.

        Raises:
            ValueError: It is no question that came with a `ref`, or it was answered before.
        """
        if isinstance(question, Heartbeat):
            await self._transport.send(self._wire.ok(question.ref))
            return
        for index, (asked, ref) in enumerate(self._questions):
            if asked is question:
                del self._questions[index]
                await self._transport.send(self._wire.ok(ref) if answer is None else self._wire.encode(answer, re=ref))
                return
        raise ValueError(f"{self._where}: reply() to what is no open question. Fix: give it what `expect` returned, once.")

    # Beneath the verbs

    def _fault_of(self, message: Event) -> AssertionError | None:
        if self._frames is None or message["type"] != "websocket.send":
            return None
        fault = self._frames.fault_of(self._content_of(message))
        if fault is None:
            return None
        return self._unexpected(
            "what the endpoint declares",
            f"{described(message)}, which it does not declare to send ({fault}. Fix: name its type in the controller's `sends`),",
        )

    async def _ask(self, message: Any) -> Ref:
        self._refs += 1
        ref = str(self._refs)
        await self.send(message, ref=ref)
        return ref

    def _answers(self, kind: Any) -> Expected:
        if kind is not None:
            return Expected.of(kind)
        if self._declared is None:
            raise TypeError(
                f"{self._where}: the endpoint does not declare what it sends, so the type of an answer is not known."
                " Fix: name it, request(..., reply=Accepted)."
            )
        return self._declared

    async def _answer_to(self, ref: Ref, timeout: float | Timeout | None) -> Event:
        awaited = f"the answer to {ref!r}"
        seconds = self._seconds(timeout)
        with anyio.move_on_after(seconds):
            while True:
                event = self._found(ref)
                if event is not None:
                    break
                await self._transport.arrivals.more()
            if event["type"] == "websocket.close":
                await self._closed(event, awaited)
            return event
        raise self._late(awaited, seconds)

    def _found(self, ref: Ref) -> Event | None:
        if self._close is not None:
            return self._close
        for event in self._transport.arrivals.waiting():
            if event["type"] == "websocket.close":
                self._close = event
            elif self._wire.re(self._content_of(event)) != ref:
                self._pass_over(event)
                continue
            self._transport.arrivals.take(event)
            return event
        return None

    def _read(self, event: Event, expected: Expected, *, or_else: tuple[type[Any], ...] = ()) -> Incoming:
        try:
            incoming = self._wire.decode(self._content_of(event), expected)
        except FrameError as error:
            self._transport.run.raise_failure()
            raise self._unexpected(expected.name, f"{described(event)}, which is not that ({error})") from error
        self._check_declared(incoming, expected)
        if incoming.ref is not None:
            self._questions.append((incoming.message, incoming.ref))
        if expected.fits(incoming) or isinstance(incoming.message, or_else):
            return incoming
        self._transport.run.raise_failure()
        if isinstance(incoming.message, ErrorFrame):
            self._raise_error(incoming.message, expected)
        raise self._unexpected(expected.name, described(event))

    def _check_declared(self, incoming: Incoming, expected: Expected) -> None:
        if self._declared is not None and incoming.tag in expected.union.tags and incoming.tag not in self._declared.union.tags:
            raise self._unexpected(
                "what the endpoint declares",
                f"{incoming.tag!r}, which it does not declare to send (Fix: name its type in the controller's `sends`),",
            )

    def _raise_error(self, error: ErrorFrame, expected: Expected) -> NoReturn:
        details = f" {error.errors}" if error.errors else ""
        raise ErrorAnswer(
            error,
            f"{self._where}: {expected.name or 'an answer'} was expected, but the error {error.code!r} came: {error.message}."
            f"{details} {self._transport.transcript}",
        )
