"""A frame that goes to many sessions: written once for all of them."""

from __future__ import annotations

from struct import Struct

from .owner import Frame
from .wire import event_of

_TEXT, _BINARY = 0x81, 0x82
"""The first byte of a message that is one text frame, or one binary frame, without an extension's bits."""

_SHORT, _MEDIUM, _LONG = Struct("!BB"), Struct("!BBH"), Struct("!BBQ")


class SharedFrame:
    """One frame for many sessions.

    Args:
        frame: A text frame's text, or a binary frame's bytes.

    Attributes:
        event: The ASGI event that sends it; whoever may change events is given a copy.
        frame: The same frame.
        size: About how many bytes it is.
    """

    __slots__ = ("_packet", "event", "frame", "size")

    def __init__(self, frame: str | bytes) -> None:
        self.frame = frame
        self.event: Frame
        self.event, self.size = event_of(frame)
        self._packet: bytes | None = None

    @property
    def packet(self) -> bytes:
        """As a server puts it on the wire: header and payload, unmasked and not compressed (RFC 6455, section 5.2)."""
        packet = self._packet
        if packet is None:
            packet = self._packet = _packed(self.frame)
        return packet


def _packed(frame: str | bytes) -> bytes:
    kind, payload = (_TEXT, frame.encode()) if isinstance(frame, str) else (_BINARY, frame)
    size = len(payload)
    if size < 126:
        return _SHORT.pack(kind, size) + payload
    if size < 65_536:
        return _MEDIUM.pack(kind, 126, size) + payload
    return _LONG.pack(kind, 127, size) + payload
