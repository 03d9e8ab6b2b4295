"""The last of a connection: a peer that has stopped reading holds what is left for it, and is not waited for without end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from .owner import Frame
from .stepping import server_of

CLOSE_TIME: Final = 5.0
"""Seconds that the close frame has to go out, and what was written before it; then the connection is broken."""


def hang_up(send: Callable[[Frame], Awaitable[None]], within: float) -> None:
    """See to it that a known server's connection is gone in time; of another server's nothing is known.

    To close a transport is to write first what lies in its buffer. So that of a peer that does not read is never closed, and a
    server that waits for its connections does not end.

    Args:
        send: ASGI's.
        within: Seconds that what was written has to leave the process; 0 breaks the connection now.
    """
    transport: Any = getattr(server_of(send), "transport", None)
    if transport is None:
        return
    if within <= 0:
        transport.abort()
    elif transport.get_write_buffer_size():
        asyncio.get_running_loop().call_later(within, _break, transport)


def unread_by(send: Callable[[Frame], Awaitable[None]]) -> int:
    """Bytes that wait in a known server's transport for the peer to read; 0 where nothing is known of it."""
    transport: Any = getattr(server_of(send), "transport", None)
    return 0 if transport is None else int(transport.get_write_buffer_size())


def _break(transport: Any) -> None:
    if transport.get_write_buffer_size():
        transport.abort()
