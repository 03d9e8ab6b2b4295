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

_USED = ("disconnected", "ping_timeout", "pong_timer", "schedule_ping", "transport")
"""What is used of uvicorn's protocols."""


def protocol_of(send: Callable[[Frame], Awaitable[None]]) -> Any:
    """The connection behind an ASGI `send`, if its insides are known; None if not."""
    protocol = server_of(send)
    version = str(getattr(sys.modules.get("uvicorn"), "__version__", "?"))
    is_known = ".".join(version.split(".")[:2]) in TESTED and all(hasattr(protocol, name) for name in _USED)
    return protocol if is_known else None


class Patience:
    """With the peer of one connection, while nothing is read from it.

    Its pongs may lie behind what is not read. Its kernel acknowledges the pings all the same while it is there, also for a
    program that reads nothing (RFC 9293, section 3.8.6.1: a window of zero is answered for). Linux tells of both.

    Args:
        protocol: Uvicorn's (see `protocol_of`).
    """

    __slots__ = ("_protocol", "_unanswered_since")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._unanswered_since: float | None = None

    def is_over(self) -> bool:
        """Whether the peer is gone, or the server has closed, though nothing was read that says so."""
        transport = self._protocol.transport
        if self._protocol.disconnected or transport.is_closing():
            return True
        return _is_broken(transport.get_extra_info("socket"))

    def is_silent(self) -> bool:
        """Whether the peer's kernel has acknowledged nothing within the ping time-out, though it had to all the while."""
        said = _said_by_kernel(self._protocol.transport.get_extra_info("socket"))
        if said is None or not said.is_to_answer:
            self._unanswered_since = None
            return False
        now = time.monotonic()
        since = self._unanswered_since
        if since is None or now - said.silence >= since:
            self._unanswered_since = now
            return False
        timeout: float | None = self._protocol.ping_timeout
        return timeout is not None and now - since >= timeout

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


class _Acknowledgements(NamedTuple):
    is_to_answer: bool
    """Whether something was sent, or a closed window asked about again and again, and is not acknowledged."""
    silence: float
    """Seconds since the last acknowledgement."""


_INFO: Final = struct.Struct("=3xB20xI28xI")
"""Of Linux' `struct tcp_info`: `tcpi_probes`, `tcpi_unacked` and `tcpi_last_ack_recv` (milliseconds)."""


_PROBES: Final = 3
"""Questions about a closed window, one after the other, to which no answer means something: a kernel leaves out an answer that
would follow another one closely (Linux' `tcp_invalid_ratelimit`), and ever longer times lie between the questions."""


def _said_by_kernel(connection: Any) -> _Acknowledgements | None:
    if connection is None or sys.platform != "linux":
        return None
    try:
        probes, unacked, silence = _INFO.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    except (OSError, struct.error):  # it is no TCP: a peer on the same machine does not fall silent
        return None
    return _Acknowledgements(unacked > 0 or probes >= _PROBES, silence / 1000)
