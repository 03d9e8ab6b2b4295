"""Whether a peer closed its connection, or was lost: servers tell both by one code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from .owner import Frame
from .stepping import server_of

NO_STATUS: Final = 1005
"""The code for a close frame without one (RFC 6455, section 7.4.1); uvicorn's for a connection that broke, too."""

_UNKNOWN: Final = object()
_CLOSED: Final = frozenset({"REMOTE_CLOSING", "CLOSED"})
"""What wsproto calls a connection whose peer sent a close frame."""


def has_closed(send: Callable[[Frame], Awaitable[None]]) -> bool | None:
    """Whether the peer sent a close frame (RFC 6455, section 5.5.1); None where nobody knows.

    Args:
        send: ASGI's: a known server's own, or that of what stands in for one, which says it in `has_peer_closed`.
    """
    server = server_of(send)
    if server is None:
        told: object = getattr(getattr(send, "__self__", None), "has_peer_closed", None)
        return told if isinstance(told, bool) else None
    connection: Any = getattr(server, "conn", None)
    received: object = getattr(connection, "close_rcvd", _UNKNOWN)  # of websockets
    if received is not _UNKNOWN:
        return received is not None
    state: object = getattr(getattr(connection, "state", None), "name", None)  # of wsproto
    return state in _CLOSED if isinstance(state, str) else None
