"""What is known of a publication."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """What is known of a publication when it was taken.

    Attributes:
        delivered: To how many sessions of this process it was sent, or for how many it waits; None where it is still on its way.
        dropped: For how many sessions of this process there was no room; None where it is still on its way.
        mark: Its place, for a group with a history.
    """

    delivered: int | None
    dropped: int | None
    mark: str | None = None
