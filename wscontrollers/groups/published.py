"""What is known of a publication."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """What is known of a publication when it was taken.

    Attributes:
        delivered: To how many sessions of this process it was sent, or for how many it waits; None where it is still on its way.
        dropped: For how many sessions of this process there was no room; None where it is still on its way.
        mark: Its place, for a group with a history.
        displaced: For how many of those that it waits for older messages were dropped to make room; None where it is still on
            its way.
    """

    delivered: int | None
    dropped: int | None
    mark: str | None = None
    displaced: int | None = 0

    @classmethod
    def on_its_way(cls, mark: str | None = None) -> Published:
        """What is known of one that has not come to this process's sessions yet."""
        return cls(None, None, mark, None)


class Tally(NamedTuple):
    """What became of one publication in this process.

    Attributes:
        offset: Its place in the group; 0 where it has none.
        delivered: To how many sessions it was sent, or for how many it waits.
        dropped: For how many there was no room.
        displaced: For how many of those that it waits for older messages were dropped to make room.
    """

    offset: int
    delivered: int
    dropped: int
    displaced: int = 0

    def published(self, mark: str | None = None) -> Published:
        """What is told of it to who published it."""
        return Published(self.delivered, self.dropped, mark, self.displaced)
