"""A frame as a client puts it on the wire, read past a known server's parser where that comes to the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from ..logs import logger_of
from .direct import StandIn, fault_of_unpacking
from .owner import Frame

logger = logger_of("wscontrollers.session")

_TEXT, _BINARY = 0x81, 0x82
"""The first byte of a message that is one text frame, or one binary frame, without an extension's bits (RFC 6455, 5.2)."""

_MASKED = 0x80
"""The bit in the second byte that every frame of a client has (RFC 6455, section 5.1)."""

_MEDIUM = 126
"""What stands in place of the size where that takes two bytes more."""

_LARGEST = 65_535
"""The largest size in two bytes; longer messages are rare, and left to the parser."""


class Taker(Protocol):
    """Where messages go."""

    def take(self, event: Frame) -> None:
        """Take one, and stop reading where nobody waits for it."""
        ...


class Unpacking:
    """Stands in for the `data_received` of one connection of uvicorn's, and reads most messages for a fifth of what that takes.

    A message that is simple, one whole frame in what came with one read, is told by its first bytes. From the first byte on that
    is anything else (a control frame, a fragment, a compressed message, the rest of one that did not come whole, or an error of
    the protocol) uvicorn and its parser have the rest, and go on to have all until they wait for the first byte of a frame again.
    One thing differs: of a read with an error of the protocol in it uvicorn throws all away, and here what stands before that is
    taken, as uvicorn does where it came in a read of its own.

    Args:
        protocol: Uvicorn's.
        taker: Who is told of messages.
    """

    __slots__ = ("_connection", "_limit", "_mask", "_parser_waits", "_protocol", "_received", "_share", "_taker")

    def __init__(self, protocol: Any, taker: Taker) -> None:
        connection = protocol.conn
        self._protocol = protocol
        self._connection: Any = connection
        self._taker = taker
        self._mask: Callable[[bytes, bytes], bytes] = _apply_mask()
        limits = (connection.max_message_size, connection.max_fragment_size, _LARGEST)
        self._limit: int = min(limit for limit in limits if limit is not None)
        self._parser_waits = _waits_for_a_frame(connection)
        self._received: Callable[[bytes], None] = protocol.data_received
        before: object = getattr(self._received, "__self__", None)
        self._share = before if isinstance(before, StandIn) else None
        protocol.data_received = self.data_received
        protocol.transport.set_protocol(protocol)  # uvloop looks the method up here, and not with each read

    def data_received(self, data: bytes) -> None:
        """What came with one read; called by the transport."""
        if not self._parser_waits or self._protocol.close_sent:
            self._leave_to_uvicorn(data)
            return
        mask, take = self._mask, self._taker.take
        start, end = 0, len(data)
        while end - start > 5:  # two bytes of a header and four of a mask
            kind, size = data[start], data[start + 1] - _MASKED
            if kind != _TEXT and kind != _BINARY:
                break
            begin = start + 6
            if size == _MEDIUM and end - start > 7:
                size = data[start + 2] << 8 | data[start + 3]
                begin += 2
            elif not 0 <= size < _MEDIUM:
                break
            stop = begin + size
            if stop > end or size > self._limit:
                break
            payload = mask(data[begin:stop], data[begin - 4 : begin])
            if kind == _BINARY:
                take({"type": "websocket.receive", "bytes": payload})
            else:
                try:
                    text = payload.decode()
                except UnicodeDecodeError:
                    break  # uvicorn answers it
                take({"type": "websocket.receive", "text": text})
            start = stop
        if start != end:
            self._leave_to_uvicorn(data[start:] if start else data)

    def release(self) -> None:
        """Leave everything to the parser from now on, and hold nothing that holds this."""
        protocol = self._protocol
        del self._taker, self._protocol, protocol.data_received
        if self._share is not None:
            protocol.data_received = self._received
        if not protocol.transport.is_closing():
            protocol.transport.set_protocol(protocol)

    def _leave_to_uvicorn(self, data: bytes) -> None:
        self._received(data)
        self._parser_waits = not (self._share and self._share.is_waiting) and _waits_for_a_frame(self._connection)


def unpacking_for(protocol: Any, taker: Taker) -> Unpacking | None:
    """Reads what one connection of uvicorn receives, from now on; None if its parser must not be passed by."""
    fault = fault_of_unpacking(protocol)
    if fault is not None:
        logger.debug("frames come through the server's parser: %s", fault)
        return None
    return Unpacking(protocol, taker)


def _waits_for_a_frame(connection: Any) -> bool:
    """Whether a parser has read all that it was given, and what comes next is the first byte of a message."""
    if connection.current_size is not None or connection.state._name_ != "OPEN":
        return False  # a message is coming in fragments, or a close came, or what came was faulty
    parser: Any = connection.parser  # a generator, and those that it delegates to
    while parser is not None and parser.gi_code is not _at_the_end():
        parser = parser.gi_yieldfrom
    return parser is not None


@cache
def _at_the_end() -> Any:
    from websockets.streams import StreamReader  # loaded by the server already, and only with it

    return StreamReader.at_eof.__code__


@cache
def _apply_mask() -> Any:
    from websockets import frames  # see above

    module: Any = frames
    return module.apply_mask  # the one in C where there is one
