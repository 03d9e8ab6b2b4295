"""The ways out of a session: the server's `send`, and past it where that comes to the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .direct import DirectWriter, direct_writer
from .owner import Frame
from .stepping import is_steppable


class Outlet:
    """The part of an outbox that knows the server; `Outbox` is the whole of it.

    Args:
        send: ASGI's.
        direct: Whether frames may go past it, where that comes to the same.

    Attributes:
        send_event: ASGI's `send`.
        steps: Whether a write can be stepped (see `stepping`): it is open, and the peer has been told of all that it lost. While
            no write is under way either, nothing lies before a frame.
        direct: What writes the frames of groups past `send_event`, where that may be (see `go_direct`).
    """

    __slots__ = ("_may_go_direct", "_own", "direct", "send_event", "steps")

    def __init__(self, send: Callable[[Frame], Awaitable[None]], *, direct: bool) -> None:
        self.send_event = send
        self.steps = False
        self.direct: DirectWriter | None = None
        self._may_go_direct = direct
        self._own: DirectWriter | None = None  # what writes the session's own frames past it

    def open_up(self) -> None:
        """Look up which ways there are; called when the handshake is accepted."""
        self.steps = is_steppable(self.send_event)
        if self._may_go_direct:
            self._own = self.direct or direct_writer(self.send_event)

    @property
    def is_direct(self) -> bool:
        """Whether the session's own frames may go past `send_event`."""
        return self._own is not None

    def go_direct(self) -> None:
        """Look up what writes the frames of groups past `send_event`; called when the handshake is accepted."""
        if self.direct is None and self._may_go_direct:
            self.direct = self._own or direct_writer(self.send_event)

    def shut(self) -> None:
        """Take no way any more but `send_event`; it tells what is the matter."""
        self.steps = False
        self._own = None


def payload_of(frame: Frame) -> str | bytes:
    """What an ASGI event sends."""
    text: str | None = frame.get("text")
    if text is not None:
        return text
    data: bytes = frame["bytes"]
    return data
