"""A WebSocket on which no session is held, and its peer that may stop reading: nobody else looks at how its writes get on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Scope

from .clock import clock_of
from .parting import CLOSE_TIME
from .stepping import server_behind
from .watch import Watch, watch_of


class StallGuard:
    """Breaks off the connection of a known server whose peer has taken nothing of what waits for it for too long.

    Who waits to send then hears that the peer is gone. Else it would wait for ever, and so would the server at its end: a
    connection is not closed before what was written is read, pings that wait behind that included.

    Args:
        transport: The connection's.
        stall: Seconds that what waits may make no progress; `CLOSE_TIME` where the connection is to be closed, if that is less.
        scope: ASGI's, of the handshake.
    """

    __slots__ = ("_left", "_scope", "_since", "_stall", "_transport", "_watch")

    def __init__(self, transport: Any, stall: float, scope: Scope) -> None:
        self._transport = transport
        self._stall = stall
        self._scope = scope
        self._watch: Watch | None = None
        self._left = 0
        self._since = 0.0

    def over(self) -> None:
        """The endpoint is over; what it left for its peer is still looked at."""
        if not self._transport.get_write_buffer_size():
            self._leave()
        self.look()

    def look(self) -> None:
        """Look from now on if something waits, and until all of it is taken: somebody may have to wait for that."""
        if self._watch is None and self._transport.get_write_buffer_size():
            self._watch = watch_of(clock_of(self._scope))
            self._watch.add(self, is_awake=False)

    def _leave(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.remove(self)

    def glance(self) -> bool:
        """See `Watched`: there is no hurry."""
        return False

    def inspect(self, now: float) -> None:
        """See whether something waits, and whether it is as much as before.

        Args:
            now: The clock's seconds.
        """
        left = self._transport.get_write_buffer_size()
        if left != self._left:
            self._left, self._since = left, now
        elif left and now - self._since >= (min(self._stall, CLOSE_TIME) if self._transport.is_closing() else self._stall):
            self._transport.abort()
            self._leave()
        if not left:  # until somebody may have to wait again
            self._leave()

    def failed(self, error: Exception) -> None:
        """Looking at it failed: it is left alone."""
        self._leave()


def stall_guard(protocol: Any, scope: Scope, stall: float | None) -> StallGuard | None:
    """Look after a connection until it is `over`; None where nothing is known of its transport, or nothing is bounded.

    Args:
        protocol: A known server's.
        scope: ASGI's.
        stall: See `StallGuard`; None bounds nothing.
    """
    transport: Any = getattr(protocol, "transport", None)
    if stall is None or transport is None:
        return None
    return StallGuard(transport, stall, scope)


def guard_closing(scope: Scope, *ways: Callable[..., Awaitable[Any]]) -> bool:
    """Look after a known server's connection that it closes by itself while its peer has not read what was written before.

    So does uvicorn at its ping time-out. It tells nobody before the connection is gone, and that of a peer which is not there any
    more would be when the kernel gives up. Whoever reads on, however slowly, gets all of it.

    Args:
        scope: ASGI's, of the handshake.
        ways: ASGI's `send` and `receive`, one of which is known.

    Returns:
        Whether there is one, and it is looked after from now on.
    """
    transport: Any = getattr(server_behind(*ways), "transport", None)
    if transport is None or not transport.is_closing() or not transport.get_write_buffer_size():
        return False
    StallGuard(transport, CLOSE_TIME, scope).look()
    return True
