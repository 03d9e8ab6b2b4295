"""The last of a connection: a peer that has stopped reading holds what is left for it, and is not waited for without end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from .owner import Frame
from .stepping import server_behind, server_of

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


def break_off(*ways: Callable[..., Awaitable[Any]]) -> None:
    """Break a known server's connection that it closes by itself, where its peer holds it open: it reads nothing of what waits.

    So does uvicorn at its ping time-out. It tells nobody before the connection is gone, and that of a peer which is not there
    any more would be when the kernel gives up.

    Args:
        ways: ASGI's `send` and `receive`, one of which is known.
    """
    server = server_behind(*ways)
    transport, queue = getattr(server, "transport", None), getattr(server, "queue", None)
    if transport is None or queue is None or not transport.is_closing():
        return
    if transport.get_write_buffer_size() and queue.empty():  # else its end is told, and there is time for the close
        transport.abort()


def unread_by(send: Callable[[Frame], Awaitable[None]]) -> int:
    """Bytes that wait in a known server's transport for the peer to read; 0 where nothing is known of it."""
    transport: Any = getattr(server_of(send), "transport", None)
    return 0 if transport is None else int(transport.get_write_buffer_size())


def _break(transport: Any) -> None:
    if transport.get_write_buffer_size():
        transport.abort()
