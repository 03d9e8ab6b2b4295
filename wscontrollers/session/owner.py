"""What an outbox asks of the session that it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Frame = MutableMapping[str, Any]
"""An ASGI event."""


class Owner(Protocol):
    """Whose outbox it is: a session."""

    def start(self, function: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Start the writer among the tasks of the session."""
        ...

    def overflown(self) -> None:
        """A frame found no room, and its policy is to close."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...

    def gap(self, dropped: int) -> Frame | None:
        """The frame that tells the peer how many messages it lost; None where it cannot be told."""
        ...

    @property
    def is_connecting(self) -> bool:
        """Whether the handshake has no answer yet."""
        ...


class _Nobody:
    """The owner of an outbox that is closed: whatever it hears of changes nothing."""

    is_connecting = False

    def start(self, function: Callable[..., Awaitable[None]], *args: Any) -> None: ...

    def overflown(self) -> None: ...

    def lost(self) -> None: ...

    def gap(self, dropped: int) -> Frame | None:
        return None


NOBODY: Owner = _Nobody()
