"""One message on its way through its handler: interceptor, plan, call, answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, cast

import anyio
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from ..dependencies import MessagePlan
from ..exceptions import WebSocketDisconnect, WebSocketException
from ..messages import Incoming, Ref
from .delivery import Delivery
from .failures import HandlerTimeoutError, error_of
from .handlers import Handler
from .session import Session
from .streams import Stream
from .wire import event_of

Around = Callable[[Any, Callable[[Any], Awaitable[Any]]], Awaitable[Any]]

_BREATH = 32
"""After how many items a stream lets others run, even if the peer takes them at once."""


class Handling:
    """What the handling of each message of one session needs.

    Args:
        session: Whose messages they are.
        handlers: All handlers.
        plans: The plan of each.
        values: What the handshake's plan made.
        around: The controller's interceptor.
    """

    __slots__ = ("around", "handlers", "plans", "session", "streams", "values")

    def __init__(
        self,
        session: Session[Any, Any],
        handlers: Sequence[Handler],
        plans: Sequence[MessagePlan],
        values: list[Any],
        around: Around | None,
    ) -> None:
        self.session = session
        self.handlers = handlers
        self.plans = plans
        self.values = values
        self.around = around
        self.streams: dict[Ref, Stream] | None = None

    async def handle(self, index: int, incoming: Incoming) -> None:
        """Let a handler handle a message, and answer with what comes of it.

        Raises:
            WebSocketException: The handler wants the session closed with a code.
        """
        handler = self.handlers[index]
        try:
            if handler.is_stream:
                await self._stream(index, handler, incoming)
                return
            plan = self.plans[index]
            limit = handler.mark.timeout or self.session.limits.handler_time
            if self.around is None and limit is None and not plan.steps:
                result = await plan.call(self.values, incoming.message)
            else:
                result = await self._timed(limit, plan, incoming)
            if result is not None:
                session = self.session
                await session.outbox.send(*event_of(session.written(result, incoming.ref)))
            elif incoming.ref is not None:
                await self.session.answer(None, incoming.ref)
        except (WebSocketDisconnect, WebSocketException) as error:
            if isinstance(error, WebSocketException):
                raise
        except Exception as error:
            await self.session.answer_error(error_of(error, handler, incoming.ref, self.session.id))

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
        self.session.reading.read_ahead()  # credit and cancel come in while it runs

        async def consume(items: Any) -> None:
            await self._pump(cast("AsyncGenerator[Any, None]", items), stream, ref)

        try:
            limit = handler.mark.timeout or self.session.limits.handler_time
            result = await self._timed(limit, self.plans[index], incoming, consume)
            if result is not None:  # the interceptor answered in its place
                await self.session.answer(result, ref)
            elif ref is not None:
                await self.session.answer_end(ref)
        finally:
            self._forget(ref, stream)

    async def _pump(self, items: AsyncGenerator[Any, None], stream: Stream, ref: Ref | None) -> None:
        session, sent = self.session, 0
        try:
            async for item in items:
                if stream.credit is not None:
                    with session.reading.awaiting():
                        await stream.turn()
                if await session.answer_item(item, ref) is Delivery.CLOSED:
                    return
                sent += 1
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

    def _forget(self, ref: Ref | None, stream: Stream) -> None:
        if ref is not None and self.streams is not None and self.streams.get(ref) is stream:
            del self.streams[ref]

    def grant(self, ref: Ref, items: int) -> None:
        """Let so many more items of a stream through; credit for none that runs is nothing."""
        stream = self.streams.get(ref) if self.streams is not None else None
        if stream is not None:
            stream.grant(items)
