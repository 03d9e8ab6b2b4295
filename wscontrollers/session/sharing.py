"""How much of the event loop one connection may have for the frames that its server's parser reads."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

from ..websockets import ServedWebSocket
from .direct import StandIn, fault_of_sharing
from .stepping import server_of

PORTION: Final = 2048
"""Bytes that the parser is given at once: a few hundred of the smallest frames."""

_FEW: Final = 256
"""Bytes of a read that are worth no look at the clock: whatever is in them takes less than a turn."""

_TURN: Final = 0.005
"""Seconds that a connection may have at once, without a rest."""

_REST: Final = 3
"""How many times as long it rests: it has a quarter of the event loop."""

_MOST: Final = 1024 * 1024
"""Bytes that wait meanwhile, which are far more than a client whose reading is paused can have sent."""

_OWED: Final = 64 * 1024
"""Bytes of answers to pings that may wait for a client which reads none; then it is not read from until it does."""

_UNTIL_READ: Final = 0.1
"""Seconds between two looks at whether it does."""


class Share(StandIn):
    """Stands before the parser of one connection of a known server, and gives it what came in portions.

    A control frame, a fragment or a frame behind the close costs its client six bytes, and a parser in Python some 25 µs. None of
    them is a message, so no limit of messages counts them. Whoever has the parser work for more than `_TURN` seconds at once is
    not read from for `_REST` times as long; neither is one that pings and reads no answer.

    Args:
        protocol: Uvicorn's; it is asked for at its transport, for it holds this.
    """

    __slots__ = ("_owed", "_received", "_transport", "_waiting")

    def __init__(self, protocol: Any) -> None:
        self._received: Callable[[Any, bytes], None] = protocol.__class__.data_received
        self._transport: Any = protocol.transport
        self._waiting: bytearray | None = None
        self._owed = 0
        protocol.data_received = self.data_received
        protocol.transport.set_protocol(protocol)  # uvloop looks the method up here, and not with each read

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for its portion: it comes before all that arrives."""
        return self._waiting is not None

    def data_received(self, data: bytes) -> None:
        """What came with one read, or what of it is left to the parser."""
        if self._waiting is None:
            protocol = self._transport.get_protocol()
            if len(data) <= _FEW and protocol is not None and self._transport.get_write_buffer_size() <= _OWED:
                self._received(protocol, data)
            else:
                self._feed(data)
            return
        self._waiting += data
        if len(self._waiting) > _MOST:
            self._transport.abort()
        else:
            self._transport.pause_reading()

    def _feed(self, data: bytes | bytearray) -> None:
        protocol = self._transport.get_protocol()
        if protocol is None:
            return
        front, unread = protocol.data_received, self._transport.get_write_buffer_size
        begun, start, end, before = perf_counter(), 0, len(data), unread()
        while start < end:
            self._received(protocol, bytes(data[start : start + PORTION]))
            start += PORTION
            took = perf_counter() - begun
            if self._transport.is_closing():
                return  # nobody hears of the rest
            if protocol.data_received != front and start < end:
                protocol.data_received(bytes(data[start:]))  # the first message came, and now most need no parser
                return
            after = unread()
            self._owed = self._owed + max(0, after - before) if after > _OWED else 0
            before = after
            if took >= _TURN or self._owed > _OWED:
                self._rest(protocol, bytearray(data[start:]), took)
                return

    def _rest(self, protocol: Any, waiting: bytearray, took: float) -> None:
        self._waiting = waiting
        self._transport.pause_reading()
        # Whoever takes the last message would have the server read on.
        protocol.read_paused = False
        if hasattr(protocol.queue, "is_spared"):
            protocol.queue.is_spared = False
        protocol.loop.call_later(took * _REST, self._go_on)

    def _go_on(self) -> None:
        protocol = self._transport.get_protocol()
        if protocol is None or self._transport.is_closing():
            self._waiting = None
            return
        if self._owed > _OWED and self._transport.get_write_buffer_size() > _OWED:
            protocol.loop.call_later(_UNTIL_READ, self._go_on)
            return
        waiting, self._waiting = self._waiting, None
        if waiting:
            self._feed(waiting)
        if self._waiting is not None or protocol.read_paused:
            return
        if protocol.queue.empty():
            self._transport.resume_reading()
        else:
            protocol.read_paused = True


def share(protocol: Any) -> None:
    """Have a connection of a known server share the event loop, if its insides are known."""
    if fault_of_sharing(protocol) is None:
        Share(protocol)


def share_with(websocket: ServedWebSocket) -> None:
    """The same for the connection of what a session is held on."""
    protocol = server_of(websocket.send_event)
    if protocol is not None:
        share(protocol)
