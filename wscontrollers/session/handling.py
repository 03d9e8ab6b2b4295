"""One message on its way through its handler: interceptor, plan, call, answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import anyio
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from ..cancellation import failure_of
from ..dependencies import MessagePlan
from ..exceptions import WebSocketDisconnect, WebSocketException
from ..messages import Incoming, Ref
from .delivery import Delivery
from .failures import HandlerTimeoutError, error_of
from .handlers import Handler
from .life import Life
from .streams import Stream
from .wire import event_of

_NOTHING: AbstractContextManager[None] = nullcontext()

Around = Callable[[Any, Callable[[Any], Awaitable[Any]]], Awaitable[Any]]

_BREATH = 128
"""After how many items a stream lets others run, even if the peer takes them at once."""


_EARLY = 64
"""How many streams that have not begun can have credit."""


class Handling:
    """What the handling of each message of one session needs.

    Args:
        life: The session whose messages they are.
        handlers: All handlers.
        plans: The plan of each.
        values: What the handshake's plan made.
        around: The controller's interceptor.
    """

    __slots__ = ("_early", "_uncredited", "around", "handlers", "life", "plans", "streams", "values")

    def __init__(
        self,
        life: Life,
        handlers: Sequence[Handler],
        plans: Sequence[MessagePlan],
        values: list[Any],
        around: Around | None,
    ) -> None:
        self.life = life
        self.handlers = handlers
        self.plans = plans
        self.values = values
        self.around = around
        self.streams: dict[Ref, Stream] | None = None
        self._early: dict[Ref, int] | None = None
        self._uncredited = 0

    def calls(self, shield: CancelScope | None) -> Sequence[Callable[[list[Any], Any], Awaitable[Any]] | None]:
        """By handler, what may be called in place of `handle`: a function of the session's values and the message.

        Args:
            shield: See `shielding`.
        """
        is_plain = self.around is None and self.life.limits.handler_time is None
        return [
            plan.quick(shield)
            if is_plain and handler.mark.order == "serial" and handler.mark.timeout is None and not handler.is_stream
            else None
            for handler, plan in zip(self.handlers, self.plans, strict=True)
        ]

    def shielding(self) -> AbstractContextManager[CancelScope | None]:
        """A scope around the handling of messages in one task, for their clean-ups; nothing where no handler has any."""
        return CancelScope() if any(plan.cleans_up for plan in self.plans) else _NOTHING

    async def handle(self, index: int, incoming: Incoming, shield: CancelScope | None = None) -> None:
        """Let a handler handle a message, and answer with what comes of it.

        Args:
            index: Which handler.
            incoming: The message.
            shield: See `shielding`; one is entered for the message where it is left out.

        Raises:
            WebSocketException: The handler wants the session closed with a code.
        """
        handler = self.handlers[index]
        try:
            if handler.is_stream:
                await self._stream(index, handler, incoming)
                return
            plan = self.plans[index]
            limit = handler.mark.timeout or self.life.limits.handler_time
            if self.around is None and limit is None:
                result = await plan.run(self.values, incoming.message, shield=shield)
            else:
                result = await self._timed(limit, plan, incoming)
            await self.life.arrive(self.life.framing.answer(result, incoming.ref))
        except BaseException as left:
            await self.failed(left, index, incoming)

    async def failed(self, left: BaseException, index: int, incoming: Incoming) -> None:
        """Answer the message of a handler that failed; nothing is said where it was told of the end.

        Args:
            left: What left the handler.
            index: Which handler.
            incoming: The message.

        Raises:
            WebSocketException: The handler wants the session closed with a code.
            BaseException: The handler was cancelled.
        """
        error = failure_of(left)
        if error is None or isinstance(error, WebSocketException):
            raise left
        life = self.life
        if isinstance(error, WebSocketDisconnect) and life.ended is not None:
            return
        await life.answer_error(error_of(error, self.handlers[index], incoming.ref, life.id, life.websocket.scope))

    async def _timed(
        self, limit: float | None, plan: MessagePlan, incoming: Incoming, consume: Callable[[Any], Awaitable[Any]] | None = None
    ) -> Any:
        if limit is None:
            return await self._intercepted(plan, incoming.message, consume)
        with anyio.move_on_after(limit) as scope:
            return await self._intercepted(plan, incoming.message, consume)
        assert scope.cancelled_caught
        raise HandlerTimeoutError

    async def _intercepted(self, plan: MessagePlan, message: Any, consume: Callable[[Any], Awaitable[Any]] | None) -> Any:
        around = self.around
        if around is None:
            return await plan.run(self.values, message, consume)

        async def call_next(message: Any) -> Any:
            return await plan.run(self.values, message, consume)

        return await around(message, call_next)

    # Streams

    async def _stream(self, index: int, handler: Handler, incoming: Incoming) -> None:
        ref, stream = incoming.ref, Stream()
        self._register(ref, stream)
        self.life.reading.read_ahead()  # credit and cancel come in while it runs

        async def consume(items: Any) -> None:
            await self._pump(cast("AsyncGenerator[Any, None]", items), stream, ref)

        try:
            if ref is not None:
                await checkpoint()  # what came right behind the message is read now: its credit counts from the first item
            limit = handler.mark.timeout or self.life.limits.handler_time
            result = await self._timed(limit, self.plans[index], incoming, consume)
            if result is not None:  # the interceptor answered in its place
                await self.life.arrive(self.life.framing.answer(result, ref))
            elif ref is not None:
                await self.life.answer_end(ref)
        finally:
            self._forget(ref, stream)

    async def _pump(self, items: AsyncGenerator[Any, None], stream: Stream, ref: Ref | None) -> None:
        life, sent = self.life, 0
        written, write, send, closed = life.framing.item, life.outbox.write, life.outbox.send, Delivery.CLOSED
        try:
            async for item in items:
                if stream.credit is not None:
                    with life.reading.awaiting():
                        await stream.turn()
                frame = written(item, ref)
                if not write(frame) and await send(*event_of(frame)) is closed:
                    return
                sent += 1
                self._uncredited += 1
                if not sent % _BREATH:
                    await checkpoint()
        finally:
            with CancelScope(shield=True):
                await items.aclose()

    def _register(self, ref: Ref | None, stream: Stream) -> None:
        if ref is not None:
            if self.streams is None:
                self.streams = {}
            self.streams[ref] = stream
            if self._early is not None and (items := self._early.pop(ref, None)) is not None:
                stream.grant(items)

    def _forget(self, ref: Ref | None, stream: Stream) -> None:
        if ref is not None and self.streams is not None and self.streams.get(ref) is stream:
            del self.streams[ref]

    def grant(self, ref: Ref, items: int, *, waits: bool) -> None:
        """Let so many more items of a stream through; credit for none that runs, or is to come, is nothing.

        Args:
            ref: The reference of the message that the stream answers.
            items: How many.
            waits: Whether that message waits for its turn.
        """
        stream = self.streams.get(ref) if self.streams is not None else None
        if stream is not None:
            stream.grant(items)
        elif waits:
            early = self._early = self._early or {}
            early[ref] = early.get(ref, 0) + items
            if len(early) > _EARLY:  # some never begin: what is cancelled before, or gives way to a newer message
                del early[next(iter(early))]

    def owes(self) -> bool:
        """Whether an item went out for which no credit came in yet, be its stream over or not; it is one for one frame."""
        owes = self._uncredited > 0
        self._uncredited -= owes
        return owes
