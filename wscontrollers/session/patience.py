"""What a known server cannot know of a connection that is not read from: whether its peer is there, and what it answered."""

from __future__ import annotations

import select
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from .direct import TESTED
from .owner import Frame
from .stepping import server_of

_USED = ("disconnected", "pong_timer", "schedule_ping", "transport")
"""What is used of uvicorn's protocols."""


def protocol_of(send: Callable[[Frame], Awaitable[None]]) -> Any:
    """The connection behind an ASGI `send`, if its insides are known; None if not."""
    protocol = server_of(send)
    version = str(getattr(sys.modules.get("uvicorn"), "__version__", "?"))
    is_known = ".".join(version.split(".")[:2]) in TESTED and all(hasattr(protocol, name) for name in _USED)
    return protocol if is_known else None


def is_gone(protocol: Any) -> bool:
    """Whether the peer is gone, or the server has closed, though nothing was read that says so.

    Args:
        protocol: Uvicorn's (see `protocol_of`).
    """
    transport = protocol.transport
    return protocol.disconnected or transport.is_closing() or _is_broken(transport.get_extra_info("socket"))


def spare(protocol: Any) -> None:
    """Wait for no pong: it may lie behind what is not read. Another ping is sent in its time, so the kernel goes on trying."""
    timer = protocol.pong_timer
    if timer is not None:
        timer.cancel()
        protocol.pong_timer = None
        protocol.schedule_ping()


def _is_broken(socket: Any) -> bool:
    # What is not read from is not in the event loop's selector, and so nobody hears of a reset.
    if socket is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(socket.fileno(), 0)  # errors and hang-ups are told without being asked for
    return bool(poll.poll(0))
