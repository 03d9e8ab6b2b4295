"""How much of one message a known server's parser keeps while it comes in; by itself up to 16 MiB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..websockets import ServedWebSocket
from .direct import fault_of_bounds, fault_of_buffer
from .stepping import server_of

_FAR: Final = 4
_LEAST: Final = 256 * 1024
"""A message up to four times as big as it may be, and at least so big, is told by its session what was too much."""


def bound_messages(websocket: ServedWebSocket, size: int | None) -> None:
    """Have a known parser keep little of what is far too big.

    That of websockets ends such a message with 1009 while it still comes in. What uvicorn puts together for wsproto is cut off
    where it is too big in any case, and its end is awaited: the session refuses it then.

    Args:
        websocket: What a session is held on, with the handshake done.
        size: Bytes that a message may have; None bounds nothing.
    """
    protocol = server_of(websocket.send_event)
    if size is None or protocol is None:
        return
    most = max(_FAR * size, _LEAST)
    if fault_of_bounds(protocol) is None:
        connection: Any = protocol.conn
        before: int | None = connection.max_message_size
        connection.max_message_size = most if before is None else min(most, before)
    elif fault_of_buffer(protocol) is None:
        protocol.buffer = _Cutting(protocol.buffer, most)


class _Cutting:
    """Stands in for uvicorn's buffer of a message in parts: keeps nothing behind so many bytes, and counts on.

    Args:
        buffer: Uvicorn's.
        most: How many.
    """

    __slots__ = ("_buffer", "_most", "clear", "to_message")

    def __init__(self, buffer: Any, most: int) -> None:
        self._buffer = buffer
        self._most = most
        self.clear: Callable[[], None] = buffer.clear
        self.to_message: Callable[[], Any] = buffer.to_message

    def extend(self, event: Any) -> None:
        """Take a part; raises uvicorn's exception where the message is too big for uvicorn, too."""
        buffer, data = self._buffer, event.data
        room = self._most + 1 - buffer.length
        if len(data) <= room:
            buffer.extend(event)
            return
        kept, rest = data[: max(0, room)], data[max(0, room) :]
        buffer.length += len(rest.encode() if isinstance(rest, str) else rest)
        if kept or buffer.length > buffer.max_length:
            buffer.extend(event.__class__(data=kept))
