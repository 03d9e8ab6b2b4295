"""What a line asks of the session on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...messages import ControlFrame
from ...websockets import ServedWebSocket
from ..owner import Frame
from .kept import Place


class Held(Protocol):
    """The session on a line."""

    @property
    def websocket(self) -> ServedWebSocket:
        """The WebSocket that it has."""
        ...

    @property
    def user(self) -> str | None:
        """Whose it is, if it said so."""
        ...

    def written(self, frame: ControlFrame) -> Frame | None:
        """A control frame as the session writes it."""
        ...

    def came_back(self) -> None:
        """The client is there again."""
        ...

    def stop(self, code: int, reason: str) -> None:
        """End the session."""
        ...

    def move(self) -> None:
        """End the session, which goes on in another process."""
        ...

    def places(self) -> Sequence[Place]:
        """The groups that it is in, and up to where it has their messages."""
        ...

    def waiting(self) -> Sequence[Frame]:
        """The frames that wait to be sent, behind the one that is being sent."""
        ...

    def unread(self) -> int:
        """How many frames of the client nobody has looked at yet."""
        ...
