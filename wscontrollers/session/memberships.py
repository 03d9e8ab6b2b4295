"""What a session asks of the groups that it is in; `groups/` fills it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from .life import Life
    from .resuming.kept import Place


class Joined(NamedTuple):
    """What is known when a session has joined a group.

    Attributes:
        group: The name of the group.
        mark: The place from which on it hears everything, for groups with a history: a client that has nothing newer recovers
            from here. None for a group without one, and while the engine is down.
        recovered: Whether the client was given all that it had missed; None where it asked for nothing.
    """

    group: str
    mark: str | None = None
    recovered: bool | None = None


class Memberships(Protocol):
    """The groups of one session."""

    @property
    def names(self) -> frozenset[str]:
        """Which groups it is in."""
        ...

    @property
    def user(self) -> str | None:
        """Whose session it is, if it said so."""
        ...

    async def join(self, group: str, presence: Any) -> Joined:
        """Join a group."""
        ...

    async def leave(self, group: str) -> None:
        """Leave a group."""
        ...

    async def identify(self, user: str) -> None:
        """Say whose session it is."""
        ...

    async def recover(self, marks: Sequence[str]) -> None:
        """Send what was missed since these marks."""
        ...

    def places(self) -> Sequence[Place]:
        """Which groups it is in, and up to where it has their messages."""
        ...

    async def restore(self, places: Sequence[Place], user: str | None, *, since: float) -> None:
        """Be where the session was in another process, and whose it was there; what was published meanwhile is sent, or told.

        Args:
            places: The groups.
            user: Whose it was.
            since: When it was that, in seconds since 1970: who ordered its end since then is obeyed.
        """
        ...

    def release(self) -> None:
        """Leave everything: the session is over."""
        ...


Enrol = Callable[["Life"], Memberships]
"""Makes the memberships of a session when it first asks for them."""
