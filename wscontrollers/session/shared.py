"""A frame that goes to many sessions: written once for all of them."""

from __future__ import annotations

from .owner import Frame
from .packing import packed
from .wire import event_of


class SharedFrame:
    """One frame for many sessions.

    Args:
        frame: A text frame's text, or a binary frame's bytes.

    Attributes:
        event: The ASGI event that sends it; whoever may change events is given a copy.
        frame: The same frame.
        size: How many bytes it is.
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
            packet = self._packet = packed(self.frame)
        return packet
