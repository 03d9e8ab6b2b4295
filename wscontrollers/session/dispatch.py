"""Messages to their handlers, in the order that each handler asks for."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Mapping
from typing import Any, cast

from anyio import CancelScope, Event
from anyio.lowlevel import checkpoint

from ..declare import Per
from ..messages import Cancel, Credit, Incoming, Recover, Ref
from .controls import Controls
from .failures import cancelled
from .handlers import Handler, Handlers
from .handling import Handling
from .loops import current_task
from .wire import event_of


class Running:
    """One message that is handled in a task of its own."""

    __slots__ = ("before", "done", "incoming", "index", "is_cancelled", "is_stream", "key", "scope")

    def __init__(self, index: int, incoming: Incoming, key: object, *, is_stream: bool) -> None:
        self.index = index
        self.incoming = incoming
        self.key = key
        self.is_stream = is_stream
        self.before: Running | None = None
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

    __slots__ = (
        "_by_tag",
        "_cancelled",
        "_current",
        "_freed",
        "_handlers",
        "_handling",
        "_last",
        "_life",
        "_running",
        "_send",
    )

    def __init__(self, handlers: Handlers, handling: Handling) -> None:
        self._handlers = handlers
        self._handling = handling
        self._life = handling.life
        self._by_tag: Mapping[str, int] = handlers.by_tag
        life = handling.life
        self._send = life.deliver if life.framing.must_arrive else life.outbox.send
        self._current: Incoming | None = None
        self._cancelled: Incoming | None = None
        self._running: dict[Running, None] | None = None
        self._last: dict[tuple[int, object], Running] | None = None
        self._freed: Event | None = None

    async def run(self) -> None:
        """Handle messages until the session has ended, or one that is handled is cancelled: then it is called again."""
        life = self._life
        life.controls = self
        with life.interruption(), self._handling.shielding() as shield:
            if self._cancelled is not None:
                await self._answer_cancelled()
            # What follows is one coroutine on purpose: all that are below a session are passed with every message, and most
            # messages come the short way through it.
            reading, handling, task = life.reading, self._handling, current_task()
            by_tag, calls, values = self._by_tag, handling.calls(shield), handling.values
            answer, write, send = life.framing.answer, life.outbox.write, self._send
            while True:
                if reading.parks(task):
                    try:
                        receive = reading.receive  # no method: see `Intake.arrived`
                        frame = await receive()
                        reading.parked = None
                        arrived = reading.arrived
                        incoming = arrived(frame)
                    except CancelledError:
                        if not reading.took_wake_up(task):
                            raise
                        break
                    finally:
                        reading.parked = reading.waiter = None
                    if incoming is None:
                        continue
                elif (incoming := await reading.next()) is None:
                    break
                index = by_tag[incoming.tag]
                call = calls[index]
                if call is None:
                    await self._take(index, incoming, shield)
                    continue
                self._current = incoming
                try:
                    answered = answer(await call(values, incoming.message), incoming.ref)
                    self._current = None  # from here on a cancel comes too late: it would be a second answer
                    if answered is not None and not write(answered):
                        await (send if self._cancelled is None else life.deliver)(*event_of(answered))
                except BaseException as left:
                    if isinstance(left, Exception):
                        self._current = None
                    await handling.failed(left, index, incoming)
                    self._current = None
                if self._cancelled is not None:
                    await checkpoint()  # a cancel that came too late ends here, and not in the next message
            while self._running and life.has_grace:
                await self._one_less()  # when their grace is over this is interrupted

    async def finish(self) -> None:
        """Cancel what runs, and wait for it."""
        for running in self._running or ():
            running.scope.cancel()
        while self._running:
            await self._one_less()

    async def _take(self, index: int, incoming: Incoming, shield: CancelScope | None) -> None:
        handler = self._handlers.all[index]
        if handler.mark.order != "serial":
            await self._spread(index, handler, incoming)
            return
        self._current = incoming
        await self._handling.handle(index, incoming, shield)
        self._current = None
        if self._cancelled is not None:
            await checkpoint()  # see above

    # Control frames

    def control(self, frame: Cancel | Credit | Recover) -> None:
        """Cancel what runs, or let more items of a stream through."""
        if isinstance(frame, Credit):
            self._handling.grant(frame.re, frame.n, waits=self._is_stream_to_come(frame.re))
        elif isinstance(frame, Cancel):
            self._cancel(frame.re)

    def _is_stream_to_come(self, ref: Ref) -> bool:
        """Whether a message with this reference, which a stream answers, has come in and waits for its turn."""
        if any(running.is_stream and running.incoming.ref == ref for running in self._running or ()):
            return True
        handlers = self._handlers.all
        return any(each.ref == ref and handlers[self._by_tag[each.tag]].is_stream for each in self._life.reading.waiting)

    def owes(self) -> bool:
        """See `Controls.owes`."""
        return self._handling.owes()

    def _cancel(self, ref: Ref) -> None:
        if self._current is not None and self._current.ref == ref:
            self._cancelled = self._current
            self._life.interrupt()
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
            await self._life.answer_end(incoming.ref)
        else:
            await self._life.answer_error(cancelled(incoming.ref))

    # Tasks

    async def _spread(self, index: int, handler: Handler, incoming: Incoming) -> None:
        order = handler.mark.order
        while sum(running.index == index for running in self._running or ()) >= handler.mark.limit:
            await self._one_less()
        try:
            key = self._key(order.key, incoming) if isinstance(order, Per) else None
        except TypeError as error:
            await self._handling.failed(error, index, incoming)
            return
        running = Running(index, incoming, key, is_stream=handler.is_stream)
        if order != "concurrent":
            before = running.before = self._follow(running)
            if order == "latest" and before is not None:
                before.is_stream = False  # the newer message takes its place: that is no end
                before.cancel()
        if self._running is None:
            self._running = {}
        self._running[running] = None
        self._life.start(self._task, running)

    def _key(self, name: str, incoming: Incoming) -> object:
        message: Any = incoming.message
        if isinstance(message, dict):
            found: Any = cast("dict[str, Any]", message).get(name)
        else:
            found = getattr(message, name, None)
        key: object = self._life.websocket.path_params.get(name) if found is None else found
        try:
            hash(key)
        except TypeError as error:
            raise TypeError(
                f"order=per({name!r}): a {type(key).__name__} came, which has no hash. Fix: name a field whose type says that it "
                "is one value, such as a text or a number."
            ) from error
        return key

    def _follow(self, running: Running) -> Running | None:
        if self._last is None:
            self._last = {}
        place = (running.index, running.key)
        before = self._last.get(place)
        self._last[place] = running
        return before

    async def _task(self, running: Running) -> None:
        try:
            with running.scope:
                while running.before is not None:  # one that was cancelled while it waited is done before those it waited for
                    await running.before.done.wait()
                    running.before = running.before.before
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
            if running.before is None:
                del self._last[place]
            else:
                self._last[place] = running.before
        if self._freed is not None:
            self._freed.set()
            self._freed = None

    async def _one_less(self) -> None:
        if self._freed is None:
            self._freed = Event()
        await self._freed.wait()
