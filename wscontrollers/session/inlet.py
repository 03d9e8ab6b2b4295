"""What a known server receives, taken from where it puts it, past its `receive`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ..logs import logger_of
from .direct import fault_of_reading
from .owner import Frame
from .sharing import share
from .stepping import server_of
from .unpacking import Unpacking, unpacking_for

logger = logger_of("wscontrollers.session")


class Inlet:
    """Stands in for the queue of one connection of uvicorn's, and does what its `receive` does, for less.

    Uvicorn stops reading from the transport with each message that arrives, and goes on when the message is taken and no other
    one waits. Where somebody waits for a message and none lies before it, it is taken in the next turn of the event loop: the
    transport need not be told. So uvicorn finds that reading is paused when the first one arrives, and does not pause it; when a
    second one comes before that is taken, it is paused indeed. Whoever has taken a message leaves all as `receive` leaves it.

    Args:
        protocol: Uvicorn's; nobody waits for its queue.

    Attributes:
        is_spared: Whether uvicorn believes that reading is paused, and it is not.
    """

    __slots__ = ("_event", "_is_silent", "_loop", "_more", "_protocol", "_unpacking", "_waiter", "is_spared")

    def __init__(self, protocol: Any) -> None:
        self._protocol: Any = protocol
        self._loop: asyncio.AbstractEventLoop = protocol.loop
        self._event: Frame | None = None  # the first one; most are alone, and an idle session needs no queue
        self._more: deque[Frame] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.is_spared = False
        while not protocol.queue.empty():
            self.take(protocol.queue.get_nowait())
        protocol.queue = self
        self._is_silent = True  # no message has come yet
        self._unpacking: Unpacking | None = None

    def put_nowait(self, event: Frame) -> None:
        """Take an event; called by uvicorn, which then finds that reading is paused."""
        self.take(event)
        # An idle session has nothing to unpack, so whatever does it is made with the first message.
        if self._is_silent and self._protocol is not None and event["type"] == "websocket.receive":
            self._is_silent = False
            share(self._protocol)
            self._unpacking = unpacking_for(self._protocol, self)

    def take(self, event: Frame) -> None:
        """Take an event, and stop reading where it is a message that nobody waits for."""
        if self._event is None:
            self._event = event
        elif self._more is None:
            self._more = deque((event,))
        else:
            self._more.append(event)
        protocol = self._protocol
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)
            if protocol is not None and not protocol.read_paused:
                protocol.read_paused = self.is_spared = True
        elif self.is_spared:
            self.is_spared = False
            protocol.transport.pause_reading()  # as uvicorn believes
        elif protocol is not None and not protocol.read_paused and event["type"] == "websocket.receive":
            protocol.read_paused = True
            protocol.transport.pause_reading()

    async def receive(self) -> Frame:
        """The next event; what uvicorn's `receive` returns."""
        protocol = self._protocol  # who waits behind the end of the session has reading go on all the same
        while (event := self._event) is None:
            if self._waiter is not None:
                await asyncio.wait((self._waiter,))  # somebody else is before
                continue
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            except BaseException:
                self._give_up(waiter)
                raise
        if self._more:
            self._event = self._more.popleft()
            return event
        self._event = self._more = None
        if self.is_spared:
            self.is_spared = protocol.read_paused = False
        elif protocol is not None and protocol.read_paused:
            protocol.read_paused = False
            protocol.transport.resume_reading()
        return event

    get = receive
    """For uvicorn's own `receive`, where somebody calls that."""

    def empty(self) -> bool:
        """Whether no event waits."""
        return self._event is None

    @property
    def source(self) -> Callable[[], Awaitable[Frame]]:
        """Uvicorn's own `receive`."""
        receive: Callable[[], Awaitable[Frame]] = self._protocol.receive
        return receive

    def release(self) -> Callable[[], Awaitable[Frame]]:
        """Be a queue and nothing more, which holds no connection that holds it; returns uvicorn's own `receive`."""
        self._settle()
        if self._unpacking is not None:
            self._unpacking.release()
            self._unpacking = None
        receive = self.source
        self._protocol = None
        return receive

    def _give_up(self, waiter: asyncio.Future[None]) -> None:
        if self._waiter is waiter:
            self._waiter = None
        waiter.cancel()  # who is behind is the first now
        self._settle()

    def _settle(self) -> None:
        """Pause what was spared of it: nobody takes the message that came."""
        if self.is_spared:
            self.is_spared = False
            protocol = self._protocol
            protocol.read_paused = self._event is not None and self._event["type"] == "websocket.receive"
            if protocol.read_paused:
                protocol.transport.pause_reading()


def inlet_of(receive: Callable[[], Awaitable[Frame]]) -> Inlet | None:
    """What takes from where an ASGI `receive` takes, from now on; None if that must not be passed by."""
    fault = fault_of_reading(receive)
    if fault is not None:
        logger.debug("frames come through the server's receive: %s", fault)
        return None
    return Inlet(server_of(receive))
