"""Control frames of a client, on their way to who deals with them."""

from __future__ import annotations

from ..messages import Cancel, Credit, Recover


class Controls:
    """Who deals with the client's `cancel`, `credit` and `recover`."""

    __slots__ = ()

    def control(self, frame: Cancel | Credit | Recover) -> None:
        """A control frame came in."""

    def owes(self) -> bool:
        """Whether an item of a stream went out for which no credit came in yet; each is one for one frame of credit."""
        return False


NO_CONTROLS = Controls()
"""For a session without handlers: control frames change nothing."""
