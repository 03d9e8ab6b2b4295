"""Past a known server for a WebSocket on which no session is held, as sessions go, where that comes to the same."""

from __future__ import annotations

from typing import Any

from ..logs import logger_of
from ..websockets import ServedWebSocket, Way
from .direct import DirectWriter, direct_writer, fault_of_reading
from .inlet import Inlet
from .packing import packed
from .stepping import server_of

logger = logger_of("wscontrollers.session")


class Past(Inlet):
    """Both ways past the server: its inlet, and what writes to its transport, which is made with the first frame.

    Args:
        protocol: Uvicorn's, with the handshake done.
    """

    __slots__ = ("_may_write", "_writer")

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        self._may_write = True
        self._writer: DirectWriter | None = None

    def write(self, frame: str | bytes) -> bool:
        """Write a frame, unless the server's own `send` would wait, fail, drop or compress it.

        Args:
            frame: A text frame's text, or a binary frame's bytes.

        Returns:
            Whether it was written. If not, nothing was.

        Raises:
            OSError: The connection broke.
        """
        writer = self._writer
        if writer is None:
            if not self._may_write or self._protocol is None:
                return False
            writer = self._writer = direct_writer(self._protocol.send)
            if writer is None:
                self._may_write = False
                return False
        return len(frame) <= writer.plain and writer.write(packed(frame))

    def leave(self, websocket: ServedWebSocket) -> None:
        """Go by the server again, behind the endpoint."""
        websocket.way = self._writer = None
        websocket.read_by(self.release())


def way_past(websocket: ServedWebSocket) -> Way | None:
    """Have a WebSocket whose handshake was just accepted receive past its server, and return what sends past it."""
    protocol = server_of(websocket.receive_event)
    fault = fault_of_reading(websocket.receive_event)
    if fault is None and server_of(websocket.send_event) is not protocol:
        fault = "a middleware stands around its send"
    if fault is not None:
        logger.debug("frames go through the server: %s", fault)
        return None
    past = Past(protocol)
    websocket.read_by(past.receive)
    return past
