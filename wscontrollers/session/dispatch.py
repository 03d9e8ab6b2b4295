"""Messages to their handlers, in the order that each handler asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from anyio import CancelScope, Event
from anyio.lowlevel import checkpoint

from ..declare import Per
from ..messages import Cancel, Credit, Incoming, Recover, Ref
from .failures import cancelled
from .handlers import Handler, Handlers
from .handling import Handling
from .life import Controls


class Running:
    """One message that is handled in a task of its own."""

    __slots__ = ("done", "incoming", "index", "is_cancelled", "is_stream", "key", "scope")

    def __init__(self, index: int, incoming: Incoming, key: object, *, is_stream: bool) -> None:
        self.index = index
        self.incoming = incoming
        self.key = key
        self.is_stream = is_stream
        self.is_cancelled = False
        self.scope = CancelScope()
        self.done = Event()

    def cancel(self) -> None:
        """Cancel it, and let the client know."""
        self.is_cancelled = True
        self.scope.cancel()


class Dispatcher(Controls):
    """Hands the messages of one session to its handlers.

    Serial handlers run in the session's own task. The others have a task for each message; where as many run as the handler's
    limit allows, the loop waits, and so does reading.

    Args:
        handlers: All handlers of the controller.
        handling: What handles one message.
    """

    __slots__ = ("_cancelled", "_current", "_freed", "_handlers", "_handling", "_last", "_running", "_session")

    def __init__(self, handlers: Handlers, handling: Handling) -> None:
        self._handlers = handlers
        self._handling = handling
        self._session = handling.session
        self._current: Incoming | None = None
        self._cancelled: Incoming | None = None
        self._running: dict[Running, None] | None = None
        self._last: dict[tuple[int, object], Running] | None = None
        self._freed: Event | None = None

    async def run(self) -> None:
        """Handle messages until the session has ended and what runs is finished, or cancelled with it."""
        session = self._session
        session.controls = self
        while True:
            await session.interruptible(self._loop)
            if session.ended is not None or session.failure is not None:
                break
        for running in self._running or ():
            running.scope.cancel()
        while self._running:
            await self._one_less()

    async def _loop(self) -> None:
        by_tag: Mapping[str, int] = self._handlers.by_tag
        are_serial, handle, reading = self._handlers.are_serial, self._handling.handle, self._session.reading
        if self._cancelled is not None:
            await self._answer_cancelled()
        while (incoming := await reading.next()) is not None:
            index = by_tag[incoming.tag]
            if are_serial[index]:
                self._current = incoming
                await handle(index, incoming)
                self._current = None
                if self._cancelled is not None:
                    await checkpoint()  # a cancel that came too late ends here, and not in the next message
            else:
                await self._spread(index, self._handlers.all[index], incoming)
        ended = self._session.ended
        while self._running and ended is not None and ended.by == "server":
            await self._one_less()  # their grace; when it is over this is interrupted

    # Control frames

    def control(self, frame: Cancel | Credit | Recover) -> None:
        """Cancel what runs, or let more items of a stream through."""
        if isinstance(frame, Credit):
            self._handling.grant(frame.re, frame.n)
        elif isinstance(frame, Cancel):
            self._cancel(frame.re)

    def _cancel(self, ref: Ref) -> None:
        if self._current is not None and self._current.ref == ref:
            self._cancelled = self._current
            self._session.interrupt()
            return
        for running in self._running or ():
            if running.incoming.ref == ref:
                running.cancel()

    async def _answer_cancelled(self) -> None:
        """Answer the serial message that was cancelled, unless it had come to its end by itself."""
        incoming, self._cancelled = self._cancelled, None
        if incoming is not None and self._current is incoming:
            self._current = None
            is_stream = self._handlers.all[self._handlers.by_tag[incoming.tag]].is_stream
            await self._tell_cancelled(incoming, is_stream=is_stream)

    async def _tell_cancelled(self, incoming: Incoming, *, is_stream: bool) -> None:
        if is_stream and incoming.ref is not None:
            await self._session.answer_end(incoming.ref)
        else:
            await self._session.answer_error(cancelled(incoming.ref))

    # Tasks

    async def _spread(self, index: int, handler: Handler, incoming: Incoming) -> None:
        order = handler.mark.order
        while sum(running.index == index for running in self._running or ()) >= handler.mark.limit:
            await self._one_less()
        key = self._key(order.key, incoming) if isinstance(order, Per) else None
        running = Running(index, incoming, key, is_stream=handler.is_stream)
        before = None
        if order != "concurrent":
            before = self._follow(running)
            if order == "latest" and before is not None:
                before.is_stream = False  # the newer message takes its place: that is no end
                before.cancel()
        if self._running is None:
            self._running = {}
        self._running[running] = None
        self._session.start(self._task, running, before)

    def _key(self, name: str, incoming: Incoming) -> object:
        message: Any = incoming.message
        if isinstance(message, dict):
            found: Any = cast("dict[str, Any]", message).get(name)
        else:
            found = getattr(message, name, None)
        return self._session.websocket.path_params.get(name) if found is None else found

    def _follow(self, running: Running) -> Running | None:
        if self._last is None:
            self._last = {}
        place = (running.index, running.key)
        before = self._last.get(place)
        self._last[place] = running
        return before

    async def _task(self, running: Running, before: Running | None) -> None:
        try:
            with running.scope:
                if before is not None:
                    await before.done.wait()
                await self._handling.handle(running.index, running.incoming)
            if running.is_cancelled and running.scope.cancelled_caught:
                await self._tell_cancelled(running.incoming, is_stream=running.is_stream)
        finally:
            self._finished(running)

    def _finished(self, running: Running) -> None:
        running.done.set()
        if self._running is not None:
            self._running.pop(running, None)
        place = (running.index, running.key)
        if self._last is not None and self._last.get(place) is running:
            del self._last[place]
        if self._freed is not None:
            self._freed.set()
            self._freed = None

    async def _one_less(self) -> None:
        if self._freed is None:
            self._freed = Event()
        await self._freed.wait()
