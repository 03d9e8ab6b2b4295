"""Whether the client of a session is there: its connection of the moment, the loss of it, and the end."""

from __future__ import annotations

from typing import Final

from anyio import Event
from starlette.types import Scope

from ..clock import clock_of
from ..ending import LOSS
from ..owner import Frame
from .connection import Connection
from .held import Held
from .keeper import keeper
from .resume import Resume

_PARTING: Final = 1.0
"""Seconds in which a connection to which nothing can be written can still tell how it came to its end."""


class Reach:
    """The part of a line that knows whether the client is there; `Line` is the whole of it.

    Args:
        resume: What is declared.
        connection: The first connection.

    Attributes:
        scope: That of the first connection.
        done: Set when the session is over.
    """

    __slots__ = (
        "__weakref__",
        "_changed",
        "_clock",
        "_connection",
        "_end",
        "_held",
        "_lost_at",
        "_origin",
        "_place",
        "_resume",
        "_subprotocol",
        "_was_held",
        "done",
        "scope",
    )

    def __init__(self, resume: Resume, connection: Connection) -> None:
        self.scope: Scope = connection.scope
        self.done = Event()
        self._resume = resume
        self._clock = clock_of(connection.scope)
        self._origin, self._place = connection.origin, connection.place
        self._subprotocol: str | None = None
        self._connection: Connection | None = connection
        self._held: Held | None = None
        self._was_held = False
        self._end: Frame | None = None
        self._lost_at: float | None = None
        self._changed = Event()

    @property
    def is_detached(self) -> bool:
        """Whether the session waits for its client."""
        return self._connection is None and self._end is None

    def hold(self, held: Held) -> None:
        """From now on a loss of the connection is not the end."""
        self._held = held
        self._was_held = True

    def let_go(self) -> None:
        """The session comes to its end: a loss is one, too."""
        self._held = None
        if self.is_detached:
            self.over()

    def expire(self, now: float) -> None:
        """End the session if its client did not come back in time; called about once a second.

        Args:
            now: The clock's seconds.
        """
        connection = self._connection
        if connection is not None:
            connection.guard()
            if connection.failed_at is not None and now - connection.failed_at >= _PARTING:
                self.lose(connection)
        if self.is_detached and self._lost_at is not None and now - self._lost_at >= self._resume.grace:
            self.over()

    def lose(self, connection: Connection, event: Frame | None = None) -> None:
        """A connection is gone; the session waits for another one, if it may."""
        if self._connection is not connection:
            return
        if self._held is None or self._end is not None or self.done.is_set():
            self.over(event)
            return
        self._connection = None
        if self._lost_at is None:
            self._lost_at = self._clock.now()
        connection.is_lost = True
        connection.abandon()
        self._wake()
        keeper().waits(self, self._resume)

    def over(self, event: Frame | None = None) -> None:
        """The client is gone for good."""
        if self._end is None:
            self._end = event or {"type": "websocket.disconnect", "code": LOSS, "reason": ""}
        self._connection = self._lost_at = None
        self._wake()
        keeper().waits_no_more(self, self._resume)

    def _replace(self, connection: Connection) -> None:
        """Let another connection take the place of the one that is there."""
        connection.is_behind = True
        before, self._connection = self._connection, connection
        keeper().waits_no_more(self, self._resume)
        if before is not None:
            before.is_replaced = True
            before.abandon()

    def _wake(self) -> None:
        changed, self._changed = self._changed, Event()
        changed.set()
