"""One connection that carries a session, or did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anyio import CancelScope
from starlette.types import Receive, Scope, Send

from ..loss import NO_STATUS, code_of, has_closed
from ..owner import Frame
from ..stalls import guard_closing

LOST: Final = frozenset({1005, 1006, 1011, 1012})
"""Codes of a connection that was lost: without a close, by a ping that was not answered, or with the server.

Servers report some peers that are lost as 1005, which a polite close without a code is, too (see `has_left`, and `loss`).
"""


_SERVICE_RESTART: Final = 1012


class PeerGone(OSError):  # noqa: N818 - says what happened, as ASGI has it for a send to a peer that left
    """The session writes, and its client does not come back."""


class Connection:
    """What a server calls an application with.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        send: ASGI's.
        ends_with_server: Whether the end of the server is that of its sessions, too.

    Attributes:
        scope: The same.
        receive: The same.
        send: The same.
        running: What the server's task does for it.
        writing: The write that is under way in the session's task.
        is_behind: Whether it is still being sent what its client missed.
        is_replaced: Whether another connection took its place.
        is_lost: Whether it is gone, and the session waits for its client.
        is_proven: Whether its client said something on it: it knows that its session goes on.
        spent: The tickets that were good until it came.
        failed_at: When a write to it failed, in the clock's seconds; what had come in before that is still taken.
        failure: What the session failed with while this carried it.
    """

    __slots__ = (
        "_ends_with_server",
        "_is_guarded",
        "failed_at",
        "failure",
        "is_behind",
        "is_lost",
        "is_proven",
        "is_replaced",
        "receive",
        "running",
        "scope",
        "send",
        "spent",
        "writing",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, ends_with_server: bool = False) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.running = CancelScope()
        self.writing: CancelScope | None = None
        self.is_behind = self.is_replaced = self.is_lost = self.is_proven = False
        self.spent: Mapping[int, float] = {}
        self.failed_at: float | None = None
        self._ends_with_server = ends_with_server
        self._is_guarded = False
        self.failure: BaseException | None = None

    @property
    def origin(self) -> bytes | None:
        """The page that opened it, as its browser says."""
        return next((value for name, value in self.scope["headers"] if name == b"origin"), None)

    @property
    def place(self) -> tuple[str, str]:
        """The path that was asked for, with that of the mounts."""
        return self.scope.get("root_path", ""), self.scope["path"]

    def abandon(self) -> None:
        """Stop all that goes on with it."""
        self.running.cancel()
        if self.writing is not None:
            self.writing.cancel()

    def guard(self) -> None:
        """See that its peer does not hold it open when its server closes it; called about once a second."""
        if not self._is_guarded:
            self._is_guarded = guard_closing(self.scope, self.send, self.receive)

    def has_left(self, event: Frame) -> bool:
        """Whether a disconnect says that the peer, or the application, closed it, and nobody comes back.

        Args:
            event: ASGI's `websocket.disconnect`.
        """
        code = event.get("code", NO_STATUS)
        if code == _SERVICE_RESTART:
            return self._ends_with_server
        if code != NO_STATUS:
            return code not in LOST
        return has_closed(self.send, self.receive) is True

    def told(self, event: Frame) -> Frame:
        """A disconnect as the session is told of it: a loss by its own code (see `loss`).

        Args:
            event: ASGI's `websocket.disconnect`.
        """
        return {**event, "code": code_of(event.get("code", NO_STATUS), self.send, self.receive)}
