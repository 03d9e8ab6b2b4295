"""Past the `send` and the `receive` of a known server, where that comes to the same: whom we know, and how to write."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .owner import Frame
from .stepping import server_of

logger = logging.getLogger("wscontrollers.session")

TESTED = ("0.54",)
"""The versions of uvicorn whose insides are known: the first two numbers."""

_USED = ("close_sent", "config", "conn", "disconnected", "handshake_complete", "transport", "writable")
"""What is used of uvicorn's protocols to write."""

_USED_TO_READ = ("loop", "queue", "read_paused", "transport")
"""What is used of them to read."""

_DEFLATE = "PerMessageDeflate"
"""The extension on whose connections a message may go uncompressed (RFC 7692, section 6)."""

PLAIN = 1024
"""Up to how many characters or bytes a session's own frame goes uncompressed where permessage-deflate was negotiated: it fits
into one packet either way, and compressing it costs more CPU time than all the rest of the way."""


class DirectWriter:
    """Writes to the transport of one connection.

    Args:
        protocol: Uvicorn's, with the handshake done and nothing amiss (see `fault_of`).

    Attributes:
        plain: Frames of more characters or bytes are better compressed by the server.
    """

    __slots__ = ("_connection", "_open", "_protocol", "_transport", "_writable", "plain")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._connection = protocol.conn
        self._open = protocol.conn.state
        self._transport = protocol.transport
        self._writable = protocol.writable
        self.plain = PLAIN if _compresses(protocol) else sys.maxsize

    def write(self, packet: bytes) -> bool:
        """Write a frame, unless the server's own `send` would wait, fail or drop it.

        Args:
            packet: Its bytes on the wire.

        Returns:
            Whether it was written. If not, nothing was, and `send` tells what is the matter.

        Raises:
            OSError: The connection broke.
        """
        protocol = self._protocol
        if (
            self._connection.state is not self._open
            or protocol.close_sent
            or protocol.disconnected
            or not self._writable.is_set()
            or self._transport.is_closing()
        ):
            return False
        self._transport.write(packet)
        return True


def direct_writer(send: Callable[[Frame], Awaitable[None]]) -> DirectWriter | None:
    """What writes past an ASGI `send` whose handshake is accepted; None if it must not be passed by."""
    fault = fault_of(send)
    if fault is not None:
        logger.debug("frames go through the server's send: %s", fault)
        return None
    return DirectWriter(server_of(send))


def fault_of(send: Callable[[Frame], Awaitable[None]]) -> str | None:
    """Why an ASGI `send` must not be passed by; None if it may be."""
    protocol = server_of(send)
    return _fault_of_server(protocol, _USED) or _fault_of_connection(protocol)


def fault_of_reading(receive: Callable[[], Awaitable[Frame]]) -> str | None:
    """Why an ASGI `receive` must not be passed by; None if it may be."""
    protocol = server_of(receive)
    if fault := _fault_of_server(protocol, _USED_TO_READ):
        return fault
    queue = protocol.queue
    if (kind := queue.__class__) is not asyncio.Queue:
        return f"its queue is a {kind.__name__}"
    return "somebody else receives" if getattr(queue, "_getters", True) else None


def _fault_of_server(protocol: Any, used: Sequence[str]) -> str | None:
    if protocol is None:
        return "it is no known server's own, or a middleware stands around it"
    version = str(getattr(sys.modules.get("uvicorn"), "__version__", "?"))
    if ".".join(version.split(".")[:2]) not in TESTED:
        return f"uvicorn {version} is none of {', '.join(TESTED)}"
    missing = [name for name in used if not hasattr(protocol, name)]
    return f"{type(protocol).__name__} has no {', '.join(missing)}" if missing else None


def _fault_of_connection(protocol: Any) -> str | None:
    connection = protocol.conn
    state = getattr(getattr(connection, "state", None), "name", None)
    if not protocol.handshake_complete or state != "OPEN":
        return f"the connection is {state}"
    if getattr(connection, "expect_continuation_frame", False):
        return "a message is sent in fragments"
    # wsproto keeps its extensions to itself; uvicorn gives it this one alone.
    strange = {type(each).__name__ for each in getattr(connection, "extensions", ())} - {_DEFLATE}
    return f"there are extensions: {', '.join(sorted(strange))}" if strange else None


def _compresses(protocol: Any) -> bool:
    # wsproto does not tell what was negotiated: there it may be.
    extensions: Any = getattr(protocol.conn, "extensions", None)
    return bool(protocol.config.ws_per_message_deflate if extensions is None else extensions)
