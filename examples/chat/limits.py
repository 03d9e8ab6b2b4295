"""How much of everything there may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds that keep one member from harming the others; bind another instance in the container to change them.

    Attributes:
        rooms: Rooms that are kept; empty ones make place for new ones.
        members: Members of one room.
        history: Messages that a room remembers.
        outbox: Frames that may wait for one member before it counts as too slow.
        burst: Frames that a member may send at once; who sends more is closed with 1008.
        pace: Seconds in which it may send one more.
    """

    rooms: int = 1_000
    members: int = 100
    history: int = 50
    outbox: int = 500
    burst: int = 20
    pace: float = 0.2
