"""Whether a peer closed its connection, or was lost: servers tell both by one code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from .ending import LOSS
from .stepping import server_behind

NO_STATUS: Final = 1005
"""The code for a close frame without one (RFC 6455, section 7.4.1); uvicorn's for a connection that broke, too."""

_UNKNOWN: Final = object()
_CLOSED: Final = frozenset({"REMOTE_CLOSING", "CLOSED"})
"""What wsproto calls a connection whose peer sent a close frame."""


def code_of(code: int, *ways: Callable[..., Awaitable[Any]]) -> int:
    """The code of a disconnect: that of a loss where the server told one by the code that a close without one has.

    Args:
        code: What the server told.
        ways: See `has_closed`.
    """
    return LOSS if code == NO_STATUS and has_closed(*ways) is False else code


def close_of(*ways: Callable[..., Awaitable[Any]]) -> tuple[int, str] | None:
    """Code and reason of the close frame that the peer sent, as far as the server keeps them; None where none is known.

    Args:
        ways: See `has_closed`.
    """
    if has_closed(*ways) is not True:
        return None
    frame: Any = getattr(getattr(server_behind(*ways), "conn", None), "close_rcvd", None)
    return (NO_STATUS, "") if frame is None else (int(frame.code), str(frame.reason))


def has_closed(*ways: Callable[..., Awaitable[Any]]) -> bool | None:
    """Whether the peer sent a close frame (RFC 6455, section 5.5.1); None where nobody knows.

    Args:
        ways: ASGI's `send` and `receive`: one of them a known server's own, which middleware wraps seldom both, or that of what
            stands in for one and says it in `has_peer_closed`.
    """
    server = server_behind(*ways)
    if server is None:
        told = (getattr(getattr(way, "__self__", None), "has_peer_closed", None) for way in ways)
        return next((each for each in told if isinstance(each, bool)), None)
    connection: Any = getattr(server, "conn", None)
    received: object = getattr(connection, "close_rcvd", _UNKNOWN)  # of websockets
    if received is not _UNKNOWN:
        return received is not None
    state: object = getattr(getattr(connection, "state", None), "name", None)  # of wsproto
    return state in _CLOSED if isinstance(state, str) else None
