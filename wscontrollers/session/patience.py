"""What a known server cannot know of a connection that is not read from: whether its peer is there, and what it answered."""

from __future__ import annotations

import select
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from .direct import TESTED
from .owner import Frame
from .stepping import server_of

_USED = ("disconnected", "ping_interval", "ping_timeout", "pong_timer", "schedule_ping", "transport")
"""What is used of uvicorn's protocols."""


def protocol_of(send: Callable[[Frame], Awaitable[None]]) -> Any:
    """The connection behind an ASGI `send`, if its insides are known; None if not."""
    protocol = server_of(send)
    version = str(getattr(sys.modules.get("uvicorn"), "__version__", "?"))
    is_known = ".".join(version.split(".")[:2]) in TESTED and all(hasattr(protocol, name) for name in _USED)
    return protocol if is_known else None


class Patience:
    """With the peer of one connection, for as long as nothing is read from it.

    Its pongs may lie behind what is not read. Its kernel acknowledges the pings all the same while it is there, also for a
    program that reads nothing: what finds no room with it is sent again, and a window that is closed is asked about (RFC 9293,
    sections 3.8.1 and 3.8.6.1), with ever longer times in between, and each time it answers. Linux tells of it.

    Args:
        protocol: Uvicorn's (see `protocol_of`).
    """

    __slots__ = ("_asked_since", "_protocol")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._asked_since: float | None = None

    def is_over(self) -> bool:
        """Whether the peer is gone, or the server has closed, though nothing was read that says so."""
        transport = self._protocol.transport
        if self._protocol.disconnected or transport.is_closing():
            return True
        return _is_broken(transport.get_extra_info("socket"))

    def is_silent(self) -> bool:
        """Whether the peer's kernel has answered nothing within the ping time-out, though it was asked all the while.

        Nobody is silent where uvicorn does not ping, or waits for no pong.
        """
        timeout: float | None = self._protocol.ping_timeout if self._protocol.ping_interval else None
        asked = None if timeout is None else _asked_of(self._protocol.transport.get_extra_info("socket"))
        if timeout is None or asked is None:
            self._asked_since = None
            return False
        now = time.monotonic()
        since = self._asked_since
        if since is None or now - asked.silence >= since:
            self._asked_since = now
            return False
        return now - since >= max(timeout, asked.patience)

    def give_up(self) -> None:
        """Break the connection to a peer that is silent: no close would reach it."""
        self._protocol.transport.abort()

    def spare(self) -> None:
        """Wait for no pong. Another ping is sent in its time, so that there is something to acknowledge."""
        protocol = self._protocol
        timer = protocol.pong_timer
        if timer is not None:
            timer.cancel()
            protocol.pong_timer = None
            protocol.schedule_ping()


def _is_broken(connection: Any) -> bool:
    # What is not read from is not in the event loop's selector, and so nobody hears of a reset.
    if connection is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(connection.fileno(), 0)  # errors and hang-ups are told without being asked for
    return bool(poll.poll(0))


class _Asked(NamedTuple):
    """What a kernel asks of another one, and waits for: something was sent, or a closed window is asked about."""

    silence: float
    """Seconds since the last answer to anything."""

    patience: float
    """Seconds without an answer that say nothing yet."""


_INFO: Final = struct.Struct("=3xBB3xI12xI28xI")
"""Of Linux' `struct tcp_info`: `tcpi_probes`, `tcpi_backoff`, `tcpi_rto` (microseconds), `tcpi_unacked` and `tcpi_last_ack_recv`
(milliseconds)."""

_LONGEST: Final = 120.0
"""Seconds from one question to the next, at most (Linux' `TCP_RTO_MAX`)."""

_MORE: Final = 1.25
"""How many times as long the answer to a question may be awaited as it is until the next one: that has been asked by then."""

_LEAST: Final = 2.0
"""Seconds for any answer: a kernel leaves out one that would closely follow another (Linux' `tcp_invalid_ratelimit`)."""


def _asked_of(connection: Any) -> _Asked | None:
    """What the peer's kernel is asked; None where it is nothing, or nobody knows."""
    if connection is None or sys.platform != "linux":
        return None
    try:
        said = _INFO.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    except (OSError, struct.error):  # it is no TCP: a peer on the same machine does not fall silent
        return None
    probes, backoff, timeout, unacknowledged, silence = said
    if not unacknowledged and not probes:
        return None
    # Of what is sent again the time-out itself grows; of a window the times between two questions about it.
    until_next = timeout / 1e6 if unacknowledged else min(timeout / 1e6 * 2**backoff, _LONGEST)
    return _Asked(silence / 1e3, max(_LEAST, _MORE * until_next))
