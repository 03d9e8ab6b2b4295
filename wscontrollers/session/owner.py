"""What an outbox asks of the session that it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Frame = MutableMapping[str, Any]
"""An ASGI event."""


class Owner(Protocol):
    """Whose outbox it is: a session."""

    def start(self, function: Callable[[], Awaitable[None]]) -> None:
        """Start the writer among the tasks of the session."""
        ...

    def overflown(self) -> None:
        """A frame found no room, and its policy is to close."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...

    def gap(self, dropped: int) -> Frame:
        """The frame that tells the peer how many messages it lost."""
        ...

    @property
    def is_connecting(self) -> bool:
        """Whether the handshake has no answer yet."""
        ...


class _Nobody:
    """The owner of an outbox that is closed: whatever it hears of changes nothing."""

    is_connecting = False

    def start(self, function: Callable[[], Awaitable[None]]) -> None: ...

    def overflown(self) -> None: ...

    def lost(self) -> None: ...

    def gap(self, dropped: int) -> Frame:
        return {}


NOBODY: Owner = _Nobody()
