"""How a session ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..exceptions import WebSocketException

LOSS = 1006
"""The code for a connection that broke; no peer sends it (RFC 6455, section 7.4.1)."""

SERVICE_RESTART = 1012
"""The code with which a server that ends closes its connections, below the session."""

MAX_REASON = 123
"""The bytes that a close frame has for its reason (RFC 6455, section 5.5)."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended.

    Attributes:
        by: Who ended it; "network" where the connection broke, with 1006. A server that is not known, or that a middleware
            hides, may report that as 1005, which is a polite close without a code too; then it is "client". A server that ends
            closes with 1012, and gives no reason; that is "server".
        code: The close code (RFC 6455, section 7.4).
        reason: The reason that was sent with it.
        exception: What ended it here, if it was an exception.
    """

    by: Literal["client", "server", "network"]
    code: int
    reason: str = ""
    exception: BaseException | None = None

    @classmethod
    def by_peer(cls, code: int, reason: str) -> Ended:
        """The end that ASGI's disconnect event tells of."""
        if code == SERVICE_RESTART and not reason:
            return cls("server", SERVICE_RESTART)
        return cls("network" if code == LOSS else "client", int(code), reason)  # parsers have members of their own enumerations


def ended_by(error: BaseException) -> Ended:
    """The end that an exception makes here: with the code of a `WebSocketException`, 1001 for a cancellation, else 1011."""
    if isinstance(error, WebSocketException):
        return Ended("server", error.code, error.reason, error)
    return Ended("server", 1011 if isinstance(error, Exception) else 1001, exception=error)


def shortened(reason: str) -> str:
    """As much of a reason as a close frame can carry."""
    return reason.encode("utf-8", "replace")[:MAX_REASON].decode(errors="ignore")
